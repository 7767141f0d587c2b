import type { Clock } from '../core/clock.ts';
import type { ChainKeeping } from './chain-keeping.ts';
import type { EntryBook } from './entry-book.ts';
import { Repetition, type SetTimer } from './repetition.ts';

export interface PulseOptions {
  readonly book: EntryBook;
  readonly chains: ChainKeeping;
  readonly clock: Clock;
  /** It looks at least so often: the clock may be set, or the machine have slept. */
  readonly pulseMs: number;
  readonly retryMs: number;
  readonly setTimer: SetTimer;
  readonly leads: () => boolean;
  readonly onTrouble: (error: unknown) => void;
}

/** Looks at each entry when its firing is due. */
export class Pulse {
  readonly #options: PulseOptions;
  readonly #beating: Repetition;
  #lastAt: number | null = null;

  constructor(options: PulseOptions) {
    this.#options = options;
    this.#beating = new Repetition({ ...options, act: () => this.#act() });
  }

  /** When it looked last, epoch ms; null while it never led. */
  get lastAt(): number | null {
    return this.#lastAt;
  }

  start(): Promise<void> {
    return this.#beating.start();
  }

  /** What is due next may have changed. */
  hurry(): void {
    this.#beating.hurry();
  }

  stop(): Promise<void> {
    return this.#beating.stop();
  }

  async #act(): Promise<number> {
    const { book, chains, clock, pulseMs, leads } = this.#options;
    if (!leads()) return pulseMs;
    this.#lastAt = clock.now();
    await chains.keep(book.takeDue(this.#lastAt));
    const { next = Number.POSITIVE_INFINITY } = book;
    return Math.min(pulseMs, Math.max(0, next - clock.now()));
  }
}
