import type { Addressed } from '../control/ask-live-workers.ts';
import { type Duration, MAX_TIMER_MS, parseDuration } from '../core/duration.ts';
import { createError } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import { assertKnownOptions } from '../core/known-options.ts';

/** Whom an application asks, and for how long it waits. */
export interface AskOptions {
  /** Names of workers. Default all live ones. */
  destinations?: readonly string[];
  /** Default 2 s. An answer of every live worker ends the wait sooner. */
  timeout?: Duration;
}

const KEYS: readonly (keyof AskOptions)[] = ['destinations', 'timeout'];

/**
 * @param known all options that there are, where there are more than these two
 * @throws UNKNOWN_OPTION, INVALID_OPTION, INVALID_DURATION
 */
export function parseAsk(options: AskOptions = {}, what: string, known: readonly string[] = KEYS): Addressed {
  assertKnownOptions(options, known, what);
  const { destinations, timeout } = options;
  return {
    ...(destinations !== undefined && { destinations: parseDestinations(destinations, what) }),
    ...(timeout !== undefined && { timeoutMs: parseTimeout(timeout, what) }),
  };
}

/** @throws INVALID_OPTION for anything but a text that is not empty */
export function assertText(value: unknown, what: string): asserts value is string {
  if (typeof value === 'string' && value !== '') return;
  throw createError('INVALID_OPTION', { what, expected: 'a text that is not empty', given: formatGiven(value) });
}

function parseDestinations(destinations: unknown, what: string): readonly string[] {
  const isNames =
    Array.isArray(destinations) &&
    destinations.length > 0 &&
    destinations.every((name) => typeof name === 'string' && name !== '');
  if (isNames) return [...new Set<string>(destinations)];
  throw createError('INVALID_OPTION', {
    what: `destinations of ${what}`,
    expected: 'a list of at least one name of a worker',
    given: formatGiven(destinations),
  });
}

function parseTimeout(timeout: Duration, what: string): number {
  const ms = parseDuration(timeout, `timeout of ${what}`);
  if (ms >= 1 && ms <= MAX_TIMER_MS) return ms;
  throw createError('INVALID_OPTION', {
    what: `timeout of ${what}`,
    expected: `from 1 ms to ${MAX_TIMER_MS} ms`,
    given: formatGiven(timeout),
  });
}
