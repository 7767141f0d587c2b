import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../core/clock.ts';
import { type Rate, spacingOf } from '../core/rate.ts';

/** How long one step of a paced work should take: short enough to look even, long enough to be worth a call. */
const STEP_MS = 100;

/** Spaces work evenly: no more than the rate allows in any stretch of time, and nothing is caught up after a pause. */
export class Pace {
  readonly #spacingMs: number;
  readonly #clock: Clock;
  #nextAt: number | undefined;

  constructor(rate: Rate, clock: Clock) {
    this.#spacingMs = spacingOf(rate);
    this.#clock = clock;
  }

  /** How many to do in one step. */
  get step(): number {
    return Math.max(1, Math.floor(STEP_MS / this.#spacingMs));
  }

  /**
   * Waits until the next step may begin.
   *
   * @param count how many it does
   * @returns false when the signal aborted
   */
  async turn(count: number, signal: AbortSignal): Promise<boolean> {
    const now = this.#clock.monotonic();
    const at = Math.max(now, this.#nextAt ?? now);
    this.#nextAt = at + count * this.#spacingMs;
    if (at > now) await wait(at - now, undefined, { signal }).catch(() => undefined);
    return !signal.aborted;
  }
}
