import { type Duration, parseDuration } from '../core/duration.ts';
import { createError } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import type { CallRetryOptions } from '../core/retry-policy.ts';
import type { EntryCall } from '../core/schedule/entry.ts';
import { createScheduleFault } from '../core/schedule/schedule-fault.ts';
import { assertFitting, assertHeaders, assertKept, parseCallRetry } from '../task/call-checks.ts';
import { assertPriority, type TaskDefinition } from '../task/definition.ts';

/** Options of the call that each firing is. */
export interface EntryCallOptions {
  /** 0 to 9, 9 first. Needs a queue with priorities. Default that of its task. */
  readonly priority?: number;
  /** A firing that has not started this long after its due time is revoked. Default that of its task. */
  readonly expires?: Duration;
  /** Texts that travel with each firing; the task reads them from `context().headers`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly softTimeLimit?: Duration;
  readonly timeLimit?: Duration;
  /** Replaces parts of the task's retry policy; false turns retries off. */
  readonly retry?: CallRetryOptions | false;
  readonly resultExpires?: Duration;
  /** Keeps no results: jobs are removed when they succeed. */
  readonly ignoreResult?: boolean;
}

interface Caller {
  readonly entry: string;
  /** Names the entry in an error. */
  readonly owner: string;
  readonly definition: TaskDefinition | undefined;
  readonly jitterMs: number;
  readonly longestResultMs: () => number;
}

/**
 * The call options of an entry, by the checks of a call. What the call would take from the task is taken when the entry is stored, since
 * no caller is there when it fires: its priority, its expiry and how long its result is kept.
 *
 * @throws INVALID_OPTION, INVALID_DURATION, INVALID_SCHEDULE for firings that expire before their jitter lets them start
 */
export function parseEntryCall(options: EntryCallOptions, caller: Caller): EntryCall {
  const { entry, owner, definition, jitterMs } = caller;
  const duration = (key: 'expires' | 'softTimeLimit' | 'timeLimit'): number | undefined =>
    options[key] === undefined ? undefined : parseDuration(options[key], `${key} of ${owner}`);
  const { priority = definition?.priority, headers, retry, ignoreResult } = options;
  if (priority !== undefined) assertPriority(priority, `priority of ${owner}`);
  if (ignoreResult !== undefined && typeof ignoreResult !== 'boolean') {
    const what = `ignoreResult of ${owner}`;
    throw createError('INVALID_OPTION', { what, expected: 'true or false', given: formatGiven(ignoreResult) });
  }
  const [softTimeLimitMs, timeLimitMs] = [duration('softTimeLimit'), duration('timeLimit')];
  assertFitting({ softTimeLimitMs, timeLimitMs, retry }, definition, owner);
  const expiresMs = duration('expires') ?? definition?.expiresMs;
  if (expiresMs !== undefined && expiresMs <= jitterMs) {
    throw createScheduleFault(entry)(
      'expires',
      'it is not longer than jitter, so firings would expire before they start',
    );
  }
  const resultExpiresMs = parseResultExpiry(options, caller);
  return {
    ...(priority !== undefined && { priority }),
    ...(expiresMs !== undefined && { expiresMs }),
    ...(headers !== undefined && { headers: { ...assertHeaders(headers, owner) } }),
    ...(softTimeLimitMs !== undefined && { softTimeLimitMs }),
    ...(timeLimitMs !== undefined && { timeLimitMs }),
    ...(retry !== undefined && { retry: parseCallRetry(retry, owner) }),
    ...(resultExpiresMs !== undefined && { resultExpiresMs }),
    ...(ignoreResult === true && { ignoreResult }),
  };
}

function parseResultExpiry(
  { resultExpires }: EntryCallOptions,
  { owner, definition, longestResultMs }: Caller,
): number | undefined {
  if (resultExpires === undefined) {
    return typeof definition?.keepResultSeconds === 'number' ? definition.keepResultSeconds * 1000 : undefined;
  }
  const ms = parseDuration(resultExpires, `resultExpires of ${owner}`);
  assertKept(ms, longestResultMs(), { owner, given: resultExpires });
  return ms;
}
