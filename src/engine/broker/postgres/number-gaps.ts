import type { Clock } from '../../core/clock.ts';

/** Longer than any transaction of BullMQ takes; a number that was rolled back is given up after it. */
const KEPT_MS = 5000;
/** So many numbers below the highest are watched. */
const WATCHED = 500;

/** Which numbers of a sequence were passed over: their transactions may be committed later, or never. */
export class NumberGaps {
  readonly #clock: Clock;
  /** When each was passed over, of the monotonic clock. */
  readonly #passedAt = new Map<number, number>();
  #highest = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What is not above is none of ours. */
  startAfter(number: number): void {
    this.#highest = Math.max(this.#highest, number);
  }

  /** These numbers were read. */
  note(numbers: readonly number[]): void {
    const seen = new Set(numbers);
    for (const number of numbers) this.#passedAt.delete(number);
    const highest = Math.max(this.#highest, ...numbers);
    const now = this.#clock.monotonic();
    for (let number = Math.max(this.#highest + 1, highest - WATCHED); number < highest; number += 1) {
      if (!seen.has(number)) this.#passedAt.set(number, now);
    }
    this.#highest = highest;
  }

  /** The numbers that may still turn up. */
  list(): number[] {
    const now = this.#clock.monotonic();
    for (const [number, passedAt] of this.#passedAt) {
      if (now - passedAt > KEPT_MS) this.#passedAt.delete(number);
      else break;
    }
    return [...this.#passedAt.keys()];
  }
}
