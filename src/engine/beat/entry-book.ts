import type { ScheduleEntry } from '../core/schedule/entry.ts';
import { DueTimes } from './due-times.ts';

/** What a leader knows of an entry. Only a guess: each decision reads the scheduler of the entry anew. */
export interface KeptEntry {
  readonly entry: ScheduleEntry;
  /** When this version of it was seen first, by the monotonic clock. */
  readonly seenAt: number;
  /** Its scheduler was found to be made of this version. */
  isVerified: boolean;
  /** Of the firing ahead when its scheduler was read last, epoch ms. */
  aheadAt?: number;
  /** How many firings its scheduler had then, the one ahead included. */
  made?: number;
  /** That firing was seen after it was due: it was there, whatever has become of it since. */
  wasThere?: boolean;
  /** Of the wall clock from the monotonic one when the firing ahead was decided, or compared with the schedule. */
  clockOffset?: number;
  /** The firing from which a step was refused last. */
  refusedAt?: number;
  /** Due time of the last firing that was logged. */
  notedAt?: number;
}

/**
 * The entries of the broker in the memory of a leader, and when to look at which: at the due time of the firing ahead, or sooner where
 * something is to be mended. Ordered, so that any number of entries costs nothing while none is due.
 */
export class EntryBook {
  readonly #kept = new Map<string, KeptEntry>();
  readonly #times = new DueTimes();

  get size(): number {
    return this.#kept.size;
  }

  /** When to look at the next entry, epoch ms. */
  get next(): number | undefined {
    return this.#times.next;
  }

  get(name: string): KeptEntry | undefined {
    return this.#kept.get(name);
  }

  listNames(): string[] {
    return [...this.#kept.keys()];
  }

  /**
   * Replaces what is in it by what the broker has.
   *
   * @param unreadable names of entries that the broker has and this version of tq cannot read: what is known of them stays
   * @returns the names of those that are new or have changed
   */
  take(entries: readonly ScheduleEntry[], unreadable: ReadonlySet<string>, monotonicNow: number): string[] {
    const names = new Set(entries.map(({ name }) => name));
    for (const name of this.listNames()) {
      if (!names.has(name) && !unreadable.has(name)) this.#forget(name);
    }
    const changed: string[] = [];
    for (const entry of entries) {
      const { name, version } = entry;
      const before = this.#kept.get(name);
      if (before?.entry.version === version) continue;
      this.#kept.set(name, { ...before, entry, seenAt: monotonicNow, isVerified: false });
      changed.push(name);
    }
    return changed;
  }

  /** Looks at an entry then; one that is not in the book is left out. */
  lookAt(name: string, at: number): void {
    if (this.#kept.has(name)) this.#times.set(name, at);
  }

  /** There is nothing to wait for until the entry changes, or all are looked at. */
  rest(name: string): void {
    this.#times.delete(name);
  }

  /** Takes out which entries to look at now, in their order. */
  takeDue(now: number): string[] {
    return this.#times.takeUntil(now);
  }

  clear(): void {
    this.#kept.clear();
    this.#times.clear();
  }

  #forget(name: string): void {
    this.#kept.delete(name);
    this.#times.delete(name);
  }
}
