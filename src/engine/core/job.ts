import type { AttemptMark } from './attempt-line.ts';
import type { Meta } from './envelope.ts';
import type { ErrorText } from './error-catalogue.ts';
import type { EXACT_NUMBERS } from './query/query-path.ts';
import type { Revocation } from './revocation.ts';
import type { JobState } from './state.ts';
import type { WorkflowGraph } from './workflow/graph.ts';

/** An error as it is kept with a job: what JSON can carry of it. */
export interface StoredError {
  readonly name: string;
  readonly message: string;
  /** The `code` of the error, as tq's and Node's own errors have it. */
  readonly code: string | null;
  readonly stack: string | null;
}

/** An attempt that failed, as far as it is known: one of another worker than tq's has no times, unless it was the last. */
export interface FailedAttempt extends Omit<AttemptMark, 'number'> {
  /** From 1, and from 1 again after the job was reprocessed. */
  readonly number: number | null;
  readonly error: StoredError;
  /** The job has been reprocessed since. */
  readonly isEarlier: boolean;
}

/** A job as the broker holds it, in tq's words. Instants are epoch milliseconds of the wall clock. */
export interface StoredJob {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly state: JobState;
  readonly args: readonly unknown[];
  readonly meta: Meta;
  /** 0 to 9, 9 first; null on a queue without priorities. */
  readonly priority: number | null;
  readonly createdAt: number;
  /** When a SCHEDULED or RETRY job is due. */
  readonly dueAt: number | null;
  /** Start of the latest attempt. */
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  /** Attempts that ended, plus the running one. Handing a job back or putting it back is not an attempt. */
  readonly attempts: number;
  /** Times that the worker of the job was lost. */
  readonly workersLost: number;
  /** Name of the worker that ran it last. */
  readonly worker: string | null;
  readonly progress: unknown;
  readonly result: unknown;
  readonly error: StoredError | null;
  /** Why an IGNORED or REVOKED job ended, or is going to. */
  readonly reason: string | null;
  /** Stacks of the failed attempts, oldest first, at most ten. */
  readonly stacks: readonly string[];
  /** The same attempts with all that is known of them. */
  readonly failures: readonly FailedAttempt[];
  /** The key that lets one job of its kind be there at a time; null for a job that has none. It may be held no more. */
  readonly unique: string | null;
  /** Set when the stored data is not JSON: `args` then holds the raw text. */
  readonly unreadable: string | null;
  /** It was revoked and has not ended yet: one that waits is never run, one that runs is not retried. */
  readonly revoked?: Revocation | undefined;
  /** Set when its arguments hold numbers that a double cannot. */
  readonly [EXACT_NUMBERS]?: ReadonlyMap<string, string> | undefined;
}

/** A job without what may be large. The words are those of `StoredJob`. */
export interface JobSummary
  extends Pick<
    StoredJob,
    | 'id'
    | 'task'
    | 'queue'
    | 'state'
    | 'attempts'
    | 'worker'
    | 'createdAt'
    | 'dueAt'
    | 'startedAt'
    | 'finishedAt'
    | 'progress'
  > {
  /** Its text may be cut; it has no stack. */
  readonly error: StoredError | null;
  /** Of the error; the same for errors of one kind. See core/fingerprint.ts. */
  readonly fingerprint: string | null;
  readonly reason: string | null;
  readonly revoked: Revocation | undefined;
}

/** A job on its way to the broker. */
export interface NewJob {
  readonly id: string;
  readonly task: string;
  readonly args: readonly unknown[];
  /** The arguments as JSON, if they have been written already. */
  readonly argsJson?: string;
  readonly meta: Meta;
  readonly createdAt: number;
  /** Milliseconds from createdAt until it may start. */
  readonly delayMs?: number;
  /** 0 to 9, 9 first. Only for a queue with priorities. */
  readonly priority?: number;
  /** Keeps no result: the job is removed when it succeeds. */
  readonly ignoreResult?: boolean;
  /** Not stored while another job of the queue holds its key. */
  readonly unique?: UniqueHold;
  /** It is a child of this job, which is stored already or comes before it. */
  readonly parent?: ParentJob;
}

/** A job that waits for this one. */
export interface ParentJob {
  readonly queue: string;
  readonly id: string;
  /**
   * What the parent does when this child is a dead letter: `start` at once, whatever other children it has, or go on to `wait` for
   * them. It can read which children are dead in either case.
   */
  readonly onDead: 'start' | 'wait';
}

/** What the children of a job have come to. */
export interface JobChildren {
  /** How many have not ended. */
  readonly pending: number;
  /** Those that have ended without being dead letters, by id: one queue's ids are no other's, for tq's ids are unique. */
  readonly ended: ReadonlyMap<string, ChildEnd>;
  /** Those that are dead letters, by id, and what they failed with. */
  readonly dead: ReadonlyMap<string, string>;
}

export type ChildEnd =
  | { readonly state: 'SUCCESS'; readonly value: unknown }
  | { readonly state: 'IGNORED' | 'REVOKED' | 'FAILURE'; readonly reason: string };

/** One job at a time for a key. It is held until the job ends, also as a dead letter, or is removed. */
export interface UniqueHold {
  /** Of its queue; begins with the task. */
  readonly key: string;
  /** Ends the hold this long after the call, whatever becomes of the job; its end is then no end of the hold. */
  readonly ttlMs?: number;
}

/**
 * How an attempt ended: a closed set. What the broker is told for each:
 *
 * - `succeeded`: complete, with the result;
 * - `ended`: complete, with a marker that says IGNORED or REVOKED, so it is never a dead letter;
 * - `retry`: one attempt is charged, the job is due again after `delayMs`;
 * - `dead`: one attempt is charged, the job becomes a dead letter;
 * - `postponed`: no attempt is charged, the job is due again after `delayMs` (its task is unknown here);
 * - `held`: no attempt is charged, the job is due again after `delayMs` (a pause or a limit of its task holds it back);
 * - `lost`: no attempt is charged but a lost worker is counted, the job is due again after `delayMs` (the process that ran
 *   it has died);
 * - `released`: no attempt is charged, the job goes back to its queue at once (the worker is stopping);
 * - `blocked`: no attempt is charged, the job waits for its children again; when none is pending any more, it goes back to its queue;
 * - `failed`: complete, with a marker that says FAILURE and why: its state is that of a dead letter, but it is none, since what
 *   failed is another job (a step of the workflow that it stands for);
 * - `replaced`: the job asks to have the value of this graph; its worker adds the graph's jobs as children of it and makes that
 *   `blocked`, so the broker is never told.
 */
export type Outcome =
  | { readonly kind: 'succeeded'; readonly result: unknown }
  | { readonly kind: 'ended'; readonly state: 'IGNORED' | 'REVOKED'; readonly reason: string }
  | { readonly kind: 'retry'; readonly delayMs: number; readonly error: StoredError }
  | { readonly kind: 'dead'; readonly error: StoredError }
  | { readonly kind: 'postponed'; readonly delayMs: number; readonly note: string }
  | { readonly kind: 'held'; readonly delayMs: number }
  | { readonly kind: 'lost'; readonly delayMs: number; readonly error: StoredError }
  | { readonly kind: 'released' }
  | { readonly kind: 'blocked' }
  | { readonly kind: 'failed'; readonly error: StoredError }
  | { readonly kind: 'replaced'; readonly graph: WorkflowGraph };

/**
 * Reads what was thrown into what is kept; the stack's first line carries the code as Node prints it: `Name [CODE]: message`.
 * Never throws, whatever was thrown: a task's odd error must not become one of ours.
 */
export function toStoredError(thrown: unknown): StoredError {
  try {
    return isErrorLike(thrown)
      ? readError(thrown)
      : { name: 'Error', message: String(thrown), code: null, stack: null };
  } catch {
    return { name: 'Error', message: 'a thrown value that cannot be shown', code: null, stack: null };
  }
}

/** Errors of another realm (a vm context, a test runner) are no instances of our Error. */
function isErrorLike(thrown: unknown): thrown is Error {
  return thrown instanceof Error || Object.prototype.toString.call(thrown) === '[object Error]';
}

function readError(error: Error): StoredError {
  const { name, message, stack, code, next } = error as Error & { code?: unknown } & Partial<ErrorText>;
  return {
    name: String(name),
    message: typeof next === 'string' ? `${String(message)} (${next})` : String(message),
    code: typeof code === 'string' || typeof code === 'number' ? String(code) : null,
    stack: typeof stack === 'string' ? stack : null,
  };
}
