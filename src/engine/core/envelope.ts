import type { StoredRetry } from './retry-policy.ts';
import type { FiringMark } from './schedule/firing.ts';
import type { WorkflowPlace } from './workflow/graph.ts';

/**
 * How a call is written into `job.data`. Any BullMQ client can write it: `{ "args": [...], "meta": {} }`.
 */
export interface Envelope {
  readonly args: readonly unknown[];
  readonly meta: Meta;
}

/** What a call carries beside its arguments. Everything is optional, so a foreign producer may write `{}`. */
export interface Meta {
  /** Travels with every job that this one leads to, and stands on every log line. */
  readonly requestId?: string;
  /** The first job of the tree that this one belongs to. */
  readonly rootId?: string;
  /** The job that called this one. */
  readonly parentId?: string;
  /** Epoch milliseconds; a job that has not started by then is revoked. */
  readonly expiresAt?: number;
  readonly softTimeLimitMs?: number;
  readonly timeLimitMs?: number;
  /** Replaces the retry policy of the task for this call. */
  readonly retry?: StoredRetry | false;
  readonly headers?: Readonly<Record<string, string>>;
  /** How long the result may be read after the job has ended, in milliseconds; the app's rule without it. */
  readonly resultExpiresMs?: number;
  /** When its worker gives the unique key of the job back. Without it, the store does when the job ends. */
  readonly uniqueUntil?: 'started' | 'finished';
  /** Its place in a workflow. */
  readonly workflow?: WorkflowPlace;
  /** It is a firing of a schedule entry. */
  readonly schedule?: FiringMark;
}

/**
 * Reads `job.data`. Data that is not an envelope comes from a plain BullMQ producer and is the single argument.
 * Nothing here can throw: meta of a foreign producer may hold anything, so each field is taken only with the right type.
 */
export function decodeEnvelope(data: unknown): Envelope {
  if (!isRecord(data) || !Array.isArray(data.args) || !isRecord(data.meta) || Object.keys(data).length !== 2) {
    return { args: [data], meta: {} };
  }
  return { args: data.args, meta: Object.keys(data.meta).length === 0 ? NO_META : decodeMeta(data.meta) };
}

const NO_META: Meta = Object.freeze({});

function decodeMeta(raw: Record<string, unknown>): Meta {
  const meta: { -readonly [Key in keyof Meta]: Meta[Key] } = {};
  for (const key of ['requestId', 'rootId', 'parentId'] as const) {
    const value = raw[key];
    if (typeof value === 'string') meta[key] = value;
  }
  for (const key of ['expiresAt', 'softTimeLimitMs', 'timeLimitMs', 'resultExpiresMs'] as const) {
    const value = raw[key];
    if (typeof value === 'number' && Number.isFinite(value)) meta[key] = value;
  }
  if (raw.uniqueUntil === 'started' || raw.uniqueUntil === 'finished') meta.uniqueUntil = raw.uniqueUntil;
  if (raw.retry === false) meta.retry = false;
  else if (isRecord(raw.retry)) meta.retry = raw.retry as StoredRetry;
  if (isRecord(raw.headers)) meta.headers = decodeHeaders(raw.headers);
  const workflow = decodePlace(raw.workflow);
  if (workflow !== undefined) meta.workflow = workflow;
  const schedule = decodeFiring(raw.schedule);
  if (schedule !== undefined) meta.schedule = schedule;
  return meta;
}

function decodePlace(raw: unknown): WorkflowPlace | undefined {
  if (!isRecord(raw) || typeof raw.id !== 'string') return undefined;
  if (raw.node !== null && !Number.isInteger(raw.node)) return undefined;
  return {
    id: raw.id,
    node: raw.node as number | null,
    ...(typeof raw.graph === 'string' && { graph: raw.graph }),
    ...(raw.last === true && { last: true }),
    ...(raw.joins === true && { joins: true }),
    ...(raw.replaced === true && { replaced: true }),
  };
}

function decodeFiring(raw: unknown): FiringMark | undefined {
  if (!isRecord(raw) || typeof raw.entry !== 'string') return undefined;
  const mark: { -readonly [Key in keyof FiringMark]: FiringMark[Key] } = { entry: raw.entry };
  for (const key of ['dueAt', 'windowMs', 'jitterMs', 'expiresMs'] as const) {
    const value = raw[key];
    if (typeof value === 'number' && Number.isFinite(value)) mark[key] = value;
  }
  if (raw.overlap === 'skip' || raw.overlap === 'replace') mark.overlap = raw.overlap;
  return mark;
}

function decodeHeaders(raw: Record<string, unknown>): Record<string, string> {
  // fromEntries defines own properties, so a header called `__proto__` stays a header.
  return Object.fromEntries(
    Object.entries(raw).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  );
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
