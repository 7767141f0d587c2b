import type { JobRecord } from '../engine/core/job-record.ts';

/** Keeps jobs as they were, so that an operation on them can be undone. */
export interface UndoKeeper {
  /**
   * Resolves once the records are safe: call it before the jobs are changed or removed, a page at a time. A job that is kept and then
   * left alone is to be named to `left`.
   *
   * @param after where the operation puts the jobs; null when it removes them
   * @throws UNDO_NOT_KEPT when they cannot be kept; the operation then leaves these jobs alone
   */
  keep(records: readonly JobRecord[], after: KeptAfter | null): Promise<void>;
  /**
   * As `keep`, for jobs that are about to be added: undone, they are removed.
   *
   * @param records the jobs as they will be
   */
  keepNew(records: readonly JobRecord[]): Promise<void>;
  /**
   * Jobs that were kept and then not changed, because another one had touched them. Undoing leaves them alone: such a job may run, end
   * and be forgotten, and must not be put back then. Call it before the page after the next is kept.
   */
  left(jobs: readonly KeptJob[]): void;
  /** Under which id it can be undone; null as long as nothing was kept. */
  readonly undo: string | null;
}

export interface KeptAfter {
  readonly queue: string;
  readonly place: JobRecord['place'];
  /** The data that the operation gives to jobs, by their ids: one that was edited again is left alone when it is undone. */
  readonly data?: Readonly<Record<string, string>>;
  /** When they have run, by their ids, where the operation changes that: it puts back what was there before. */
  readonly ran?: Readonly<Record<string, KeptTimes>>;
}

export type KeptTimes = Pick<JobRecord, 'startedAt' | 'finishedAt'>;

export type KeptJob = Pick<JobRecord, 'id' | 'queue'>;

/** A keeper as the gate holds it. */
export interface ClosableKeeper extends UndoKeeper {
  /** Ends the bundle. Call it once, when the operation is over, however it ended. */
  close(): Promise<KeptBundle | null>;
}

/** What was kept of a run. */
export interface KeptBundle {
  readonly id: string;
  readonly host: string;
  /** Absolute path on that host. */
  readonly file: string;
  readonly records: number;
  /** Of the file. */
  readonly bytes: number;
}
