import { BULK_PAGE, type BulkJobs } from '../engine/broker/bulk-port.ts';
import type { KeptAfter, UndoKeeper } from './undo-keeper.ts';

/** Characters of data that are read at once to be kept: jobs with large arguments come in smaller slices. */
const SLICE_LENGTH = 8 * 2 ** 20;

/**
 * Changes jobs of one queue that are kept first: for each slice of them it reads the records, keeps them, changes the jobs and says
 * which were left alone. Memory stays flat, however large the jobs are.
 */
export class KeptChange {
  readonly #bulk: BulkJobs;
  readonly #keeper: UndoKeeper | undefined;
  #size = 64;

  constructor(bulk: BulkJobs, keeper: UndoKeeper | undefined) {
    this.#bulk = bulk;
    this.#keeper = keeper;
  }

  /**
   * @param ids at most `BULK_PAGE`
   * @param after where the jobs are afterwards; null when they are removed
   * @param change changes these jobs, and says which it changed
   * @returns those that were changed
   * @throws UNDO_NOT_KEPT
   */
  async apply(
    ids: readonly string[],
    after: KeptAfter | null,
    change: (ids: readonly string[]) => Promise<readonly string[]>,
  ): Promise<string[]> {
    if (this.#keeper === undefined) return ids.length === 0 ? [] : [...(await change(ids))];
    const changed: string[] = [];
    for (let from = 0; from < ids.length; ) {
      const slice = ids.slice(from, from + this.#size);
      from += slice.length;
      const records = await this.#bulk.readRecords(slice);
      if (records.length === 0) continue;
      await this.#keeper.keep(records, after);
      const done = await change(records.map(({ id }) => id));
      const those = new Set(done);
      this.#keeper.left(records.filter(({ id }) => !those.has(id)));
      changed.push(...done);
      const length = records.reduce((sum, { data, result }) => sum + data.length + (result?.length ?? 0), 0);
      this.#size = Math.min(BULK_PAGE, Math.max(1, Math.floor((SLICE_LENGTH * records.length) / Math.max(length, 1))));
    }
    return changed;
  }
}
