import { parseDuration } from '../core/duration.ts';
import { createError } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import { assertKnownOptions } from '../core/known-options.ts';
import type { DeadLetterLimits } from '../worker/dead-letters/dead-letter-retention.ts';
import type { DeadLettersOption } from './contract.ts';

const KEYS: readonly (keyof DeadLettersOption)[] = ['maxAge', 'maxCount'];
/** What fails on a Friday is looked at on a Monday; a shorter time is more often a slip of the unit. */
const MINIMUM_AGE_MS = 60_000;

/**
 * @returns undefined when all are kept
 * @throws INVALID_OPTION, UNKNOWN_OPTION, INVALID_DURATION
 */
export function parseDeadLetters(option: DeadLettersOption | undefined): DeadLetterLimits | undefined {
  if (option === undefined) return undefined;
  if (typeof option !== 'object' || option === null || Array.isArray(option)) {
    throw invalid('deadLetters', 'an object { maxAge, maxCount }', option);
  }
  assertKnownOptions(option, KEYS, 'deadLetters');
  const { maxAge, maxCount } = option;
  const maxAgeMs = maxAge === undefined ? undefined : parseDuration(maxAge, 'maxAge of deadLetters');
  if (maxAgeMs !== undefined && maxAgeMs < MINIMUM_AGE_MS) throw invalid('maxAge of deadLetters', '1m or more', maxAge);
  if (maxCount !== undefined && (!Number.isSafeInteger(maxCount) || maxCount < 0)) {
    throw invalid('maxCount of deadLetters', 'a whole number from 0', maxCount);
  }
  return maxAgeMs === undefined && maxCount === undefined ? undefined : { maxAgeMs, maxCount };
}

function invalid(what: string, expected: string, given: unknown): Error {
  return createError('INVALID_OPTION', { what, expected, given: formatGiven(given) });
}
