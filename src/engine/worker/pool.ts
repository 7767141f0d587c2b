import type { TakenJob } from '../broker/port.ts';
import type { Outcome } from '../core/job.ts';
import type { Revocation } from '../core/revocation.ts';

/**
 * What runs the jobs of a worker (design.md §6). Two of them: `async` runs them in the event loop of this process,
 * `prefork` hands them to child processes.
 *
 * 1. `start` makes it ready for jobs.
 * 2. `perform` is called once for each job that the consumer took; it never rejects. A job that finds no place waits for one,
 *    not for long, and goes back to its queue untouched.
 * 3. A worker that stops calls `refuse`, then perhaps `abortAll`, then perhaps `releaseAll`, and `stop` when nothing runs.
 */
export interface Pool {
  /** Jobs that may run at once. */
  readonly size: number;
  /** Jobs that are wanted now: fewer than `size` while a child is missing, more while jobs are very short. At least one. */
  readonly capacity: number;
  /**
   * Resolves when jobs can be run, or when the pool was stopped before it came to that.
   *
   * @throws what keeps it from running any: an app that children cannot load, the hook `processStart`
   */
  start(): Promise<void>;
  perform(job: TakenJob): Promise<Outcome>;
  /** Changes `size`, at least one. Jobs that run are not disturbed; `capacity` follows when it can. */
  resize(size: number): void;
  /** From now on, every job that is taken is handed back untouched. */
  refuse(): void;
  /** Aborts the signals of all running tasks. */
  abortAll(): void;
  /** Hands all running jobs back to their queues, whatever their functions do. */
  releaseAll(): void;
  /**
   * Ends a job because it was revoked: aborts its signal, and with `terminate` waits for its function no more, whose process
   * is ended where it has one of its own. A job that has not begun is not begun; its `revoked` is set then.
   *
   * @returns whether its function had begun
   */
  revoke(
    job: Pick<TakenJob, 'id' | 'queue'>,
    order: { readonly revocation: Revocation; readonly terminate: boolean },
  ): boolean;
  /** Ends what `start` began. Never throws; may be called without a start, and during one. */
  stop(): Promise<void>;
  /** Jobs that had started and went back to their queues. */
  readonly handedBack: number;
  readonly running: ReadonlySet<RunningJob>;
  /** Process ids of the children that live, in any state. */
  readonly children: readonly number[];
}

/** What a pool tells its worker. */
export interface PoolListener {
  /** `capacity` has changed. */
  readonly onCapacity: (capacity: number) => void;
}

/** A job while it runs. */
export interface RunningJob {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  /** From 1. */
  readonly attempt: number;
  /** Of the process that runs it; this one when it is not given. */
  readonly pid?: number | undefined;
}
