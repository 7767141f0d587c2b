import { type Duration, parseDuration } from './duration.ts';
import { createError } from './errors.ts';
import { assertKnownOptions } from './known-options.ts';

// biome-ignore lint/suspicious/noExplicitAny: an error class may take any arguments
export type ErrorClass = abstract new (...args: any[]) => Error;
/** Which errors: one class, several, or a predicate. */
export type ErrorMatcher = ErrorClass | readonly ErrorClass[] | ((error: unknown) => boolean);
/** The wait before a retry, in milliseconds or as a text; `retry` counts from 1. */
export type BackoffFunction = (retry: number, error: unknown) => Duration;

export interface RetryOptions {
  /** Retries after the first attempt, so attempts = max + 1. Default 3. */
  max?: number;
  /** The wait before the first retry. Default 1 s. */
  delay?: Duration;
  /** exponential: delay·2^(n−1); linear: delay·n; fixed: delay; or an own function. Default exponential. */
  backoff?: 'exponential' | 'linear' | 'fixed' | BackoffFunction;
  /** No wait is longer. Default 10 min. */
  maxDelay?: Duration;
  /** Full jitter: the wait is drawn evenly from 0 to the computed one. Default true. */
  jitter?: boolean;
  /** Retry only these errors. Default all. */
  on?: ErrorMatcher;
  /** Never retry these. */
  except?: ErrorMatcher;
}

/** The part of a policy that one call may set: what JSON can carry. */
export type CallRetryOptions = Omit<RetryOptions, 'on' | 'except' | 'backoff'> & {
  backoff?: 'exponential' | 'linear' | 'fixed';
};

/** A call's retry options as they stand in the envelope: durations in milliseconds. */
export interface StoredRetry {
  readonly max?: number;
  readonly delay?: number;
  readonly backoff?: 'exponential' | 'linear' | 'fixed';
  readonly maxDelay?: number;
  readonly jitter?: boolean;
}

export interface RetryPolicy {
  readonly max: number;
  readonly delayMs: number;
  readonly backoff: 'exponential' | 'linear' | 'fixed' | BackoffFunction;
  readonly maxDelayMs: number;
  readonly jitter: boolean;
  readonly on?: ErrorMatcher;
  readonly except?: ErrorMatcher;
}

const DEFAULTS: RetryPolicy = { max: 3, delayMs: 1000, backoff: 'exponential', maxDelayMs: 600_000, jitter: true };

/** No retries: what a task has that asks for none. */
export const NO_RETRY: RetryPolicy = { ...DEFAULTS, max: 0 };

const KEYS = ['max', 'delay', 'backoff', 'maxDelay', 'jitter', 'on', 'except'];

/**
 * Checks retry options and fills in the defaults.
 *
 * @param owner names them in an error, for example `retry of task "email.send"`
 * @param base what they start from: the defaults, or the task's policy when one call changes a part of it
 * @throws INVALID_OPTION, UNKNOWN_OPTION, INVALID_DURATION
 */
export function parseRetry(options: RetryOptions | false, owner: string, base: RetryPolicy = DEFAULTS): RetryPolicy {
  if (options === false) return NO_RETRY;
  assertKnownOptions(options, KEYS, owner);
  const { max = base.max, backoff = base.backoff, jitter = base.jitter, on = base.on, except = base.except } = options;
  if (!Number.isInteger(max) || max < 0 || max > 1000) {
    throw createError('INVALID_OPTION', {
      what: `max in ${owner}`,
      expected: 'a whole number from 0 to 1000',
      given: String(max),
    });
  }
  if (typeof backoff !== 'function' && !['exponential', 'linear', 'fixed'].includes(backoff)) {
    throw createError('INVALID_OPTION', {
      what: `backoff in ${owner}`,
      expected: '"exponential", "linear", "fixed" or a function',
      given: JSON.stringify(backoff),
    });
  }
  return {
    max,
    delayMs: options.delay === undefined ? base.delayMs : parseDuration(options.delay, `delay in ${owner}`),
    backoff,
    maxDelayMs:
      options.maxDelay === undefined ? base.maxDelayMs : parseDuration(options.maxDelay, `maxDelay in ${owner}`),
    jitter,
    ...(on !== undefined && { on }),
    ...(except !== undefined && { except }),
  };
}

/** The retry options of one call, checked, as they go into the envelope. */
export function storeRetry(options: CallRetryOptions | false, owner: string): StoredRetry | false {
  if (options === false) return false;
  const { on, except, ...policy } = parseRetry(options, owner);
  if (on !== undefined || except !== undefined || typeof policy.backoff === 'function') {
    throw createError('INVALID_OPTION', {
      what: owner,
      expected: 'max, delay, backoff (by name), maxDelay and jitter; functions and classes belong to the task',
      given: Object.keys(options).join(', '),
    });
  }
  return {
    ...(options.max !== undefined && { max: policy.max }),
    ...(options.delay !== undefined && { delay: policy.delayMs }),
    ...(options.backoff !== undefined && { backoff: policy.backoff }),
    ...(options.maxDelay !== undefined && { maxDelay: policy.maxDelayMs }),
    ...(options.jitter !== undefined && { jitter: policy.jitter }),
  };
}

/** Whether the policy lets this error be retried at all; says nothing about how many retries are left. */
export function isRetryable(error: unknown, policy: RetryPolicy): boolean {
  if (policy.except !== undefined && matches(error, policy.except)) return false;
  return policy.on === undefined || matches(error, policy.on);
}

function matches(error: unknown, matcher: ErrorMatcher): boolean {
  if (Array.isArray(matcher)) return matcher.some((Class: ErrorClass) => error instanceof Class);
  if (isErrorClass(matcher)) return error instanceof matcher;
  return (matcher as (error: unknown) => boolean)(error);
}

function isErrorClass(matcher: unknown): matcher is ErrorClass {
  if (typeof matcher !== 'function') return false;
  return matcher === Error || matcher.prototype instanceof Error;
}

/**
 * The wait before a retry, in milliseconds.
 *
 * Full jitter is that of "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015) and of Celery's
 * `get_exponential_backoff_interval`: evenly from 0 to the capped wait, so that a crowd that failed together spreads out.
 *
 * @param retry which retry this is, from 1
 * @param random evenly from [0, 1), as Math.random
 */
export function retryDelayMs(policy: RetryPolicy, retry: number, error: unknown, random: () => number): number {
  const raw = rawDelayMs(policy, retry, error);
  const capped = Math.min(raw, policy.maxDelayMs);
  return policy.jitter ? Math.floor(random() * (capped + 1)) : capped;
}

function rawDelayMs({ backoff, delayMs }: RetryPolicy, retry: number, error: unknown): number {
  if (typeof backoff === 'function') return parseDuration(backoff(retry, error), 'the result of the backoff function');
  if (backoff === 'fixed') return delayMs;
  if (backoff === 'linear') return delayMs * retry;
  return delayMs * 2 ** (retry - 1);
}
