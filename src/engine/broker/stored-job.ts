import type { JobJson } from 'bullmq';
import { type AttemptMark, formatAttemptLine, parseAttemptLine } from '../core/attempt-line.ts';
import { decodeEnvelope, isRecord } from '../core/envelope.ts';
import type { ChildEnd, StoredError, StoredJob } from '../core/job.ts';
import { describeRevocation, parseMark } from '../core/revocation.ts';
import { trimStack } from '../core/stack.ts';
import type { JobState } from '../core/state.ts';
import { readFailedAttempts, readHeader } from './failed-attempts.ts';

/**
 * BullMQ's field names end here: how its records read in tq's words, and back.
 */

/** The key of the marker that a job ends with when it is completed and has no result of its own (design.md §8). */
const MARKER = '$tq';

interface Marker {
  readonly state: 'IGNORED' | 'REVOKED' | 'SUCCESS' | 'FAILURE';
  readonly reason?: string;
  readonly result?: unknown;
  readonly error?: StoredError;
}

/** What is stored as BullMQ's return value. A result that happens to look like a marker is wrapped in one. */
export function encodeResult(result: unknown): unknown {
  return isRecord(result) && MARKER in result ? { [MARKER]: { state: 'SUCCESS', result } satisfies Marker } : result;
}

export function encodeEnd(state: 'IGNORED' | 'REVOKED', reason: string): unknown {
  return { [MARKER]: { state, reason } satisfies Marker };
}

/** It failed with what failed elsewhere, and is no dead letter. */
export function encodeFailure(error: StoredError): unknown {
  const { name, code } = error;
  const kept = { name, message: encodeMessage(error), code, stack: encodeStack(error) };
  return { [MARKER]: { state: 'FAILURE', error: kept } satisfies Marker };
}

/** How a job that completed has ended, for the job that it is a child of. */
export function decodeEnd(returned: unknown): ChildEnd {
  const marker = readMarker(returned);
  const reason = typeof marker?.reason === 'string' ? marker.reason : '';
  switch (marker?.state) {
    case 'IGNORED':
    case 'REVOKED':
      return { state: marker.state, reason };
    case 'FAILURE':
      return { state: 'FAILURE', reason: readFailure(marker).message };
    default:
      return { state: 'SUCCESS', value: toResult(returned, marker) };
  }
}

function toResult(returned: unknown, marker: Marker | undefined): unknown {
  return (marker === undefined ? returned : marker.result) ?? null;
}

/** Any client of the store may have written it. */
function readFailure({ error }: Marker): StoredError {
  const { name, message, code, stack } = (isRecord(error) ? error : {}) as Partial<Record<keyof StoredError, unknown>>;
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  return { name: text(name) ?? 'Error', message: text(message) ?? '', code: text(code), stack: text(stack) };
}

function readMarker(value: unknown): Marker | undefined {
  return isRecord(value) && isRecord(value[MARKER]) ? (value[MARKER] as unknown as Marker) : undefined;
}

/** How a job that completed has ended, by its return value; the reason of a failure is its error, `Name: message`. */
export function readEnd(returned: unknown): {
  state: 'SUCCESS' | 'IGNORED' | 'REVOKED' | 'FAILURE';
  reason: string | null;
} {
  const marker = readMarker(returned);
  switch (marker?.state) {
    case 'IGNORED':
    case 'REVOKED':
      return { state: marker.state, reason: typeof marker.reason === 'string' ? marker.reason : null };
    case 'FAILURE': {
      const { name, message } = readFailure(marker);
      return { state: 'FAILURE', reason: `${name}: ${message}` };
    }
    default:
      return { state: 'SUCCESS', reason: null };
  }
}

/** BullMQ serves low numbers first and 0 before all; tq's 0 to 9 serve 9 first. */
export function encodePriority(priority: number): number {
  return 10 - priority;
}

export function decodePriority(stored: number | undefined): number | null {
  return stored === undefined || stored === 0 ? null : Math.max(0, 10 - stored);
}

/** A key of tq begins with its task; that of another producer is shown as it is. */
export function decodeUnique(stored: string | undefined, task: string): string | null {
  if (stored === undefined) return null;
  return stored.startsWith(`${task} `) ? stored.slice(task.length + 1) : stored;
}
/** At most this many stacks are kept with a job; BullMQ keeps one for every attempt without it. */
export const STACKS_KEPT = 10;

/** What the worker of a lost job finds in it; see moveStalledJobsToWait of BullMQ. */
export const STALLED_TOO_OFTEN = 'job stalled more than allowable limit';

/**
 * @param state BullMQ's state of the job: `waiting`, `active`, `delayed`, ...
 * @param isSummary leaves the ledger of attempts out
 * @param dueAt when a delayed job is due, epoch ms; BullMQ's record of a retry does not hold it, its index does
 */
export function toStoredJob(
  json: JobJson,
  queue: string,
  state: string,
  dueAt: number | null = null,
  isSummary = false,
): StoredJob {
  const data = parseData(json.data);
  const { args, meta } = decodeEnvelope(data.value);
  const returned = typeof json.returnvalue === 'string' ? parseOr(json.returnvalue, null) : null;
  const marker = readMarker(returned);
  const stored = parseStacks(json.stacktrace);
  const stacks = decodeStacks(stored);
  const attemptsMade = json.attemptsMade ?? 0;
  const isFinished = state === 'completed' || state === 'failed';
  // BullMQ leaves the mark with a job that gave a result in spite of it.
  const revoked = isFinished ? undefined : parseMark(json.deferredFailure);
  // BullMQ keeps the failure of an earlier attempt with a job that succeeded in the end.
  const error = readStoredError(state, json.failedReason, stacks, marker);
  const run = {
    startedAt: json.processedOn ?? null,
    finishedAt: json.finishedOn ?? null,
    worker: json.processedBy ?? null,
  };
  return {
    id: json.id,
    task: json.name,
    queue,
    state: revoked === undefined || state === 'active' ? toState(state, attemptsMade, marker) : 'REVOKED',
    args,
    meta,
    priority: decodePriority(json.priority ?? json.opts?.priority),
    createdAt: json.timestamp,
    dueAt,
    ...run,
    attempts: attemptsMade + (state === 'active' ? 1 : 0),
    workersLost: json.stalledCounter ?? 0,
    progress: decodeProgress(json.progress),
    result: state === 'completed' ? toResult(returned, marker) : null,
    error,
    reason: marker?.reason ?? (revoked === undefined ? null : describeRevocation(revoked)),
    stacks,
    failures: isSummary
      ? []
      : readFailedAttempts(stored, { ...run, attemptsMade, death: state === 'failed' ? error : null }),
    unique: decodeUnique(json.deduplicationId, json.name),
    unreadable: data.problem,
    ...(revoked !== undefined && { revoked }),
  };
}

function readStoredError(
  state: string,
  message: string | undefined,
  stacks: readonly string[],
  marker: Marker | undefined,
): StoredError | null {
  if (state === 'completed') return marker?.state === 'FAILURE' ? readFailure(marker) : null;
  return message === undefined ? null : toError(message, stacks.at(-1));
}

function toState(state: string, attemptsMade: number, marker: Marker | undefined): JobState {
  switch (state) {
    case 'active':
      return 'STARTED';
    case 'completed':
      return marker?.state ?? 'SUCCESS';
    case 'failed':
      return 'FAILURE';
    case 'waiting-children':
      return 'BLOCKED';
    case 'delayed':
      return attemptsMade > 0 ? 'RETRY' : 'SCHEDULED';
    case 'waiting':
    case 'wait':
    case 'prioritized':
    case 'paused':
      return attemptsMade > 0 ? 'RETRY' : 'PENDING';
    default:
      return 'UNKNOWN';
  }
}

/** Reads `job.data`; what is not JSON is kept as the raw text, with the parser's complaint. */
export function parseData(text: string): { value: unknown; problem: string | null } {
  try {
    return { value: JSON.parse(text === '' ? 'null' : text), problem: null };
  } catch (error) {
    return { value: text, problem: error instanceof Error ? error.message : String(error) };
  }
}

function parseOr(text: string, fallback: unknown): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return fallback;
  }
}

function parseStacks(stored: string | string[] | null | undefined): string[] {
  const value = typeof stored === 'string' ? parseOr(stored, []) : stored;
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

/** The stacks as they were thrown. */
export function decodeStacks(stored: readonly string[]): string[] {
  return stored.map((text) => parseAttemptLine(text).stack);
}

/** BullMQ starts every job with the progress 0, which a task that reports none would seem to have reported. */
export function decodeProgress(progress: unknown): unknown {
  return progress === undefined || progress === 0 ? null : progress;
}

/** The longest error text that is kept with a job; a longer one is cut, so that an error cannot fill the store. */
const MAX_MESSAGE = 8192;
const MAX_STACK = 16_384;

/** The first line carries name and code, as Node prints them: `TypeError [ERR_INVALID_ARG_TYPE]: message`. */
export function encodeStack(error: StoredError): string {
  const header = `${error.name}${error.code === null ? '' : ` [${error.code}]`}: ${cut(error.message, MAX_MESSAGE)}`;
  const frames = error.stack?.search(/^\s+at /m) ?? -1;
  const own = frames < 0 ? '' : trimStack(error.stack?.slice(frames) ?? '');
  return own === '' ? header : `${header}\n${cut(own, MAX_STACK)}`;
}

/** The stack of an attempt that failed, as it is kept with its job. */
export function encodeAttempt(error: StoredError, mark: AttemptMark): string {
  return formatAttemptLine(encodeStack(error), mark);
}

/** An error as it reads once it was stored: what is told of it before must not differ. */
export function toKeptError(error: StoredError): StoredError {
  return toError(encodeMessage(error), encodeStack(error));
}

export function encodeMessage(error: StoredError): string {
  return cut(error.message, MAX_MESSAGE);
}

function toError(message: string, stack: string | undefined): StoredError {
  if (message === STALLED_TOO_OFTEN) return { name: 'WorkerLost', message, code: 'WORKER_LOST', stack: null };
  const { name, code } = readHeader(stack ?? '');
  return { name, message, code, stack: stack ?? null };
}

function cut(text: string, length: number): string {
  const kept = text.length <= length ? text : `${text.slice(0, length)}… (${text.length - length} characters left out)`;
  // An error's text is not ours to refuse, so what PostgreSQL cannot store is made visible instead.
  return kept.replaceAll('\0', '\\0').toWellFormed();
}
