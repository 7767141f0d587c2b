/** What lies in a queue that should not, or that has stopped. */
export interface QueueLeftovers {
  readonly queue: string;
  /** Unique keys without an end whose job is not stored: no call with such a key is ever stored again. */
  readonly strayKeys: readonly StrayKey[];
  /** Jobs whose record is stored, and that stand in no list; null where the queue is too long to look. */
  readonly orphans: readonly string[] | null;
  readonly events: EventLogLength;
  readonly schedules: readonly ScheduleState[];
}

export interface StrayKey {
  /** As the store has it. */
  readonly key: string;
  /** Id of the job that had it. */
  readonly holder: string;
}

export interface EventLogLength {
  readonly length: number;
  /** What the log is cut to; stores let it grow somewhat longer. */
  readonly bound: number;
}

/** A job scheduler of BullMQ. */
export interface ScheduleState {
  readonly id: string;
  /** When it fires next, epoch ms. */
  readonly nextAt: number;
  /** The job of that firing is stored and has not ended. */
  readonly hasNext: boolean;
  /** By its schedule there is no firing after that one. */
  readonly isLast: boolean;
  /** It is one of tq, and not of plain BullMQ. */
  readonly isOwn: boolean;
}

/** What was removed. */
export interface RemovedLeftovers {
  readonly keys: number;
  readonly orphans: number;
  readonly events: number;
}

/** Logs grow beyond their bound until they are cut again; this much longer is more than that. */
const OVERGROWN = 3;

export function isOvergrown({ length, bound }: EventLogLength): boolean {
  return length > bound * OVERGROWN;
}
