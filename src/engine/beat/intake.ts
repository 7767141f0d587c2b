import type { Logger } from 'pino';
import type { Clock } from '../core/clock.ts';
import type { ScheduleEntry } from '../core/schedule/entry.ts';
import type { EntryStore } from '../schedule/entry-store.ts';
import type { EntryBook } from './entry-book.ts';
import { Repetition, type SetTimer } from './repetition.ts';

export interface IntakeOptions {
  readonly entries: EntryStore;
  readonly book: EntryBook;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly pulseMs: number;
  /** All are read again so often though nobody said that one has changed: whoever changed it may have died before saying so. */
  readonly rereadMs: number;
  readonly retryMs: number;
  readonly setTimer: SetTimer;
  readonly leads: () => boolean;
  /** These are new, or have changed. */
  readonly onChanged: (names: readonly string[]) => void;
  readonly onTrouble: (error: unknown) => void;
}

/** Entries that one line of the log names. */
const NAMED = 20;

/** Takes entries of the broker into the book, and what changes in them: asks whether something has, and reads them only then. */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #asking: Repetition;
  /** What the broker said when they were read last; undefined when they are to be read whatever it says. */
  #change: string | null | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  #said = new Map<string, string>();

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#asking = new Repetition({ ...options, act: () => this.#ask() });
  }

  start(): Promise<void> {
    return this.#asking.start();
  }

  /** Forgets what it has read, and reads all. */
  restart(): void {
    this.#change = undefined;
    this.#readAt = Number.NEGATIVE_INFINITY;
    this.#asking.hurry();
  }

  stop(): Promise<void> {
    return this.#asking.stop();
  }

  async #ask(): Promise<number> {
    const { entries, clock, pulseMs, rereadMs, leads } = this.#options;
    if (!leads()) return pulseMs;
    // Before the entries are read: what changes meanwhile is seen the next time.
    const change = await entries.readChange();
    const now = clock.monotonic();
    if (change === this.#change && now - this.#readAt < rereadMs) return pulseMs;
    // Nobody takes that record away by removing entries.
    const isEmptied = change === null && typeof this.#change === 'string';
    if (isEmptied) this.#warnOfLoss();
    await this.#read(now);
    this.#change = change;
    this.#readAt = now;
    return pulseMs;
  }

  async #read(now: number): Promise<void> {
    const { entries, book, leads, onChanged } = this.#options;
    const found = await entries.list();
    if (!leads()) return;
    const readable = found.filter((one): one is ScheduleEntry => !('error' in one));
    const unreadable = new Map(found.flatMap((one) => ('error' in one ? [[one.name, one.error.message]] : [])));
    this.#warnOf(unreadable);
    const changed = book.take(readable, new Set(unreadable.keys()), now);
    if (changed.length > 0) onChanged(changed);
  }

  #warnOfLoss(): void {
    const { book, logger } = this.#options;
    const lost = book.listNames();
    const message = 'the broker has lost its schedule entries, as if it had been emptied';
    const remedy = 'start a beat of the app again, which stores those that it declares';
    logger.error({ entries: lost.length, lost: lost.slice(0, NAMED) }, `${message}: ${remedy}`);
  }

  #warnOf(unreadable: Map<string, string>): void {
    for (const [name, message] of unreadable) {
      if (this.#said.get(name) !== message) this.#options.logger.warn({ entry: name }, message);
    }
    this.#said = unreadable;
  }
}
