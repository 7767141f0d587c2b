import { parseDuration } from '../core/duration.ts';
import { createError } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import { assertKnownOptions } from '../core/known-options.ts';
import type { ResultsOption } from './contract.ts';

/** Where an app keeps results, and for how long. */
export interface AppResults {
  /** Undefined leaves it to the environment, tq.config, and then to the broker. */
  readonly url: string | undefined;
  readonly maxAgeMs: number | undefined;
  readonly maxCount: number | undefined;
  readonly storeArgs: boolean;
}

const KEYS: readonly (keyof Exclude<ResultsOption, string>)[] = ['url', 'maxAge', 'maxCount', 'storeArgs'];

/** @throws INVALID_OPTION, UNKNOWN_OPTION, INVALID_DURATION */
export function parseResultsOption(option: ResultsOption | undefined): AppResults {
  if (option === undefined || typeof option === 'string') return { ...NOTHING, url: option };
  if (typeof option !== 'object' || option === null) throw invalid('results', 'a URL or an object', option);
  assertKnownOptions(option, KEYS, 'results');
  const { url, maxAge, maxCount, storeArgs = true } = option;
  if (url !== undefined && typeof url !== 'string') throw invalid('url of results', 'a URL', url);
  if (typeof storeArgs !== 'boolean') throw invalid('storeArgs of results', 'true or false', storeArgs);
  if (maxCount !== undefined && (!Number.isSafeInteger(maxCount) || maxCount < 1)) {
    throw invalid('maxCount of results', 'a whole number from 1', maxCount);
  }
  return {
    url,
    maxAgeMs: maxAge === undefined ? undefined : parseDuration(maxAge, 'maxAge of results'),
    maxCount,
    storeArgs,
  };
}

const NOTHING = { maxAgeMs: undefined, maxCount: undefined, storeArgs: true } as const;

function invalid(what: string, expected: string, given: unknown): Error {
  return createError('INVALID_OPTION', { what, expected, given: formatGiven(given) });
}
