import type { JobRecord, RecordChild, RecordHold, RecordPlace } from '../../../core/job-record.ts';
import { parseTexts, readOnDead } from '../../record-values.ts';
import type { Query } from '../transaction.ts';

/** The place of each state. */
export const PLACES: Readonly<Record<string, RecordPlace>> = {
  waiting: 'waiting',
  active: 'active',
  delayed: 'scheduled',
  'waiting-children': 'blocked',
  failed: 'dead',
  completed: 'completed',
};

/** One statement, so that all of a job is of one instant. $1: queue, $2: ids, $3: now, epoch ms. */
const READ = `SELECT id, name, state::text AS state, seq, data::text AS data, opts, priority, added_at_ms, delay_ms, process_at_ms,
    attempts_made, attempts_started, stalled_count, processed_at_ms, finished_at_ms, processed_by, failed_reason,
    stacktrace::text AS stacks, return_value::text AS result, progress::text AS progress, deferred_failure, dedup_id, scheduler_id,
    parent_queue, parent_id,
    ARRAY(SELECT row FROM job_log WHERE job_log.queue = job.queue AND job_log.job_id = job.id ORDER BY idx) AS log,
    (SELECT json_agg(json_build_object('queue', child_queue, 'id', child_id,
        'end', CASE status::text WHEN 'processed' THEN 'done' ELSE status::text END,
        'value', CASE status::text WHEN 'processed' THEN value::text ELSE value #>> '{}' END) ORDER BY status, child_id)
      FROM job_dependency WHERE job_dependency.parent_queue = job.queue AND job_dependency.parent_id = job.id) AS children,
    (SELECT json_build_object('until', expire_at_ms) FROM dedup WHERE dedup.queue = job.queue AND dedup.dedup_id = job.dedup_id
      AND dedup.job_id = job.id AND (expire_at_ms IS NULL OR expire_at_ms > $3)) AS hold
  FROM job WHERE queue = $1 AND id = ANY($2)`;

/** The driver gives a bigint as text. */
interface Row {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly seq: string;
  readonly data: string;
  readonly opts: Readonly<Record<string, unknown>>;
  readonly priority: number;
  readonly added_at_ms: string;
  readonly delay_ms: string;
  readonly process_at_ms: string | null;
  readonly attempts_made: number;
  readonly attempts_started: number;
  readonly stalled_count: number;
  readonly processed_at_ms: string | null;
  readonly finished_at_ms: string | null;
  readonly processed_by: string | null;
  readonly failed_reason: string | null;
  readonly stacks: string | null;
  readonly result: string | null;
  readonly progress: string | null;
  readonly deferred_failure: string | null;
  readonly dedup_id: string | null;
  readonly scheduler_id: string | null;
  readonly parent_queue: string | null;
  readonly parent_id: string | null;
  readonly log: readonly string[];
  readonly children: readonly RecordChild[] | null;
  readonly hold: RecordHold | null;
}

/** Everything about these jobs, in the order of the ids. */
export async function readRecords(
  query: Query,
  queue: string,
  ids: readonly string[],
  now: number,
): Promise<JobRecord[]> {
  const rows = await query<Row>(READ, [queue, storable(ids), Math.floor(now)]);
  const byId = new Map(rows.map((row) => [row.id, toRecord(queue, row)]));
  return [...new Set(ids)].flatMap((id) => byId.get(id) ?? []);
}

/** PostgreSQL stores no text with a NUL, so no job has such an id. */
export function storable(ids: readonly string[]): string[] {
  return ids.filter((id) => !id.includes('\0'));
}

/** Rows come back in any order. */
export function inOrderOf(ids: readonly string[], done: readonly string[]): string[] {
  const found = new Set(done);
  return [...new Set(ids)].filter((id) => found.has(id));
}

function toRecord(queue: string, row: Row): JobRecord {
  const { opts, parent_queue: parentQueue, parent_id: parentId, dedup_id: unique } = row;
  return {
    id: row.id,
    task: row.name,
    queue,
    place: PLACES[row.state] ?? 'waiting',
    data: row.data,
    options: opts,
    priority: row.priority,
    createdAt: Number(row.added_at_ms),
    delayMs: Number(row.delay_ms),
    dueAt: row.state === 'delayed' ? toNumber(row.process_at_ms) : null,
    attemptsMade: row.attempts_made,
    attemptsStarted: row.attempts_started,
    workersLost: row.stalled_count,
    startedAt: toNumber(row.processed_at_ms),
    finishedAt: toNumber(row.finished_at_ms),
    worker: row.processed_by,
    failure: row.failed_reason,
    stacks: parseTexts(row.stacks),
    result: row.result,
    progress: row.progress,
    deferredFailure: row.deferred_failure,
    unique,
    schedulerId: row.scheduler_id,
    parent:
      parentQueue === null || parentId === null
        ? null
        : { queue: parentQueue, id: parentId, onDead: readOnDead(opts, 'option') },
    children: row.children ?? [],
    log: row.log,
    rank: Number(row.seq),
    ...(unique !== null && { hold: row.hold }),
  };
}

function toNumber(value: string | null): number | null {
  return value === null ? null : Number(value);
}
