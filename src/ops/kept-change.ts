import type { BulkJobs } from '../engine/broker/bulk-port.ts';
import { RecordSlices } from '../engine/jobs/record-slices.ts';
import type { KeptAfter, UndoKeeper } from './undo-keeper.ts';

/**
 * Changes jobs of one queue that are kept first: for each slice of them it reads the records, keeps them, changes the jobs and says
 * which were left alone. Memory stays flat, however large the jobs are.
 */
export class KeptChange {
  readonly #bulk: BulkJobs;
  readonly #keeper: UndoKeeper | undefined;
  readonly #slices = new RecordSlices();

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
    for await (const records of this.#slices.read(this.#bulk, ids)) {
      await this.#keeper.keep(records, after);
      const done = await change(records.map(({ id }) => id));
      const those = new Set(done);
      this.#keeper.left(records.filter(({ id }) => !those.has(id)));
      changed.push(...done);
    }
    return changed;
  }
}
