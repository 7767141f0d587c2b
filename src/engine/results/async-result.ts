import type { Broker } from '../broker/port.ts';
import type { Duration } from '../core/duration.ts';
import type { StoredError, StoredJob } from '../core/job.ts';
import type { JobState } from '../core/state.ts';

/** The job behind one call: its state, and its result once there is one. */
export interface AsyncResult<Result = unknown> {
  readonly id: string;
  readonly task: string | undefined;
  readonly queue: string | undefined;
  /** The call stored nothing: a job with the same unique key was there, and this is that job. False for what is no call. */
  readonly isDuplicate: boolean;
  state(): Promise<JobState>;
  /** Everything the broker holds about the job; undefined when it holds nothing. */
  job(): Promise<StoredJob | undefined>;
  /**
   * Waits for the job to end and gives its result.
   *
   * @throws TaskFailed, TaskRevoked, ResultTimeout, UNKNOWN_JOB
   */
  get(options?: { timeout?: Duration }): Promise<Result>;
  error(): Promise<StoredError | null>;
  /** Attempts that ended, plus the running one; 0 for a job that has not started or is unknown. */
  attempts(): Promise<number>;
  /** What the task last gave to `context().progress()`; null without it. */
  progress(): Promise<unknown>;
  /** Removes the job and its result from the broker, if it has finished. */
  forget(): Promise<boolean>;
}

export type OpenBroker = () => Promise<Broker>;
