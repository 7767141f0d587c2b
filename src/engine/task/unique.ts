import { type Duration, parseDuration } from '../core/duration.ts';
import { createError } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import { assertKnownOptions } from '../core/known-options.ts';

/** What tells the calls of a task apart. A list is one key made of several parts. */
export type UniqueKey = string | number | boolean | readonly (string | number | boolean | null)[];

export interface UniqueOptions<Args extends readonly unknown[] = never[]> {
  /** Of a call, from its arguments as they are sent. Default the arguments themselves. */
  key?: (...args: Args) => UniqueKey;
  /** The key is held for so long after the call at most, whatever becomes of the job. Default as long as `until` says. */
  ttl?: Duration;
  /**
   * `finished`: held until the job has ended, also as a dead letter. `started`: until its first attempt starts, so that a change
   * that comes while it runs is not lost. Default finished.
   */
  until?: 'started' | 'finished';
}

/** Which calls of a task are the same, and for how long: its option `unique`, checked. */
export interface UniqueRule {
  readonly key: ((...args: never[]) => unknown) | undefined;
  readonly ttlMs: number | undefined;
  readonly until: 'started' | 'finished';
}

/** What a call has that asks for a key where its task has no rule. */
export const DEFAULT_UNIQUE: UniqueRule = { key: undefined, ttlMs: undefined, until: 'finished' };

const KEYS = ['key', 'ttl', 'until'];

/** @throws INVALID_OPTION, UNKNOWN_OPTION, INVALID_DURATION naming the option */
export function parseUnique(option: unknown, owner: string): UniqueRule | undefined {
  const what = `unique of ${owner}`;
  if (option === undefined || option === false) return undefined;
  if (option === true) return DEFAULT_UNIQUE;
  if (typeof option !== 'object' || option === null || Array.isArray(option)) {
    throw createError('INVALID_OPTION', {
      what,
      expected: 'true, or an object with key, ttl and until',
      given: formatGiven(option),
    });
  }
  assertKnownOptions(option, KEYS, what);
  const { key, ttl, until = 'finished' } = option as UniqueOptions;
  if (key !== undefined && typeof key !== 'function') {
    throw createError('INVALID_OPTION', {
      what: `key in ${what}`,
      expected: 'a function of the arguments',
      given: formatGiven(key),
    });
  }
  if (until !== 'started' && until !== 'finished') {
    throw createError('INVALID_OPTION', {
      what: `until in ${what}`,
      expected: '"started" or "finished"',
      given: formatGiven(until),
    });
  }
  return { key, ttlMs: ttl === undefined ? undefined : parseTtl(ttl, `ttl in ${what}`), until };
}

/** A key that is held for no time would hold nothing; for the stores it would mean: without an end. */
function parseTtl(ttl: Duration, what: string): number {
  const ms = parseDuration(ttl, what);
  if (ms > 0) return ms;
  throw createError('INVALID_OPTION', { what, expected: 'longer than nothing', given: formatGiven(ttl) });
}
