import {
  array,
  check,
  exactOptional,
  finite,
  type GenericSchema,
  getDotPath,
  type InferOutput,
  integer,
  maxLength,
  maxValue,
  minLength,
  minValue,
  nullable,
  number,
  object,
  picklist,
  pipe,
  record,
  safeParse,
  string,
  unknown,
} from 'valibot';
import { assertQueueName } from '../../engine/broker/queue-name.ts';
import type { StateEntry } from '../../engine/broker/state-port.ts';
import { isRecord } from '../../engine/core/envelope.ts';
import type { JobRecord } from '../../engine/core/job-record.ts';

/**
 * The lines of an exported file, one JSON object each:
 *
 * - a job: `{"v":1,"kind":"job", …JobRecord}`, everything that its store held about it, but for its place among others in the numbers of
 *   that store. A line without a kind is a job.
 * - `{"v":1,"kind":"state","key":…,"value":…,"leftMs":…}`: a record of a workflow, before the jobs that need it. `leftMs` counts on
 *   from when it is imported.
 */
export type TransferLine =
  | { readonly kind: 'job'; readonly record: JobRecord }
  | { readonly kind: 'state'; readonly entry: StateRecord };

export type StateRecord = Pick<StateEntry, 'key' | 'value' | 'leftMs'>;

/** Raised when a line means something else than it did; what is only added needs no new one. */
const TRANSFER_VERSION = 1;

/** Keys of state that a file may bring: it must not write leases, pauses or the audit. */
const WORKFLOW_KEYS = 'workflow/';

export function formatJobLine({ rank: _, ...record }: JobRecord): string {
  return `${JSON.stringify({ v: TRANSFER_VERSION, kind: 'job', ...record })}\n`;
}

export function formatStateLine({ key, value, leftMs }: StateRecord): string {
  return `${JSON.stringify({ v: TRANSFER_VERSION, kind: 'state', key, value, leftMs })}\n`;
}

/** @returns what the line says, or what is wrong with it, as the end of the sentence "line 7: …" */
export function parseTransferLine(text: string, isOpen = false): TransferLine | { readonly fault: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { fault: isOpen ? 'the file is cut in the middle of this line' : 'it is no JSON' };
  }
  if (!isRecord(value)) return { fault: 'it is no JSON object' };
  const { v, kind = 'job' } = value;
  if (typeof v === 'number' && v > TRANSFER_VERSION) {
    return { fault: `it is of version ${v} of the format, and this tq knows versions up to ${TRANSFER_VERSION}` };
  }
  if (v !== TRANSFER_VERSION) return { fault: 'it is no line of `tq jobs export`: "v" must be 1' };
  if (kind === 'job') {
    const read = readFields(jobFields, value);
    return 'fault' in read ? read : { kind, record: read.fields };
  }
  if (kind === 'state') {
    const read = readFields(stateFields, value);
    return 'fault' in read ? read : { kind, entry: read.fields };
  }
  return { fault: `its kind ${quote(kind)} is not known to this tq` };
}

function readFields<Schema extends GenericSchema>(
  schema: Schema,
  value: unknown,
): { readonly fields: InferOutput<Schema> } | { readonly fault: string } {
  const parsed = safeParse(schema, value, { abortEarly: true });
  if (parsed.success) return { fields: parsed.output };
  const [issue] = parsed.issues;
  const field = `"${getDotPath(issue) ?? ''}"`;
  if (issue.kind === 'validation') return { fault: `${field} ${issue.message}` };
  if (issue.received === 'undefined') return { fault: `${field} is missing` };
  return { fault: `${field} must be ${issue.expected ?? 'something else'}: got ${quote(issue.input)}` };
}

function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function isQueueName(name: string): boolean {
  try {
    assertQueueName(name);
    return true;
  } catch {
    return false;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** How deep values may lie in options: a store writes them by a function that calls itself. */
const MAX_DEPTH = 100;

function isShallow(value: unknown, left = MAX_DEPTH): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return left > 0 && Object.values(value).every((item) => isShallow(item, left - 1));
}

/** BullMQ's largest. */
const MAX_PRIORITY = 2_097_152;

const id = pipe(string(), minLength(1, 'is empty'), maxLength(2000, 'is longer than 2000 characters'));
const queue = pipe(string(), check(isQueueName, 'is no name of a queue'));
const json = pipe(string(), check(isJson, 'holds no JSON'));
const instant = pipe(number(), finite('is no time'), minValue(0, 'is before 1970'));
const count = pipe(number(), integer('is no whole number'), minValue(0, 'is below 0'));

const jobFields = object({
  id,
  task: string(),
  queue,
  place: picklist(['waiting', 'active', 'scheduled', 'blocked', 'dead', 'completed']),
  data: json,
  options: pipe(
    record(string(), unknown()),
    check((options) => isShallow(options), 'is nested too deeply'),
  ),
  priority: pipe(count, maxValue(MAX_PRIORITY, `is above ${MAX_PRIORITY}`)),
  createdAt: instant,
  delayMs: pipe(number(), finite('is no duration'), minValue(0, 'is below 0')),
  dueAt: nullable(instant),
  attemptsMade: count,
  attemptsStarted: count,
  workersLost: count,
  startedAt: nullable(instant),
  finishedAt: nullable(instant),
  worker: nullable(string()),
  failure: nullable(string()),
  stacks: array(string()),
  result: nullable(json),
  progress: nullable(json),
  deferredFailure: nullable(string()),
  unique: nullable(string()),
  schedulerId: nullable(string()),
  parent: nullable(object({ queue, id, onDead: nullable(picklist(['start', 'wait', 'fail', 'remove'])) })),
  children: array(
    object({ queue, id, end: picklist(['pending', 'done', 'ignored', 'failed']), value: nullable(string()) }),
  ),
  log: array(string()),
  hold: exactOptional(nullable(object({ until: nullable(instant) }))),
});

const stateFields = object({
  key: pipe(
    string(),
    maxLength(2000, 'is longer than 2000 characters'),
    check((key) => key.startsWith(WORKFLOW_KEYS), 'is no record of a workflow'),
  ),
  value: string(),
  leftMs: nullable(pipe(number(), finite('is no duration'), minValue(1, 'is over'))),
});
