import { catalogue, type ErrorCode, type ErrorFacts, type ExitCode } from './error-catalogue.ts';

/**
 * The base of every error that tq throws. `code` is stable and meant for programs, `message` for people; `next` is
 * the step that most often mends it, and `cause` the error below it, if there was one.
 */
export class TqError extends Error {
  readonly code: ErrorCode;
  readonly next: string;
  readonly exitCode: ExitCode;

  constructor(code: ErrorCode, text: { message: string; next: string }, cause?: unknown) {
    super(text.message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.next = text.next;
    this.exitCode = catalogue[code].exit;
    this.name = catalogue[code].name;
  }
}

/** The arguments of a call do not fit the schema of its task. */
export class InvalidArguments extends TqError {}
/** A task name that is not registered. */
export class UnknownTask extends TqError {}
/** The broker cannot be reached, or was lost and did not come back in time. */
export class BrokerUnavailable extends TqError {}
/** `get()` on a job that is a dead letter; `cause` is the error as the worker stored it. */
export class TaskFailed extends TqError {}
/**
 * `get()` on a job that was revoked, or had expired before it could start; and the reason of `context().signal` when a job is
 * revoked while it runs.
 */
export class TaskRevoked extends TqError {
  /** Who revoked it, where that is known. */
  declare readonly by?: string | null;
  /** Of a signal: nobody waits for the function to end. */
  declare readonly terminate?: boolean;
}
/** `get({ timeout })` on a job that is not finished in time. */
export class ResultTimeout extends TqError {}
/** The reason of `context().signal` when the soft time limit has passed. */
export class SoftTimeLimitExceeded extends TqError {}
/** A task ran longer than its time limit. */
export class TimeLimitExceeded extends TqError {}
/** The worker that ran a job died too often. */
export class WorkerLost extends TqError {}

const classes: Partial<Record<ErrorCode, typeof TqError>> = {
  INVALID_ARGUMENTS: InvalidArguments,
  UNKNOWN_TASK: UnknownTask,
  UNKNOWN_TASK_GIVEN_UP: UnknownTask,
  BROKER_UNAVAILABLE: BrokerUnavailable,
  TASK_FAILED: TaskFailed,
  TASK_REVOKED: TaskRevoked,
  RESULT_TIMEOUT: ResultTimeout,
  SOFT_TIME_LIMIT: SoftTimeLimitExceeded,
  TIME_LIMIT: TimeLimitExceeded,
  WORKER_LOST: WorkerLost,
};

/**
 * Builds the error of the catalogue with this code.
 *
 * @param facts what the entry's text needs to name: the thing it was done to, the value given, near names
 * @param cause the error below this one; kept, never printed in place of the message
 */
export function createError<Code extends ErrorCode>(code: Code, facts: ErrorFacts<Code>, cause?: unknown): TqError {
  const text = catalogue[code].text as (facts: ErrorFacts<Code>) => { message: string; next: string };
  const Class = classes[code] ?? TqError;
  return new Class(code, text(facts), cause);
}

/** The message of anything that was thrown: Error or not. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.message === '') return thrown.errors.map(messageOf).join('; ');
  if (thrown instanceof Error) return thrown.message;
  return String(thrown);
}
