import { parseDuration } from '../core/duration.ts';
import type { Meta } from '../core/envelope.ts';
import { createError } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import type { NewJob } from '../core/job.ts';
import { createJobId } from '../core/job-id.ts';
import { encodeJson } from '../core/json.ts';
import { nearestNames } from '../core/nearest.ts';
import {
  assertFitting,
  assertHeaders,
  assertKept,
  assertOneStart,
  assertText,
  parseCallRetry,
  parseEta,
  parseExpires,
  withoutTrailingUndefined,
} from '../task/call-checks.ts';
import { currentContext } from '../task/context.ts';
import { assertPriority, type TaskDefinition } from '../task/definition.ts';
import type { CallOptions } from './call-options.ts';
import { readUnique } from './unique-call.ts';

interface Call {
  readonly task: string;
  /** The task as it is registered here, if it is. */
  readonly definition: TaskDefinition | undefined;
  readonly args: readonly unknown[];
  readonly options: CallOptions;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly payloadLimit: number;
  /** The longest that any worker of the app keeps results, in milliseconds. */
  readonly longestResultMs: () => number;
}

/**
 * Makes the job of a call, all but its priority, which depends on the queue. Nothing is sent.
 *
 * @throws NOT_JSON, PAYLOAD_TOO_LARGE, INVALID_OPTION, UNKNOWN_OPTION, INVALID_DURATION
 */
export function createJob({ task, definition, args, options, now, payloadLimit, longestResultMs }: Call): NewJob {
  assertKnownOptions(options, task);
  if (options.id !== undefined) assertId(options.id, task);
  const id = options.id ?? createJobId(now);
  const sent = withoutTrailingUndefined(args);
  const argsJson = encodeJson(sent, `the arguments of task "${task}"`, 'args');
  const bytes = Buffer.byteLength(argsJson);
  if (bytes > payloadLimit) throw createError('PAYLOAD_TOO_LARGE', { task, bytes, limit: payloadLimit });
  const dueAt = readDueAt(options, { task, now });
  const meta = createMeta({ task, definition, options, now });
  const unique = readUnique({ task, definition, args: sent, option: options.unique });
  const resultExpiresMs = readResultExpiry(options, { task, definition, longestResultMs });
  return {
    id,
    task,
    args: sent,
    argsJson,
    meta:
      resultExpiresMs === undefined && unique?.until === undefined
        ? meta
        : {
            ...meta,
            ...(resultExpiresMs !== undefined && { resultExpiresMs }),
            ...(unique?.until !== undefined && { uniqueUntil: unique.until }),
          },
    createdAt: now,
    ...(dueAt > now && { delayMs: dueAt - now }),
    ...(options.ignoreResult === true && { ignoreResult: true }),
    ...(unique !== undefined && { unique: unique.hold }),
  };
}

const OPTIONS: readonly (keyof CallOptions)[] = [
  'queue',
  'priority',
  'countdown',
  'eta',
  'expires',
  'id',
  'headers',
  'requestId',
  'softTimeLimit',
  'timeLimit',
  'retry',
  'resultExpires',
  'unique',
  'ignoreResult',
];

function assertKnownOptions(options: CallOptions, task: string): void {
  for (const key of Object.keys(options)) {
    if ((OPTIONS as readonly string[]).includes(key)) continue;
    const near = nearestNames(key, OPTIONS);
    throw createError('UNKNOWN_OPTION', { what: `a call of task "${task}"`, option: key, near, known: OPTIONS });
  }
  if (options.priority !== undefined) assertPriority(options.priority, `priority of a call of task "${task}"`);
  if (options.unique !== undefined && !['boolean', 'string', 'number'].includes(typeof options.unique)) {
    const what = `unique of a call of task "${task}"`;
    throw createError('INVALID_OPTION', {
      what,
      expected: 'true, false or a key',
      given: formatGiven(options.unique),
    });
  }
}

/** What a call without options has: the same object, so that it is known at a glance. */
export const NO_OPTIONS: CallOptions = Object.freeze({});
const NO_META: Meta = Object.freeze({});

interface MetaSource {
  readonly task: string;
  readonly definition: TaskDefinition | undefined;
  readonly options: CallOptions;
  readonly now: number;
}

function createMeta({ task, definition, options, now }: MetaSource): Meta {
  const parent = currentContext();
  // What most calls of a web server are: no options, no task around them.
  if (options === NO_OPTIONS && parent === undefined && definition?.expiresMs === undefined) return NO_META;
  const owner = `a call of task "${task}"`;
  const duration = (key: 'softTimeLimit' | 'timeLimit'): number | undefined =>
    options[key] === undefined ? undefined : parseDuration(options[key], `${key} of ${owner}`);
  const softTimeLimitMs = duration('softTimeLimit');
  const timeLimitMs = duration('timeLimit');
  assertFitting({ softTimeLimitMs, timeLimitMs, retry: options.retry }, definition, owner);
  const expiresAt = readExpiresAt(options, { definition, owner, now });
  const requestId = options.requestId ?? parent?.requestId;
  return {
    ...(requestId !== undefined && { requestId: assertText(requestId, `requestId of ${owner}`) }),
    ...(parent !== undefined && { rootId: parent.rootId, parentId: parent.id }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(softTimeLimitMs !== undefined && { softTimeLimitMs }),
    ...(timeLimitMs !== undefined && { timeLimitMs }),
    ...(options.retry !== undefined && { retry: parseCallRetry(options.retry, owner) }),
    ...(options.headers !== undefined && { headers: assertHeaders(options.headers, owner) }),
  };
}

interface ResultExpirySource {
  readonly task: string;
  readonly definition: TaskDefinition | undefined;
  readonly longestResultMs: () => number;
}

/** How long the result of this call may be read. */
function readResultExpiry(
  { resultExpires }: CallOptions,
  { task, definition, longestResultMs }: ResultExpirySource,
): number | undefined {
  if (resultExpires === undefined) {
    return typeof definition?.keepResultSeconds === 'number' ? definition.keepResultSeconds * 1000 : undefined;
  }
  const owner = `a call of task "${task}"`;
  const ms = parseDuration(resultExpires, `resultExpires of ${owner}`);
  assertKept(ms, longestResultMs(), { owner, given: resultExpires });
  return ms;
}

function readDueAt(options: CallOptions, { task, now }: { task: string; now: number }): number {
  const { countdown, eta } = options;
  if (countdown === undefined && eta === undefined) return now;
  const owner = `a call of task "${task}"`;
  assertOneStart(options, owner);
  if (countdown !== undefined) return now + parseDuration(countdown, `countdown of ${owner}`);
  return parseEta(eta, owner, now);
}

interface ExpirySource {
  readonly definition: TaskDefinition | undefined;
  readonly owner: string;
  readonly now: number;
}

function readExpiresAt({ expires }: CallOptions, { definition, owner, now }: ExpirySource): number | undefined {
  if (expires === undefined) return definition?.expiresMs === undefined ? undefined : now + definition.expiresMs;
  const expiry = parseExpires(expires, owner);
  return 'at' in expiry ? expiry.at : now + expiry.ms;
}

/** BullMQ numbers its own jobs and uses colons in keys, so neither may be an id (its Job.validateOptions). */
function assertId(id: unknown, task: string): void {
  if (typeof id === 'string' && /^[^\s:\p{Cc}]{1,200}$/u.test(id) && !/^[+-]?\d+$/.test(id)) return;
  throw createError('INVALID_OPTION', {
    what: `id of a call of task "${task}"`,
    expected: 'a text of 1 to 200 characters without spaces and colons that is not a number',
    given: formatGiven(id),
  });
}
