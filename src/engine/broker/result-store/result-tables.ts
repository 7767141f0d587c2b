/**
 * The table of results, how older ones become newer ones, and how a row of it reads in tq's words. Names are plain English, for
 * people query it with SQL; instants are epoch milliseconds, and JSON is the text as it was written.
 *
 * A migration is one entry here, run in one transaction, forward only.
 */
import type { FinalState, NewResultRow, ResultRow } from './result-port.ts';

export interface ResultRecord {
  readonly id: string;
  readonly queue: string;
  readonly task: string;
  readonly state: FinalState;
  readonly args: string | null;
  readonly result: string | null;
  readonly error_name: string | null;
  readonly error_message: string | null;
  readonly error_code: string | null;
  readonly error_stack: string | null;
  readonly reason: string | null;
  readonly progress: string | null;
  readonly attempts: number;
  readonly created_at_ms: number;
  readonly started_at_ms: number;
  readonly finished_at_ms: number;
  readonly duration_ms: number;
  readonly worker: string;
  readonly request_id: string;
  readonly parent_id: string | null;
  readonly root_id: string;
  readonly workflow_id: string | null;
  readonly expires_at_ms: number | null;
}

export interface ResultTables {
  readonly results: ResultRecord;
}

type ColumnKind = 'name' | 'name?' | 'text?' | 'json?' | 'number' | 'number?';

/** In the order of the table. A `name` is compared bytewise, so that it sorts alike in every database. */
export const COLUMNS = {
  id: 'name',
  queue: 'name',
  task: 'name',
  state: 'name',
  args: 'json?',
  result: 'json?',
  error_name: 'text?',
  error_message: 'text?',
  error_code: 'text?',
  error_stack: 'text?',
  reason: 'text?',
  progress: 'json?',
  attempts: 'number',
  created_at_ms: 'number',
  started_at_ms: 'number',
  finished_at_ms: 'number',
  duration_ms: 'number',
  worker: 'name',
  request_id: 'name',
  parent_id: 'name?',
  root_id: 'name',
  workflow_id: 'name?',
  expires_at_ms: 'number?',
} as const satisfies Record<keyof ResultRecord, ColumnKind>;

export const COLUMN_NAMES = Object.keys(COLUMNS) as (keyof ResultRecord)[];

/** What a newer row of the same job overwrites. */
export const REPLACED = COLUMN_NAMES.filter((name) => name !== 'id' && name !== 'queue')
  .map((name) => `${name} = excluded.${name}`)
  .join(', ');

/** @param types of the database, for each kind */
function createTable(types: Readonly<Record<'name' | 'text' | 'json' | 'number', string>>): string {
  const columns = Object.entries(COLUMNS).map(([name, kind]) => {
    const type = types[kind.replace('?', '') as keyof typeof types];
    return `${name} ${type}${kind.endsWith('?') ? '' : ' NOT NULL'}`;
  });
  return `CREATE TABLE results (${columns.join(', ')}, PRIMARY KEY (id, queue))`;
}

/** What histories are asked for by: the time, a task, a state, a request, a tree of jobs, a workflow. */
const INDEXES = `
  CREATE INDEX results_by_time ON results (finished_at_ms, id, queue);
  CREATE INDEX results_by_task ON results (task, finished_at_ms);
  CREATE INDEX results_by_state ON results (state, finished_at_ms);
  CREATE INDEX results_by_request ON results (request_id);
  CREATE INDEX results_by_root ON results (root_id);
  CREATE INDEX results_by_workflow ON results (workflow_id) WHERE workflow_id IS NOT NULL;
  CREATE INDEX results_by_end ON results (expires_at_ms) WHERE expires_at_ms IS NOT NULL;
`;

export const POSTGRES_MIGRATIONS: readonly string[] = [
  createTable({ name: 'text COLLATE "C"', text: 'text', json: 'json', number: 'bigint' }),
  INDEXES,
];

export const SQLITE_MIGRATIONS: readonly string[] = [
  createTable({ name: 'TEXT', text: 'TEXT', json: 'TEXT', number: 'INTEGER' }),
  INDEXES,
];

export const LATEST_VERSION = POSTGRES_MIGRATIONS.length;

export function toRecord(row: NewResultRow): ResultRecord {
  const { error } = row;
  return {
    id: toName(row.id, MAX_ID),
    queue: toName(row.queue, MAX_QUEUE),
    task: toName(row.task),
    state: row.state,
    args: row.argsJson,
    result: row.resultJson,
    error_name: error === null ? null : toText(error.name),
    error_message: error === null ? null : toText(error.message),
    error_code: error === null || error.code === null ? null : toText(error.code),
    error_stack: error === null || error.stack === null ? null : toText(error.stack),
    reason: row.reason === null ? null : toText(row.reason),
    progress: row.progressJson,
    attempts: row.attempts,
    created_at_ms: row.createdAt,
    started_at_ms: row.startedAt,
    finished_at_ms: row.finishedAt,
    duration_ms: row.durationMs,
    worker: toName(row.worker),
    request_id: toName(row.requestId),
    parent_id: row.parentId === null ? null : toName(row.parentId),
    root_id: toName(row.rootId),
    workflow_id: row.workflowId === null ? null : toName(row.workflowId),
    expires_at_ms: row.expiresAt,
  };
}

/** An entry of an index of PostgreSQL takes 2,704 bytes at most, and a character three: that bounds what other producers may send. */
const MAX_NAME = 800;
const MAX_ID = 500;
const MAX_QUEUE = 300;

function toName(text: string, longest = MAX_NAME): string {
  return toText(text.length > longest ? text.slice(0, longest) : text);
}

/** Text that a database can hold: PostgreSQL stores no NUL, and neither stores half a surrogate pair. */
function toText(text: string): string {
  return text.includes('\0') || !text.isWellFormed() ? text.replaceAll('\0', '\\0').toWellFormed() : text;
}

/** @param record numbers may be texts, as PostgreSQL gives its bigint */
export function toRow(record: ResultRecord): ResultRow {
  const message = record.error_message;
  return {
    id: record.id,
    queue: record.queue,
    task: record.task,
    state: record.state,
    args: parse(record.args) as readonly unknown[] | null,
    result: parse(record.result),
    error:
      message === null
        ? null
        : { name: record.error_name ?? 'Error', message, code: record.error_code, stack: record.error_stack },
    reason: record.reason,
    progress: parse(record.progress),
    attempts: Number(record.attempts),
    createdAt: Number(record.created_at_ms),
    startedAt: Number(record.started_at_ms),
    finishedAt: Number(record.finished_at_ms),
    durationMs: Number(record.duration_ms),
    worker: record.worker,
    requestId: record.request_id,
    parentId: record.parent_id,
    rootId: record.root_id,
    workflowId: record.workflow_id,
    expiresAt: record.expires_at_ms === null ? null : Number(record.expires_at_ms),
  };
}

function parse(json: string | null): unknown {
  return json === null ? null : JSON.parse(json);
}
