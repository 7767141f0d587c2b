import type { LineOptions, LinePlace } from '../core/line.ts';

/**
 * State beyond jobs: what workers, beats and operators must agree on. Names of workers, leaders, paused tasks, limits across
 * workers, records of operations. Nothing of it is needed to run a plain job.
 *
 * Keys are paths (`worker/name/tq@host`), values text, mostly JSON. Every entry may have an end, after which it counts for
 * nothing; instants are those of the store's own clock, so that machines need not agree on the time. Every store keeps the
 * same promises (test/engine/broker/contract/state.ts):
 *
 * 1. Each call is atomic. Of several writers that expect the same version, one wins.
 * 2. A version is never used again for the same key while the entry lives, and never given twice in a row after it ended.
 * 3. A lease has one holder; it ends by release or when it is not renewed in time.
 * 4. No two callers get the same instant of a line, and no more places are occupied at once than there are.
 */
export interface StateStore {
  /** The entry, or undefined when there is none or its time is over. */
  read(key: string): Promise<StateEntry | undefined>;
  /**
   * Writes an entry.
   *
   * @param expected the version that the entry must have now; null when there must be none; not given, it is overwritten
   * @returns the new version; undefined when the expectation was wrong, and nothing was written
   */
  write(key: string, value: string, options?: StateWrite): Promise<string | undefined>;
  /** @returns whether there was such an entry, and of the expected version if one is given */
  remove(key: string, expected?: string): Promise<boolean>;
  /** @returns how many of these entries there were, of the versions that are given */
  removeAll(entries: readonly { readonly key: string; readonly version?: string }[]): Promise<number>;
  /** The entries whose key begins so, by key, bytewise; with `after` those that stand after this key. */
  list(prefix: string, limit?: number, after?: string): Promise<StateEntry[]>;
  /** The last of them, the last first; with `before` the last of those that stand before this key. */
  listBack(prefix: string, limit: number, before?: string): Promise<StateEntry[]>;
  /** How many entries there are whose key begins so. Some whose time is over may still be counted. */
  size(prefix: string): Promise<number>;
  /**
   * Adds to a counter. A counter that is new, or whose time is over, starts at 0 and lives for `ttlMs`.
   *
   * @returns the sum with `by`, and for how long it still counts
   */
  count(key: string, by: number, ttlMs: number): Promise<{ readonly total: number; readonly leftMs: number }>;
  /**
   * Takes a lease, or renews it when the holder has it.
   *
   * @returns who holds it now: the caller, or another one
   */
  lease(key: string, holder: string, ttlMs: number): Promise<{ readonly holder: string; readonly leftMs: number }>;
  /** @returns whether the holder had it */
  release(key: string, holder: string): Promise<boolean>;
  /** Takes the next free instant of a line (core/line.ts). A line that nobody used for a while is forgotten. */
  reserve(key: string, options: LineOptions): Promise<LinePlace>;
  /** Takes one of the places under this key, or renews it when the holder has one. Places that were not renewed are free. */
  occupy(key: string, holder: string, options: PlaceOptions): Promise<Occupation>;
  /** Who has the places under this key, in no order. */
  listHolders(key: string): Promise<string[]>;
  /** @returns whether the holder had a place */
  vacate(key: string, holder: string): Promise<boolean>;
}

export interface PlaceOptions {
  /** How many there are. */
  readonly places: number;
  readonly ttlMs: number;
}

export interface Occupation {
  readonly taken: boolean;
  /** Places that are still free. */
  readonly free: number;
  /** Until the first of the places that are occupied is free again, if nobody renews or vacates it. */
  readonly leftMs: number;
}

export interface StateEntry {
  readonly key: string;
  readonly value: string;
  /** Opaque; compared, never ordered. */
  readonly version: string;
  /** How long it still counts, in milliseconds; null when it has no end. */
  readonly leftMs: number | null;
}

export interface StateWrite {
  readonly expected?: string | null;
  /** From now; without it the entry has no end. */
  readonly ttlMs?: number;
}
