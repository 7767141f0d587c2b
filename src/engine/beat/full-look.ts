import type { Clock } from '../core/clock.ts';
import type { ChainKeeping } from './chain-keeping.ts';
import type { EntryBook } from './entry-book.ts';
import { Repetition, type SetTimer } from './repetition.ts';

export interface FullLookOptions {
  readonly book: EntryBook;
  readonly chains: ChainKeeping;
  readonly clock: Clock;
  readonly lookMs: number;
  readonly retryMs: number;
  readonly setTimer: SetTimer;
  readonly leads: () => boolean;
  /** Due times in the book have changed. */
  readonly onLooked: () => void;
  readonly onTrouble: (error: unknown) => void;
}

/** Entries of one look at the store. */
const PAGE = 500;

/**
 * Looks at the schedulers of all entries every now and then, page by page: finds what has gone missing behind the back of the beat (a
 * deleted job, a queue that was emptied, a change that was cut off in the middle). What changed is looked at at once.
 */
export class FullLook {
  readonly #options: FullLookOptions;
  readonly #looking: Repetition;
  readonly #urgent = new Set<string>();
  /** When all were looked at last, by the monotonic clock. */
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(options: FullLookOptions) {
    this.#options = options;
    this.#looking = new Repetition({ ...options, act: () => this.#look() });
  }

  start(): Promise<void> {
    return this.#looking.start();
  }

  /** Looks at these before all others, now. */
  hurry(names: readonly string[]): void {
    for (const name of names) this.#urgent.add(name);
    this.#looking.hurry();
  }

  stop(): Promise<void> {
    return this.#looking.stop();
  }

  async #look(): Promise<number> {
    const { book, clock, lookMs, leads } = this.#options;
    if (!leads()) return lookMs;
    const urgent = [...this.#urgent];
    this.#urgent.clear();
    await this.#lookAt(urgent);
    const nextAt = this.#lookedAt + lookMs;
    if (urgent.length > 0 && clock.monotonic() < nextAt) return nextAt - clock.monotonic();
    this.#lookedAt = clock.monotonic();
    await this.#lookAt(book.listNames());
    return lookMs;
  }

  async #lookAt(names: readonly string[]): Promise<void> {
    const { chains, leads, onLooked } = this.#options;
    for (let from = 0; from < names.length && leads(); from += PAGE) {
      await chains.keep(names.slice(from, from + PAGE));
      onLooked();
    }
  }
}
