/** Checks of the options that calls and steps of workflows have in common. `owner` names the call or the step in an error. */
import { type Duration, MAX_DURATION_MS, parseDuration } from '../core/duration.ts';
import { createError } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import { type CallRetryOptions, parseRetry, type StoredRetry, storeRetry } from '../core/retry-policy.ts';
import { assertLimits, assertNoRetry, type TaskDefinition } from './definition.ts';

/** BullMQ orders delayed jobs by time · 4096 in a double, which is exact until September 2039. */
const LATEST_DUE_AT = 2 ** 53 / 4096 - 1;

/**
 * @param now epoch milliseconds
 * @returns epoch milliseconds, a whole number
 * @throws INVALID_OPTION for what is no instant, or none within the next ten years
 */
export function parseEta(eta: unknown, owner: string, now: number): number {
  const at = toInstant(eta);
  if (!Number.isFinite(at) || at > LATEST_DUE_AT || at > now + MAX_DURATION_MS) {
    throw createError('INVALID_OPTION', {
      what: `eta of ${owner}`,
      expected: 'a Date, an ISO 8601 text or epoch milliseconds within the next ten years',
      given: eta instanceof Date ? 'an invalid or too distant Date' : formatGiven(eta),
    });
  }
  return Math.round(at);
}

function toInstant(value: unknown): number {
  if (typeof value === 'number') return value;
  if (value instanceof Date) return value.getTime();
  return typeof value === 'string' && /^\d{4}-\d{2}-\d{2}/.test(value) ? Date.parse(value) : Number.NaN;
}

/** @throws INVALID_OPTION when both are given */
export function assertOneStart({ countdown, eta }: { countdown?: unknown; eta?: unknown }, owner: string): void {
  if (countdown === undefined || eta === undefined) return;
  throw createError('INVALID_OPTION', { what: owner, expected: 'given either countdown or eta', given: 'both' });
}

/** A time from now, or an instant in epoch milliseconds. */
export type Expiry = { readonly ms: number } | { readonly at: number };

/** @throws INVALID_OPTION, INVALID_DURATION */
export function parseExpires(expires: Duration | Date, owner: string): Expiry {
  if (!(expires instanceof Date)) return { ms: parseDuration(expires, `expires of ${owner}`) };
  if (!Number.isNaN(expires.getTime())) return { at: expires.getTime() };
  throw createError('INVALID_OPTION', {
    what: `expires of ${owner}`,
    expected: 'a valid Date',
    given: 'an invalid one',
  });
}

/** @throws INVALID_OPTION */
export function assertHeaders(headers: unknown, owner: string): Readonly<Record<string, string>> {
  const isTexts = typeof headers === 'object' && headers !== null && !Array.isArray(headers);
  if (isTexts && Object.values(headers).every((value) => typeof value === 'string'))
    return headers as Record<string, string>;
  throw createError('INVALID_OPTION', {
    what: `headers of ${owner}`,
    expected: 'an object whose values are texts',
    given: formatGiven(headers),
  });
}

/** @throws INVALID_OPTION */
export function assertText(value: unknown, what: string): string {
  if (typeof value === 'string' && value !== '' && value.length <= 1000) return value;
  throw createError('INVALID_OPTION', {
    what,
    expected: 'a text of 1 to 1000 characters',
    given: formatGiven(value),
  });
}

export interface Limits {
  readonly softTimeLimitMs?: number | undefined;
  readonly timeLimitMs?: number | undefined;
  readonly retry?: StoredRetry | CallRetryOptions | false | undefined;
}

/**
 * Whether these limits and retries go with what the task says.
 *
 * @throws INVALID_OPTION
 */
export function assertFitting(limits: Limits, definition: TaskDefinition | undefined, owner: string): void {
  const { softTimeLimitMs = definition?.softTimeLimitMs, timeLimitMs = definition?.timeLimitMs, retry } = limits;
  assertLimits(softTimeLimitMs, timeLimitMs, owner);
  if (retry !== undefined && definition?.delivery === 'at-most-once') {
    assertNoRetry(parseRetry(retry, `retry of ${owner}`, definition.retry).max, `retry of ${owner}`);
  }
}

/** @throws INVALID_OPTION, UNKNOWN_OPTION, INVALID_DURATION */
export function parseCallRetry(retry: CallRetryOptions | false, owner: string): StoredRetry | false {
  return storeRetry(retry, `retry of ${owner}`);
}

/**
 * BullMQ removes finished jobs by one age for the whole queue, so a shorter time is kept with the job and honoured by its
 * readers, and a longer one cannot be promised.
 *
 * @param longestMs the longest that any worker of the app keeps results
 * @throws INVALID_OPTION
 */
export function assertKept(ms: number, longestMs: number, { owner, given }: { owner: string; given: Duration }): void {
  if (ms <= longestMs) return;
  throw createError('INVALID_OPTION', {
    what: `resultExpires of ${owner}`,
    expected: `at most the longest resultExpires of the app and its tasks, ${longestMs} ms`,
    given: formatGiven(given),
  });
}

/** A missing last argument is no argument; anywhere else JSON would turn undefined into null, which is refused. */
export function withoutTrailingUndefined(args: readonly unknown[]): readonly unknown[] {
  let length = args.length;
  while (length > 0 && args[length - 1] === undefined) length -= 1;
  return length === args.length ? args : args.slice(0, length);
}
