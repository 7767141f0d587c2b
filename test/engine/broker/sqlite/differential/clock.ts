import { vi } from 'vitest';
import { TICK_MS } from './store.ts';

/** Where every sequence begins: a full hour, since schedules and metrics are cut at full minutes. */
const BEGIN_AT = Date.UTC(2026, 0, 1);

/** Takes `Date` away from real time. Timers stay real: a store may wait, but what it reads of the clock is the test's. */
export function fakeDate(): void {
  vi.useFakeTimers({ toFake: ['Date'] });
}

export function releaseDate(): void {
  vi.useRealTimers();
}

/** The instant of one run, which both of its sides see. */
export interface RunClock {
  readonly now: number;
  advance(ms: number): void;
}

export function createRunClock(): RunClock {
  let now = BEGIN_AT;
  vi.setSystemTime(now);
  return {
    get now() {
      return now;
    },
    advance(ms) {
      if (ms % TICK_MS !== 0) throw new Error(`the clock moves in steps of ${TICK_MS} ms, got: ${ms}`);
      now += ms;
      vi.setSystemTime(now);
    },
  };
}
