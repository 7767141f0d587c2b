/** How a job stands in its queue, and what its queue gives to workers now: what decides when it is taken. */
export interface JobStanding {
  readonly queue: QueueStanding;
  /** Waiting jobs that are taken before it, at most `STANDING_COUNTED`; null for a job that does not wait. */
  readonly before: number | null;
  /** How long the lock of an active job still runs, in milliseconds; null when it has none. */
  readonly lockLeftMs: number | null;
  /** Children that a blocked job still waits for. */
  readonly pending: number;
  /** Some of them, in no order. */
  readonly pendingChildren: readonly { readonly queue: string; readonly id: string }[];
}

export interface QueueStanding {
  /** By BullMQ's own pause. */
  readonly paused: boolean;
  readonly waiting: number;
  readonly active: number;
  /** BullMQ's limit of jobs of the queue that are active at once; null for none. */
  readonly concurrency: number | null;
  /** For how long BullMQ's rate limit of the queue gives out no job, in milliseconds; 0 when it gives. */
  readonly limitedForMs: number;
  /** What is left of the window of a rate limit that a BullMQ worker brings along, full or not, in milliseconds; 0 for none. */
  readonly windowMs: number;
  /** Workers that are connected to the queue, of any BullMQ client. */
  readonly consumers: number;
}

/** More jobs before one are not counted: on Redis that is a walk through a list. */
export const STANDING_COUNTED = 100_000;
