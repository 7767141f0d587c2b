/**
 * Everything that a store holds about one job, so that it can be removed and put back, in the same store or another one. Texts that
 * are JSON stay as they were written: a number beyond 2^53 is not changed by being moved.
 */
export interface JobRecord {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly place: RecordPlace;
  /** JSON: what the producer stored, envelope included. */
  readonly data: string;
  /**
   * The options that the producer stored, in BullMQ's words and at their full length (`failParentOnFailure`, not `fpof`): kept as they
   * are for BullMQ's own workers.
   */
  readonly options: Readonly<Record<string, unknown>>;
  /** BullMQ's priority: 0 is none, and low numbers go first. */
  readonly priority: number;
  /** Epoch ms. */
  readonly createdAt: number;
  /** What the producer asked for, in ms. */
  readonly delayMs: number;
  /** When a scheduled job is due, epoch ms. */
  readonly dueAt: number | null;
  readonly attemptsMade: number;
  readonly attemptsStarted: number;
  readonly workersLost: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly worker: string | null;
  /** The message of the last error. */
  readonly failure: string | null;
  /** As stored: the last line of one may be the mark of its attempt (attempt-line.ts). */
  readonly stacks: readonly string[];
  /** JSON. */
  readonly result: string | null;
  /** JSON. */
  readonly progress: string | null;
  /** BullMQ's deferred failure: where a revocation is marked. */
  readonly deferredFailure: string | null;
  /** The unique key, as stored. */
  readonly unique: string | null;
  /** The schedule entry that made it. */
  readonly schedulerId: string | null;
  readonly parent: RecordParent | null;
  readonly children: readonly RecordChild[];
  /** Oldest first. */
  readonly log: readonly string[];
  /**
   * Where it stood among the jobs of its place, in the numbers of its store: low ones come first. It says nothing to another store, so
   * whoever carries jobs from one to another leaves it out; without it a job is put back by its times.
   */
  readonly rank?: number;
  /** Its hold on the unique key; null when it held it no more. Not given, a job that has not ended is taken to hold its key. */
  readonly hold?: RecordHold | null;
}

export interface RecordHold {
  /** Epoch ms; null when it ends with the job. */
  readonly until: number | null;
}

/** Where a job stands; an active one is recorded as it is, and put back as a waiting one. */
export type RecordPlace = 'waiting' | 'active' | 'scheduled' | 'blocked' | 'dead' | 'completed';

/** The job that waits for this one. */
export interface RecordParent {
  readonly queue: string;
  readonly id: string;
  /** What the parent does when this child is a dead letter: `fail`, `remove` are BullMQ's own, the others those of `ParentJob`. */
  readonly onDead: 'start' | 'wait' | 'fail' | 'remove' | null;
}

/** A job that this one waits for, or has waited for. */
export interface RecordChild {
  readonly queue: string;
  readonly id: string;
  readonly end: 'pending' | 'done' | 'ignored' | 'failed';
  /** JSON of what it returned, or the text of what it failed with. */
  readonly value: string | null;
}
