import type { JobSummary, StoredJob } from '../core/job.ts';
import type { JobRecord, RecordPlace } from '../core/job-record.ts';
import type { JobFilter } from './job-filter.ts';

/**
 * Many jobs of one queue at once, for operators: what is asked for is named by ids, a page of at most `BULK_PAGE` in one call, so
 * that no call blocks the store for long and memory does not grow with the queue. Ids come back in the order in which they were given. Every store keeps the same promises
 * (test/engine/broker/contract/):
 *
 * 1. Each job is changed as a whole or not at all, and only if it still is where the caller saw it: what another one has touched
 *    meanwhile is left alone and is not among the ids that come back. A running job is never changed.
 * 2. A scan meets every job that is where it looks from its begin to its end, and none twice. One that comes, goes or moves
 *    meanwhile may be met or not. What is read changes nothing in the store.
 * 3. A job that is put back is what it was: id, data, times, attempts, error, log, place. What was first to run is so again.
 */
export interface BulkJobs {
  /** Pages of whole jobs. */
  scan(scan: JobScan): AsyncIterable<readonly StoredJob[]>;
  /** Pages of jobs without arguments and results. */
  scanSummaries(scan: JobScan): AsyncIterable<readonly JobSummary[]>;
  /** Pages of ids alone, for who reads the jobs by other means. */
  scanIds(scan: JobScan): AsyncIterable<readonly string[]>;
  /** These jobs, at most a page of them, in the order of the ids; what the queue does not hold is left out. */
  readJobs(ids: readonly string[]): Promise<StoredJob[]>;
  /** Everything about these jobs, in the order of the ids; what the queue does not hold is left out. */
  readRecords(ids: readonly string[]): Promise<JobRecord[]>;
  /**
   * Puts jobs into this queue as they are recorded, whatever queue they are of; makes the queue if it is not there. Active ones
   * become waiting ones. Doing it again changes nothing.
   *
   * A job that waits goes where it stood (`rank`), else before those that were made after it. A unique key is held again unless another job
   * holds it now. A parent that still waits waits for the job again; a job that has still to run and whose parent has gone on, or
   * knows how it ended, is refused. Parents and children may come in any order, and what has ended in between counts.
   *
   * @returns for each what became of it
   */
  restore(records: readonly JobRecord[]): Promise<Restored[]>;
  /**
   * Removes jobs, with log and unique key. A job whose schedule entry would end with it stays. A parent that waited for a removed job waits
   * for it no more, as with BullMQ's own removal. A job that waits for a child stays unless that child is among the ids and goes too:
   * BullMQ's own removal would take along children that the caller has not named and not recorded.
   *
   * @param from where the caller saw them
   * @returns those that were removed
   */
  remove(ids: readonly string[], from: readonly ScanPlace[]): Promise<string[]>;
  /**
   * Puts jobs into another queue of the broker, into the same place: nobody ever sees them in both or in none. Jobs that are
   * parents or children, and those of schedule entries, stay; so do those whose id the other queue has. Waiting ones go behind those of
   * that queue, in their order. A unique key goes with its job unless another job of that queue holds it.
   *
   * @returns those that were moved
   */
  move(ids: readonly string[], target: string, from: readonly ScanPlace[]): Promise<string[]>;
  /** Changes jobs that wait, are scheduled, blocked or dead. @returns those that were changed */
  rewrite(changes: readonly JobChange[]): Promise<string[]>;
  /**
   * Puts dead letters back into the queue as if they had never run: attempts, lost workers, revocation and error are forgotten;
   * the stacks of earlier attempts stay. A parent counts such a child as pending again.
   *
   * @returns those that went back
   */
  reprocess(jobs: readonly DeadJob[]): Promise<string[]>;
  /** Makes scheduled jobs waiting ones, due now. @returns those that were scheduled */
  promote(ids: readonly string[]): Promise<string[]>;
}

/** Jobs that one call may name. */
export const BULK_PAGE = 500;

export type ScanPlace = RecordPlace;

export interface JobScan {
  /** At least one; they are looked through in this order. */
  readonly places: readonly ScanPlace[];
  /**
   * `first` begins with what comes first in its place: what runs first, is due first, ended first; `last` with what comes last.
   * Default `first`.
   */
  readonly from?: 'first' | 'last';
  /** What the store may leave out by itself; it may also give more. */
  readonly filter?: JobFilter;
  /** Default and at most `BULK_PAGE`. */
  readonly pageSize?: number;
}

export interface JobChange {
  readonly id: string;
  /** JSON in place of the data; only if the data still is `seen`. */
  readonly data?: { readonly seen: string; readonly next: string };
  /** tq's 0 to 9. */
  readonly priority?: number;
  /** Epoch ms; only for a scheduled job. */
  readonly dueAt?: number;
}

export interface DeadJob {
  readonly id: string;
  /** When the death that the caller saw was, epoch ms: one that has run and died again since is left alone. Not given, any death will do. */
  readonly finishedAt?: number;
  /** JSON in place of the data. */
  readonly data?: string;
  /** A row for its log. */
  readonly note?: string;
}

export type Restored =
  | { readonly id: string; readonly kind: 'restored' }
  /** The queue holds a job of this id; it was left as it is. */
  | { readonly id: string; readonly kind: 'present' }
  /** It cannot be put back; nothing was changed. */
  | { readonly id: string; readonly kind: 'refused'; readonly reason: string };
