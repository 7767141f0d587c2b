import type { Addressed } from '../control/ask-live-workers.ts';
import { type Duration, MAX_TIMER_MS, parseDuration } from '../core/duration.ts';
import { createError } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import { nearestNames } from '../core/nearest.ts';

/** Whom an application asks, and for how long it waits. */
export interface AskOptions {
  /** Names of workers. Default all live ones. */
  destinations?: readonly string[];
  /** Default 2 s. An answer of every live worker ends the wait sooner. */
  timeout?: Duration;
}

const KEYS: readonly (keyof AskOptions)[] = ['destinations', 'timeout'];

/** @throws UNKNOWN_OPTION, INVALID_OPTION, INVALID_DURATION */
export function parseAsk(options: AskOptions = {}, what: string): Addressed {
  const unknown = Object.keys(options).find((key) => !(KEYS as readonly string[]).includes(key));
  if (unknown !== undefined) {
    throw createError('UNKNOWN_OPTION', { what, option: unknown, near: nearestNames(unknown, KEYS), known: KEYS });
  }
  const { destinations, timeout } = options;
  return {
    ...(destinations !== undefined && { destinations: parseDestinations(destinations, what) }),
    ...(timeout !== undefined && { timeoutMs: parseTimeout(timeout, what) }),
  };
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
