import type { Clock } from '../core/clock.ts';

/** The machine's own clocks. Tests and engine code take a Clock; only the surfaces hand in this one. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
