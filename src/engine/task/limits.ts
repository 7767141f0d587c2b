import { isRecord } from '../core/envelope.ts';
import { createError } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import { assertKnownOptions } from '../core/known-options.ts';
import { parseRate, type Rate } from '../core/rate.ts';

/** `100/m`: a hundred starts a minute in each worker; with `scope: 'global'` in all of them together. */
export type RateLimitOption = string | { rate: string; scope?: 'global' | 'worker' };

/**
 * Jobs of the task that may run at once, in all workers together; with `key`, of those that it gives the same text for. The
 * function is called in the worker's own process, with the arguments as they were sent, before a schema has seen them.
 */
export type ConcurrencyOption = number | { limit: number; key?: (...args: never[]) => string | number };

/** How often a task may start, and who counts. */
export interface RateLimit extends Rate {
  readonly scope: 'global' | 'worker';
}

export interface ConcurrencyLimit {
  readonly limit: number;
  readonly key: ((...args: readonly unknown[]) => unknown) | undefined;
}

const MAX_PLACES = 10_000;

/**
 * @param owner names the task in errors
 * @throws INVALID_OPTION, UNKNOWN_OPTION
 */
export function parseRateLimit(option: unknown, owner: string): RateLimit | undefined {
  if (option === undefined) return undefined;
  const what = `rateLimit of ${owner}`;
  if (!isRecord(option)) return { ...parseRate(option, what), scope: 'worker' };
  assertKnownOptions(option, ['rate', 'scope'], what);
  const { rate, scope = 'worker' } = option;
  if (scope !== 'worker' && scope !== 'global') {
    const expected = '"worker" or "global"';
    throw createError('INVALID_OPTION', { what: `scope of the ${what}`, expected, given: formatGiven(scope) });
  }
  return { ...parseRate(rate, `rate of the ${what}`), scope };
}

/** @throws INVALID_OPTION, UNKNOWN_OPTION */
export function parseConcurrency(option: unknown, owner: string): ConcurrencyLimit | undefined {
  if (option === undefined) return undefined;
  const what = `concurrency of ${owner}`;
  if (!isRecord(option)) return { limit: parsePlaces(option, what), key: undefined };
  assertKnownOptions(option, ['limit', 'key'], what);
  const { limit, key } = option;
  if (key !== undefined && typeof key !== 'function') {
    const expected = 'a function of the arguments that gives a text or a number';
    throw createError('INVALID_OPTION', { what: `key of the ${what}`, expected, given: formatGiven(key) });
  }
  return { limit: parsePlaces(limit, `limit of the ${what}`), key: key as ConcurrencyLimit['key'] };
}

function parsePlaces(value: unknown, what: string): number {
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_PLACES) return value as number;
  const expected = `a whole number from 1 to ${MAX_PLACES}`;
  throw createError('INVALID_OPTION', { what, expected, given: formatGiven(value) });
}
