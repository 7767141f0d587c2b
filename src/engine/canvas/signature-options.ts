import { type Duration, parseDuration } from '../core/duration.ts';
import { createError } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import { assertKnownOptions } from '../core/known-options.ts';
import type { CallRetryOptions } from '../core/retry-policy.ts';
import type { ErrorPolicy } from '../core/workflow/graph.ts';
import { assertHeaders, assertOneStart, parseCallRetry, parseEta, parseExpires } from '../task/call-checks.ts';
import { assertLimits, assertPriority } from '../task/definition.ts';
import type { SignatureStepOptions } from './signature-content.ts';

/** Options of a step of a workflow, and of a call. Of a step, times run from when it is entered, not from when it is sent. */
export interface SignatureOptions {
  queue?: string;
  /** 0 to 9, 9 first. Needs a queue with priorities. */
  priority?: number;
  /** Starts no earlier than this long from now. */
  countdown?: Duration;
  /** Starts no earlier than this instant: a Date, an ISO 8601 text or epoch milliseconds. */
  eta?: Date | string | number;
  /** Revoked if it has not started within this time, or by this instant. */
  expires?: Duration | Date;
  /** Texts that travel with the job; the task reads them from `context().headers`. */
  headers?: Readonly<Record<string, string>>;
  softTimeLimit?: Duration;
  timeLimit?: Duration;
  /** Replaces parts of the task's retry policy for this call; false turns retries off. */
  retry?: CallRetryOptions | false;
  resultExpires?: Duration;
  /** Keeps no result: the job is removed when it succeeds. */
  ignoreResult?: boolean;
}

const KNOWN: readonly (keyof SignatureOptions)[] = [
  'queue',
  'priority',
  'countdown',
  'eta',
  'expires',
  'headers',
  'softTimeLimit',
  'timeLimit',
  'retry',
  'resultExpires',
  'ignoreResult',
];

/** Options of a call that a step cannot have, and why. */
const REFUSED: Readonly<Record<string, string>> = {
  id: 'left out, the id of a step is derived from that of its workflow',
  requestId: 'left out, the steps of a workflow have one: give it to apply()',
  unique: 'left out, a step is never kept from being stored',
};

/**
 * Checks the options of a step, as they go into its signature. An `eta` has then been checked against `now` alone; what the task says is
 * looked at when the signature is sent.
 *
 * @throws INVALID_OPTION, UNKNOWN_OPTION, INVALID_DURATION
 */
export function parseSignatureOptions(options: SignatureOptions, task: string): SignatureStepOptions {
  const owner = ownerOf(task);
  assertKnownOptions(withoutRefused(options, owner), KNOWN, owner);
  assertOneStart(options, owner);
  const { queue, priority, countdown, eta, expires, headers, retry, ignoreResult } = options;
  if (priority !== undefined) assertPriority(priority, `priority of ${owner}`);
  if (queue !== undefined) assertIs('string', queue, { what: `queue of ${owner}`, expected: 'a text' });
  if (ignoreResult !== undefined) {
    assertIs('boolean', ignoreResult, { what: `ignoreResult of ${owner}`, expected: 'true or false' });
  }
  const duration = (key: 'countdown' | 'softTimeLimit' | 'timeLimit' | 'resultExpires'): number | undefined =>
    options[key] === undefined ? undefined : parseDuration(options[key], `${key} of ${owner}`);
  const [countdownMs, softTimeLimitMs, timeLimitMs] = [
    duration('countdown'),
    duration('softTimeLimit'),
    duration('timeLimit'),
  ];
  assertLimits(softTimeLimitMs, timeLimitMs, owner);
  const resultExpiresMs = duration('resultExpires');
  const expiry = expires === undefined ? undefined : parseExpires(expires, owner);
  return {
    ...(queue !== undefined && { queue }),
    ...(priority !== undefined && { priority }),
    ...(countdown !== undefined && countdownMs !== undefined && { countdownMs }),
    ...(eta !== undefined && { dueAt: parseEta(eta, owner, Number.POSITIVE_INFINITY) }),
    ...(expiry !== undefined && ('at' in expiry ? { expiresAt: expiry.at } : { expiresMs: expiry.ms })),
    ...(headers !== undefined && { headers: { ...assertHeaders(headers, owner) } }),
    ...(softTimeLimitMs !== undefined && { softTimeLimitMs }),
    ...(timeLimitMs !== undefined && { timeLimitMs }),
    ...(retry !== undefined && { retry: parseCallRetry(retry, owner) }),
    ...(resultExpiresMs !== undefined && { resultExpiresMs }),
    ...(ignoreResult !== undefined && { ignoreResult }),
  };
}

/** @throws INVALID_OPTION for one that is refused with its reason */
function withoutRefused(options: SignatureOptions, owner: string): object {
  const others: Record<string, unknown> = { ...options };
  for (const [option, expected] of Object.entries(REFUSED)) {
    const given = others[option];
    if (given !== undefined) {
      throw createError('INVALID_OPTION', { what: `${option} of ${owner}`, expected, given: formatGiven(given) });
    }
    delete others[option];
  }
  return others;
}

/** How a step is named in errors about its options. */
export function ownerOf(task: string): string {
  return `a step of task "${task}"`;
}

/** The options of a call of the same meaning. */
export function toCallOptions(options: SignatureStepOptions): SignatureOptions {
  const { countdownMs, dueAt, expiresMs, expiresAt, softTimeLimitMs, timeLimitMs, resultExpiresMs, ...same } = options;
  const expires = expiresAt === undefined ? expiresMs : new Date(expiresAt);
  return {
    ...same,
    ...(countdownMs !== undefined && { countdown: countdownMs }),
    ...(dueAt !== undefined && { eta: dueAt }),
    ...(expires !== undefined && { expires }),
    ...(softTimeLimitMs !== undefined && { softTimeLimit: softTimeLimitMs }),
    ...(timeLimitMs !== undefined && { timeLimit: timeLimitMs }),
    ...(resultExpiresMs !== undefined && { resultExpires: resultExpiresMs }),
  };
}

/** Options over others: one start and one expiry replace the other kind of theirs. */
export function mergeOptions(
  before: SignatureStepOptions = {},
  { ...after }: SignatureStepOptions,
): SignatureStepOptions {
  const { countdownMs, dueAt, expiresMs, expiresAt, ...others } = before;
  const hasStart = after.countdownMs !== undefined || after.dueAt !== undefined;
  const hasExpiry = after.expiresMs !== undefined || after.expiresAt !== undefined;
  return {
    ...others,
    ...(!hasStart && countdownMs !== undefined && { countdownMs }),
    ...(!hasStart && dueAt !== undefined && { dueAt }),
    ...(!hasExpiry && expiresMs !== undefined && { expiresMs }),
    ...(!hasExpiry && expiresAt !== undefined && { expiresAt }),
    ...after,
  };
}

/** How a group deals with members that die. */
export interface GroupOptions<Policy extends ErrorPolicy = ErrorPolicy> {
  /**
   * `fail`: what follows fails with the first dead member; `ignore`: it is given the values of the others; `collect`: it is given
   * what became of each, as `Promise.allSettled` tells it. Default fail.
   */
  onError?: Policy;
  /** Under `fail`: members that have not started when one is dead run all the same, or are revoked. Default leave. */
  rest?: 'leave' | 'cancel';
}

/** @throws INVALID_OPTION, UNKNOWN_OPTION */
export function parseGroupOptions(options: GroupOptions, owner = 'a group'): GroupOptions {
  assertKnownOptions(options, ['onError', 'rest'], owner);
  const { onError, rest } = options;
  if (onError !== undefined && !['fail', 'ignore', 'collect'].includes(onError)) {
    const expected = '"fail", "ignore" or "collect"';
    throw createError('INVALID_OPTION', { what: `onError of ${owner}`, expected, given: formatGiven(onError) });
  }
  if (rest !== undefined && rest !== 'leave' && rest !== 'cancel') {
    const expected = '"leave" or "cancel"';
    throw createError('INVALID_OPTION', { what: `rest of ${owner}`, expected, given: formatGiven(rest) });
  }
  return { ...(onError !== undefined && { onError }), ...(rest !== undefined && { rest }) };
}

function assertIs(type: string, value: unknown, { what, expected }: { what: string; expected: string }): void {
  if (typeof value === type) return;
  throw createError('INVALID_OPTION', { what, expected, given: formatGiven(value) });
}
