import type { StandardSchemaV1 } from '@standard-schema/spec';
import { type Duration, parseDuration } from '../core/duration.ts';
import { createError } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import { assertKnownOptions } from '../core/known-options.ts';
import { NO_RETRY, parseRetry, type RetryOptions, type RetryPolicy } from '../core/retry-policy.ts';
import {
  type ConcurrencyLimit,
  type ConcurrencyOption,
  parseConcurrency,
  parseRateLimit,
  type RateLimit,
  type RateLimitOption,
} from './limits.ts';
import { parseUnique, type UniqueOptions, type UniqueRule } from './unique.ts';

export type Delivery = 'at-least-once' | 'at-most-once';

export interface TaskOptions<Args extends readonly unknown[] = never[]> {
  /** Queue of its calls, when neither the call nor a route says another. */
  queue?: string;
  /** Retries on failure; none without it. `true` takes the defaults. */
  retry?: RetryOptions | boolean;
  /** Priority of its calls, 0 to 9, 9 first; the queue must have priorities. */
  priority?: number;
  /** Aborts `context().signal` after this time. */
  softTimeLimit?: Duration;
  /** Fails the attempt after this time. */
  timeLimit?: Duration;
  /** How often it may start, evenly spaced: `100/m` in each worker; `{ rate, scope: 'global' }` in all of them together. */
  rateLimit?: RateLimitOption;
  /** How many of its jobs may run at once, in all workers together: a number, or `{ limit, key }` for each key. */
  concurrency?: ConcurrencyOption;
  /** Calls that have not started within this time are revoked. */
  expires?: Duration;
  /** How long results are kept. Default that of the app, 24 h. */
  resultExpires?: Duration;
  /** Keeps no result: the job is removed when it succeeds. */
  ignoreResult?: boolean;
  /**
   * With `ignoreResult`, here or in the call: the result store keeps the row of a job that has failed. In the broker it stays in any
   * case, as a dead letter.
   */
  storeErrorsEvenIfIgnored?: boolean;
  /** False keeps the arguments out of the result store. Default true. */
  storeArgs?: boolean;
  /**
   * `at-most-once`: a job that has started is not started again, whatever happens to its worker; it becomes a dead letter instead, and
   * there are no retries. Default `at-least-once`.
   */
  delivery?: Delivery;
  /**
   * A call is not stored while a job of a call with the same key is there, and gives the result of that job. `true` takes the arguments as
   * the key and holds it until the job has ended.
   */
  unique?: UniqueOptions<Args> | boolean;
  /** Shown by `tq inspect registered` and in completions. */
  description?: string;
}

/** A task as it is declared: its name, its options with defaults and checks done, and its function. */
export interface TaskDefinition<Args extends readonly unknown[] = readonly unknown[], Result = unknown> {
  readonly name: string;
  readonly queue: string | undefined;
  readonly retry: RetryPolicy;
  /** The task said nothing about retries, so the app's policy holds. */
  readonly retryIsDefault: boolean;
  readonly priority: number | undefined;
  readonly softTimeLimitMs: number | undefined;
  readonly timeLimitMs: number | undefined;
  readonly rateLimit: RateLimit | undefined;
  readonly concurrency: ConcurrencyLimit | undefined;
  readonly expiresMs: number | undefined;
  /** Seconds; false keeps nothing; undefined leaves it to the app. */
  readonly keepResultSeconds: number | false | undefined;
  /** Failures have a row in the result store, also when results are ignored. */
  readonly storeErrorsEvenIfIgnored: boolean;
  /** The result store holds the arguments. */
  readonly storeArgs: boolean;
  readonly delivery: Delivery;
  readonly unique: UniqueRule | undefined;
  readonly description: string | undefined;
  /** The schema of the only argument. */
  readonly input: StandardSchemaV1 | undefined;
  /** The schema of the array of arguments. */
  readonly args: StandardSchemaV1 | undefined;
  /** The function, taking what the schema gives out. */
  readonly handler: (...args: never[]) => unknown;
  /** Only for types: never set. */
  readonly types?: { args: Args; result: Result };
}

type Handler<Args extends readonly unknown[], Result> = (...args: Args) => Result;

/**
 * Declares a task without an app; `app.register(definition)` adds it. `app.task()` does both.
 *
 * @throws INVALID_OPTION, UNKNOWN_OPTION, INVALID_DURATION naming the task and the option
 */
export function defineTask<Schema extends StandardSchemaV1, Result>(
  name: string,
  options: TaskOptions<[StandardSchemaV1.InferInput<Schema>]> & { input: Schema; args?: never },
  handler: (input: StandardSchemaV1.InferOutput<Schema>) => Result,
): TaskDefinition<[StandardSchemaV1.InferInput<Schema>], Awaited<Result>>;
export function defineTask<Schema extends StandardSchemaV1<unknown[], unknown[]>, Result>(
  name: string,
  options: TaskOptions<StandardSchemaV1.InferInput<Schema>> & { args: Schema; input?: never },
  handler: (...args: StandardSchemaV1.InferOutput<Schema>) => Result,
): TaskDefinition<StandardSchemaV1.InferInput<Schema>, Awaited<Result>>;
export function defineTask<Args extends readonly unknown[], Result>(
  name: string,
  options: TaskOptions<Args> & { input?: never; args?: never },
  handler: Handler<Args, Result>,
): TaskDefinition<Args, Awaited<Result>>;
export function defineTask<Args extends readonly unknown[], Result>(
  name: string,
  handler: Handler<Args, Result>,
): TaskDefinition<Args, Awaited<Result>>;
export function defineTask(
  name: string,
  optionsOrHandler: (TaskOptions & { input?: StandardSchemaV1; args?: StandardSchemaV1 }) | Handler<never[], unknown>,
  maybeHandler?: Handler<never[], unknown>,
): TaskDefinition {
  const [options, handler] =
    typeof optionsOrHandler === 'function' ? [{}, optionsOrHandler] : [optionsOrHandler, maybeHandler];
  return parseDefinition(name, options, handler);
}

const KEYS = [
  'queue',
  'retry',
  'priority',
  'softTimeLimit',
  'timeLimit',
  'rateLimit',
  'concurrency',
  'expires',
  'resultExpires',
  'ignoreResult',
  'storeErrorsEvenIfIgnored',
  'storeArgs',
  'delivery',
  'unique',
  'description',
  'input',
  'args',
];

function parseDefinition(
  name: string,
  options: TaskOptions & { input?: StandardSchemaV1; args?: StandardSchemaV1 },
  handler: Handler<never[], unknown> | undefined,
): TaskDefinition {
  assertTaskName(name);
  const owner = `task "${name}"`;
  if (typeof handler !== 'function') {
    throw createError('INVALID_OPTION', {
      what: `the handler of ${owner}`,
      expected: 'a function',
      given: typeof handler,
    });
  }
  assertKnownOptions(options, KEYS, owner);
  if (options.input !== undefined && options.args !== undefined) {
    throw createError('INVALID_OPTION', { what: owner, expected: 'either `input` or `args`', given: 'both' });
  }
  if (options.priority !== undefined) assertPriority(options.priority, `priority of ${owner}`);
  const duration = (key: 'softTimeLimit' | 'timeLimit' | 'expires' | 'resultExpires'): number | undefined =>
    options[key] === undefined ? undefined : parseDuration(options[key], `${key} of ${owner}`);
  const resultExpiresMs = duration('resultExpires');
  const delivery = parseDelivery(options.delivery, owner);
  const retry = parseRetryOption(options.retry, owner);
  if (delivery === 'at-most-once') assertNoRetry(retry.max, `retry of ${owner}`);
  const definition: TaskDefinition = {
    name,
    queue: options.queue,
    retry,
    retryIsDefault: options.retry === undefined && delivery === 'at-least-once',
    priority: options.priority,
    softTimeLimitMs: duration('softTimeLimit'),
    timeLimitMs: duration('timeLimit'),
    rateLimit: parseRateLimit(options.rateLimit, owner),
    concurrency: parseConcurrency(options.concurrency, owner),
    expiresMs: duration('expires'),
    keepResultSeconds:
      options.ignoreResult === true
        ? false
        : resultExpiresMs === undefined
          ? undefined
          : Math.ceil(resultExpiresMs / 1000),
    storeErrorsEvenIfIgnored: options.storeErrorsEvenIfIgnored === true,
    storeArgs: options.storeArgs !== false,
    delivery,
    unique: parseUnique(options.unique, owner),
    description: options.description,
    input: options.input,
    args: options.args,
    handler,
  };
  assertLimits(definition.softTimeLimitMs, definition.timeLimitMs, owner);
  return definition;
}

function parseRetryOption(retry: RetryOptions | boolean | undefined, owner: string): RetryPolicy {
  if (retry === undefined || retry === false) return NO_RETRY;
  return parseRetry(retry === true ? {} : retry, `retry of ${owner}`);
}

function parseDelivery(delivery: unknown, owner: string): Delivery {
  if (delivery === undefined || delivery === 'at-least-once') return 'at-least-once';
  if (delivery === 'at-most-once') return delivery;
  throw createError('INVALID_OPTION', {
    what: `delivery of ${owner}`,
    expected: '"at-least-once" or "at-most-once"',
    given: formatGiven(delivery),
  });
}

/** A retry is a second run, which a task with the delivery at-most-once must not have. */
export function assertNoRetry(max: number, what: string): void {
  if (max === 0) return;
  throw createError('INVALID_OPTION', {
    what,
    expected: 'left out with delivery "at-most-once"',
    given: `a policy of ${max} retries`,
  });
}

export function assertTaskName(name: unknown): asserts name is string {
  if (typeof name !== 'string' || !/^[^\s\p{Cc}]{1,200}$/u.test(name)) {
    throw createError('INVALID_OPTION', {
      what: 'the name of a task',
      expected: 'a text of 1 to 200 characters without spaces',
      given: formatGiven(name),
    });
  }
}

export function assertPriority(priority: unknown, what: string): void {
  if (!Number.isInteger(priority) || (priority as number) < 0 || (priority as number) > 9) {
    throw createError('INVALID_OPTION', {
      what,
      expected: 'a whole number from 0 to 9',
      given: formatGiven(priority),
    });
  }
}

export function assertLimits(softMs: number | undefined, hardMs: number | undefined, owner: string): void {
  if (softMs !== undefined && hardMs !== undefined && softMs >= hardMs) {
    throw createError('INVALID_OPTION', {
      what: `softTimeLimit of ${owner}`,
      expected: `shorter than its timeLimit of ${hardMs} ms`,
      given: `${softMs} ms`,
    });
  }
}
