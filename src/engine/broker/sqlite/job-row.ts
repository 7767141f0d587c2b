import type { JobJson, JobProgress, ParentKeys } from 'bullmq';
import type { SqlRow, SqlValue } from './connection.ts';
import type { OpenQueue } from './open-queue.ts';
import { STATE_CODES, STATE_NAMES, type State } from './schema.ts';

/** The columns that operations decide by. The long ones (data, result, stack) are read only to be handed out. */
const HEAD_COLUMNS =
  'seq, id, state, rank, lock_token, lock_until, timestamp, delay, priority, attempts_made, attempts_started, processed_on, ' +
  'finished_on, parent_key, parent, scheduler_id, deduplication_id, stalled_count';

const JSON_COLUMNS =
  'id, name, data, opts, progress, delay, priority, timestamp, attempts_started, attempts_made, stalled_count, finished_on, ' +
  'processed_on, scheduler_id, deduplication_id, failed_reason, deferred_failure, stacktrace, return_value, parent_key, parent, ' +
  'processed_by';

const READ_HEAD = `SELECT ${HEAD_COLUMNS} FROM job WHERE queue_id = ? AND id = ?`;
const READ_HEADS = `SELECT ${HEAD_COLUMNS} FROM job WHERE queue_id = ? AND id IN (SELECT value FROM json_each(?))`;
const READ_JSON = `SELECT ${JSON_COLUMNS} FROM job WHERE queue_id = ? AND id = ?`;
const EXISTS = 'SELECT 1 FROM job WHERE queue_id = ? AND id = ?';
const LOWEST_RANK = 'SELECT rank FROM job WHERE queue_id = ? AND state = ? ORDER BY rank LIMIT 1';
const FIRST_WHOLE = `SELECT ${JSON_COLUMNS}, seq, rank FROM job WHERE queue_id = ? AND state = ? ORDER BY rank LIMIT 1`;
/** Ranks of prioritized jobs that were handed back are alike; Redis then goes by the id. */
const FIRST_WHOLE_BY_ID = `SELECT ${JSON_COLUMNS}, seq, rank FROM job WHERE queue_id = ? AND state = ? ORDER BY rank, id LIMIT 1`;
const HEADS_BY_RANK = `SELECT ${HEAD_COLUMNS} FROM job WHERE queue_id = ? AND state = ? AND rank BETWEEN ? AND ? ORDER BY rank, id LIMIT ?`;
const HEADS_BY_RANK_DOWN = `SELECT ${HEAD_COLUMNS} FROM job WHERE queue_id = ? AND state = ? AND rank <= ? ORDER BY rank DESC, id DESC LIMIT ? OFFSET ?`;
const DELETE_JOB = 'DELETE FROM job WHERE seq = ?';
const DELETE_LOGS = 'DELETE FROM log WHERE queue_id = ? AND job_id = ?';
const DELETE_DEPENDENCIES = 'DELETE FROM dependency WHERE queue_id = ? AND parent_id = ?';
const HAS_LOG = 'SELECT 1 FROM log WHERE queue_id = ? AND job_id = ? LIMIT 1';
const HAS_DEPENDENCY = 'SELECT 1 FROM dependency WHERE queue_id = ? AND parent_id = ? LIMIT 1';
const HIGHEST_RANK_BETWEEN = 'SELECT max(rank) FROM job WHERE queue_id = ? AND state = ? AND rank BETWEEN ? AND ?';
const INSERT_JOB = `INSERT INTO job (queue_id, id, state, rank, timestamp, delay, priority, parent_key, parent, scheduler_id,
  deduplication_id, name, opts, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** A job without its payload, as read in this transaction. */
export interface JobHead {
  readonly seq: number;
  readonly id: string;
  state: State | null;
  rank: number;
  readonly lockToken: string | null;
  readonly lockUntil: number;
  readonly timestamp: number;
  readonly delay: number;
  readonly priority: number;
  readonly attemptsMade: number;
  readonly attemptsStarted: number;
  readonly processedOn: number | null;
  readonly finishedOn: number | null;
  readonly parentKey: string | null;
  readonly parent: string | null;
  readonly schedulerId: string | null;
  readonly deduplicationId: string | null;
  readonly stalledCount: number;
}

/** Columns of `job` that operations set; a place is set with `moveJob` alone. */
export type JobColumn =
  | 'lock_token'
  | 'lock_until'
  | 'stalled_mark'
  | 'delay'
  | 'priority'
  | 'attempts_made'
  | 'attempts_started'
  | 'stalled_count'
  | 'processed_on'
  | 'finished_on'
  | 'processed_by'
  | 'parent_key'
  | 'parent'
  | 'deferred_failure'
  | 'failed_reason'
  | 'progress'
  | 'stacktrace'
  | 'return_value'
  | 'data';

export type JobChanges = { readonly [Column in JobColumn]?: SqlValue };

export function readJob(queue: OpenQueue, id: string): JobHead | undefined {
  return toHead(queue.connection.get(READ_HEAD, queue.id, id));
}

/** Those of these jobs that are there, in no order. */
export function listHeads(queue: OpenQueue, ids: readonly string[]): JobHead[] {
  return toHeads(queue.connection.all(READ_HEADS, queue.id, JSON.stringify(ids)));
}

export function hasJob(queue: OpenQueue, id: string): boolean {
  return queue.connection.get(EXISTS, queue.id, id) !== undefined;
}

/** The lowest rank of a state's jobs; undefined when it has none. */
export function readLowestRank(queue: OpenQueue, state: State): number | undefined {
  return queue.connection.get(LOWEST_RANK, queue.id, STATE_CODES[state])?.[0] as number | undefined;
}

/** What moving a job takes. */
export type PlacedJob = Pick<JobHead, 'seq' | 'state' | 'rank'>;

/** The job of lowest rank, whole. */
export function readFirstJob(
  queue: OpenQueue,
  state: 'wait' | 'prioritized',
): { readonly json: JobJson; readonly place: PlacedJob } | undefined {
  const sql = state === 'wait' ? FIRST_WHOLE : FIRST_WHOLE_BY_ID;
  const row = queue.connection.get(sql, queue.id, STATE_CODES[state]);
  if (row === undefined) return undefined;
  const [seq, rank] = row.slice(-2) as [number, number];
  return { json: toJson(row), place: { seq, state, rank } };
}

/** Jobs of a state in the order of their ranks, lowest first. @param limit -1 for all */
export function listJobs(queue: OpenQueue, state: State, range: RankRange = {}, limit = -1): JobHead[] {
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = range;
  return toHeads(queue.connection.all(HEADS_BY_RANK, queue.id, STATE_CODES[state], from, to, limit));
}

/** Jobs of a state, highest rank first. @param limit -1 for all @param skip how many of the highest are left out */
export function listJobsDown(queue: OpenQueue, state: State, to: number, limit: number, skip = 0): JobHead[] {
  return toHeads(queue.connection.all(HEADS_BY_RANK_DOWN, queue.id, STATE_CODES[state], to, limit, skip));
}

/** Both ends belong to the range. */
export interface RankRange {
  readonly from?: number;
  readonly to?: number;
}

/** The highest rank of a state within a range, both ends included. */
export function readHighestRank(queue: OpenQueue, state: State, from: number, to: number): number | null {
  return queue.connection.get(HIGHEST_RANK_BETWEEN, queue.id, STATE_CODES[state], from, to)?.[0] as number | null;
}

export interface NewJob {
  readonly id: string;
  readonly name: string;
  readonly data: string;
  readonly opts: JobJson['opts'];
  readonly timestamp: number;
  readonly delay: number;
  readonly priority: number;
  readonly parentKey: string | null;
  /** JSON. */
  readonly parent: string | null;
  readonly schedulerId: string | null;
  readonly deduplicationId: string | null;
}

/** Stores a job at its place. The id must be free. */
export function insertJob(queue: OpenQueue, job: NewJob, state: State, rank: number): void {
  queue.connection.run(
    INSERT_JOB,
    queue.id,
    job.id,
    STATE_CODES[state],
    rank,
    job.timestamp,
    job.delay,
    job.priority,
    job.parentKey,
    job.parent,
    job.schedulerId,
    job.deduplicationId,
    job.name,
    formatOptions(job.opts),
    job.data,
  );
  queue.addToCount(state, 1);
}

/** Options as they are stored. One that is null counts as absent, as it does on its way to Redis. */
export function formatOptions(options: JobJson['opts']): string {
  return JSON.stringify(options, (key, value: unknown) => (value === null && key !== '' ? undefined : value));
}

const updates = new Map<string, string>();

function updateSql(columns: string[]): string {
  const key = columns.join();
  let sql = updates.get(key);
  if (sql === undefined) {
    sql = `UPDATE job SET ${columns.map((column) => `${column} = ?`).join(', ')} WHERE seq = ?`;
    updates.set(key, sql);
  }
  return sql;
}

/** Changes columns of a job and leaves it where it is. */
export function updateJob(queue: OpenQueue, job: JobHead, changes: JobChanges): void {
  const columns = Object.keys(changes);
  if (columns.length === 0) return;
  queue.connection.run(updateSql(columns), ...(Object.values(changes) as SqlValue[]), job.seq);
}

/** Moves a job to another place, and changes columns with it. */
export function moveJob(queue: OpenQueue, job: PlacedJob, state: State, rank: number, changes: JobChanges = {}): void {
  const columns = ['state', 'rank', ...Object.keys(changes)];
  queue.connection.run(
    updateSql(columns),
    STATE_CODES[state],
    rank,
    ...(Object.values(changes) as SqlValue[]),
    job.seq,
  );
  if (job.state !== null) queue.addToCount(job.state, -1);
  queue.addToCount(state, 1);
  job.state = state;
  job.rank = rank;
}

/** Removes a job's row, its logs and what it knows of its children. Its parent is not told. */
export function deleteJob(queue: OpenQueue, job: JobHead): void {
  queue.connection.run(DELETE_JOB, job.seq);
  if (job.state !== null) queue.addToCount(job.state, -1);
  job.state = null;
  if (queue.connection.get(HAS_LOG, queue.id, job.id)) queue.connection.run(DELETE_LOGS, queue.id, job.id);
  if (queue.connection.get(HAS_DEPENDENCY, queue.id, job.id)) {
    queue.connection.run(DELETE_DEPENDENCIES, queue.id, job.id);
  }
}

export function isLocked(job: JobHead, now: number): boolean {
  return job.lockToken !== null && job.lockUntil > now;
}

function toHeads(rows: SqlRow[]): JobHead[] {
  return rows.map((row) => toHead(row) as JobHead);
}

function toHead(row: SqlRow | undefined): JobHead | undefined {
  if (row === undefined) return undefined;
  return {
    seq: row[0] as number,
    id: row[1] as string,
    state: STATE_NAMES.get(row[2] as number) ?? null,
    rank: row[3] as number,
    lockToken: row[4] as string | null,
    lockUntil: (row[5] as number | null) ?? 0,
    timestamp: row[6] as number,
    delay: row[7] as number,
    priority: row[8] as number,
    attemptsMade: row[9] as number,
    attemptsStarted: row[10] as number,
    processedOn: row[11] as number | null,
    finishedOn: row[12] as number | null,
    parentKey: row[13] as string | null,
    parent: row[14] as string | null,
    schedulerId: row[15] as string | null,
    deduplicationId: row[16] as string | null,
    stalledCount: row[17] as number,
  };
}

/** A whole job as BullMQ takes it. */
export function readJobJson(queue: OpenQueue, id: string): JobJson | undefined {
  const row = queue.connection.get(READ_JSON, queue.id, id);
  return row === undefined ? undefined : toJson(row);
}

function toJson(row: SqlRow): JobJson {
  const progress = row[4] as string | null;
  const parent = row[20] as string | null;
  const json: { [Field in keyof JobJson]: JobJson[Field] | undefined } = {
    id: row[0] as string,
    name: row[1] as string,
    data: row[2] as string,
    opts: JSON.parse(row[3] as string),
    progress: progress === null ? 0 : (JSON.parse(progress) as JobProgress),
    delay: row[5] as number,
    priority: row[6] as number,
    timestamp: row[7] as number,
    attemptsStarted: row[8] as number,
    attemptsMade: row[9] as number,
    stalledCounter: row[10] as number,
    finishedOn: (row[11] as number | null) ?? undefined,
    processedOn: (row[12] as number | null) ?? undefined,
    repeatJobKey: (row[13] as string | null) ?? undefined,
    debounceId: (row[14] as string | null) ?? undefined,
    deduplicationId: (row[14] as string | null) ?? undefined,
    failedReason: (row[15] as string | null) ?? undefined,
    deferredFailure: (row[16] as string | null) ?? undefined,
    stacktrace: (row[17] as string | null) ?? undefined,
    returnvalue: (row[18] as string | null) ?? undefined,
    parentKey: (row[19] as string | null) ?? undefined,
    parent: parent === null ? undefined : (JSON.parse(parent) as ParentKeys),
    processedBy: (row[21] as string | null) ?? undefined,
  };
  return json as JobJson;
}
