import type { JobRecord } from '../engine/core/job-record.ts';

/** Keeps jobs as they were, so that an operation on them can be undone. */
export interface UndoKeeper {
  /**
   * Resolves once the records are safe: call it before the jobs are changed or removed, a page at a time. A job that is kept and then
   * left alone does no harm: it is found as it was when the operation is undone.
   *
   * @param after where the operation puts the jobs; null when it removes them
   * @throws UNDO_NOT_KEPT when they cannot be kept; the operation then leaves these jobs alone
   */
  keep(records: readonly JobRecord[], after: KeptAfter | null): Promise<void>;
  /** Under which id it can be undone; null as long as nothing was kept. */
  readonly undo: string | null;
}

export interface KeptAfter {
  readonly queue: string;
  readonly place: JobRecord['place'];
}
