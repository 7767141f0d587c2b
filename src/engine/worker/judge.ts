import { createError, messageOf, TqError } from '../core/errors.ts';
import { type Outcome, toStoredError } from '../core/job.ts';
import { isRetryable, NO_RETRY, parseRetry, type RetryPolicy, retryDelayMs } from '../core/retry-policy.ts';
import { type Revocation, revokedOutcome } from '../core/revocation.ts';
import type { TaskDefinition } from '../task/definition.ts';
import { Ignore, Reject, Replaced, Retry } from '../task/exceptions.ts';
import { handBack } from './at-most-once.ts';
import type { AttemptJob } from './attempt-job.ts';

type JudgedJob = Pick<AttemptJob, 'id' | 'task' | 'attempts' | 'meta'>;

interface Case {
  /** What the attempt threw. */
  readonly error: unknown;
  readonly job: JudgedJob;
  readonly definition: TaskDefinition;
  readonly random: () => number;
  /** The worker has asked its tasks to stop. */
  readonly stopping: boolean;
  /** The job was revoked while it ran. */
  readonly revoked?: Revocation | undefined;
}

/**
 * What becomes of an attempt that threw: the whole retry policy in one place. Pure but for the policy's own functions.
 *
 * - an attempt whose job was revoked while it ran ends the job as REVOKED, whatever it threw;
 * - `Replaced` gives the job the value of a workflow;
 * - `Ignore` ends the job without a result; `Reject` and arguments that do not fit make it a dead letter;
 * - an attempt that gave up because the worker stops is handed back, and costs nothing; a job that may be started only once is a dead
 *   letter, also where it asks for a retry;
 * - `Retry` is granted as long as retries are left, anything else also if the policy's `on` and `except` let it.
 */
export function judge({ error, job, definition, random, stopping, revoked }: Case): Outcome {
  if (revoked !== undefined) return revokedOutcome(revoked);
  if (isNamed(error, Replaced)) return { kind: 'replaced', graph: error.graph };
  if (isNamed(error, Ignore)) return { kind: 'ended', state: 'IGNORED', reason: error.message };
  if (isNamed(error, Reject)) {
    return dead(createError('REJECTED', { task: job.task, reason: error.message }, error.cause ?? error));
  }
  if (isFinal(error)) return dead(error);
  if (stopping && !isLimit(error)) return handBack(definition);
  const policy = policyOf(job, definition);
  const asked = isNamed(error, Retry) ? error : undefined;
  // The cause of a Retry is what failed; the Retry itself says only that another attempt is wanted.
  const failure = asked?.cause ?? error;
  if (asked !== undefined && definition.delivery === 'at-most-once') {
    const what = `retry() in task "${job.task}"`;
    const given = `a retry after: ${messageOf(failure)}`;
    return dead(
      createError('INVALID_OPTION', { what, expected: 'left out with delivery "at-most-once"', given }, failure),
    );
  }
  const retries = job.attempts - 1;
  const max = asked?.max ?? policy.max;
  if (retries >= max || (asked === undefined && !isAllowed(failure, policy))) return dead(failure);
  const delayMs = asked?.countdownMs ?? waitOf(policy, retries + 1, failure, random);
  return { kind: 'retry', delayMs, error: toStoredError(failure) };
}

function dead(error: unknown): Outcome {
  return { kind: 'dead', error: toStoredError(error) };
}

/** An exception of tq may come from a second copy of the package (the app's own), so its name counts too. */
function isNamed<Class extends Error>(
  error: unknown,
  Exception: { new (...args: never[]): Class; readonly name: string },
): error is Class {
  return error instanceof Exception || (error instanceof Error && nameOf(error) === Exception.name);
}

/** A getter of the application's error may throw; then it has no name that we know. */
function nameOf(error: Error): string | undefined {
  try {
    return error.name;
  } catch {
    return undefined;
  }
}

const FINAL = new Set(['INVALID_ARGUMENTS', 'NOT_JSON', 'INVALID_PAYLOAD']);

/** The job itself is wrong: running it again gives the same. */
function isFinal(error: unknown): boolean {
  return error instanceof TqError && FINAL.has(error.code);
}

/** A limit that passed is the task's own failure, also while the worker stops. */
function isLimit(error: unknown): boolean {
  return error instanceof TqError && (error.code === 'TIME_LIMIT' || error.code === 'SOFT_TIME_LIMIT');
}

function policyOf(job: JudgedJob, definition: TaskDefinition): RetryPolicy {
  const { retry } = job.meta;
  if (definition.delivery === 'at-most-once') return NO_RETRY;
  if (retry === undefined) return definition.retry;
  try {
    return parseRetry(retry, `retry of job ${job.id}`, definition.retry);
  } catch {
    // A foreign producer may write anything there; the task's own policy is the safe reading.
    return definition.retry;
  }
}

/** An own backoff function may throw or give nonsense; the error that it was asked about must not be lost over that. */
function waitOf(policy: RetryPolicy, retry: number, error: unknown, random: () => number): number {
  try {
    return retryDelayMs(policy, retry, error, random);
  } catch {
    return retryDelayMs({ ...policy, backoff: 'exponential' }, retry, error, random);
  }
}

/** A predicate of the application may throw; then the error is retried, because a retry loses nothing. */
function isAllowed(error: unknown, policy: RetryPolicy): boolean {
  try {
    return isRetryable(error, policy);
  } catch {
    return true;
  }
}
