import type { Duration } from '../core/duration.ts';
import type { CallRetryOptions } from '../core/retry-policy.ts';

/** Options of one call. */
export interface CallOptions {
  queue?: string;
  /** 0 to 9, 9 first. Needs a queue with priorities. */
  priority?: number;
  /** Starts no earlier than this long from now. */
  countdown?: Duration;
  /** Starts no earlier than this instant: a Date, an ISO 8601 text or epoch milliseconds. */
  eta?: Date | string | number;
  /** Revoked if it has not started within this time, or by this instant. */
  expires?: Duration | Date;
  /** Its id; a call with an id that is stored already does nothing. Default a UUIDv7. */
  id?: string;
  /** Texts that travel with the job; the task reads them from `context().headers`. */
  headers?: Readonly<Record<string, string>>;
  /** Default that of the running task, if there is one, else the id of the first job. */
  requestId?: string;
  softTimeLimit?: Duration;
  timeLimit?: Duration;
  /** Replaces parts of the task's retry policy for this call; false turns retries off. */
  retry?: CallRetryOptions | false;
  resultExpires?: Duration;
  /**
   * Whether a job with the same key keeps this call from being stored, see `unique` of a task: false for no, a key in place of that of the
   * task, true for the key of the task (its arguments, if it has none). Default what the task says.
   */
  unique?: boolean | string | number;
  /** Keeps no result: the job is removed when it succeeds. */
  ignoreResult?: boolean;
}
