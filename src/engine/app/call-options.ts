import type { SignatureOptions } from '../canvas/signature-options.ts';

/** Options of one call. */
export interface CallOptions extends SignatureOptions {
  /** Its id; a call with an id that is stored already does nothing. Default a UUIDv7. */
  id?: string;
  /** Default that of the running task, if there is one, else the id of the first job. */
  requestId?: string;
  /**
   * Whether a job with the same key keeps this call from being stored, see `unique` of a task: false for no, a key in place of that of the
   * task, true for the key of the task (its arguments, if it has none). Default what the task says.
   */
  unique?: boolean | string | number;
}
