import type { DeadJob, JobChange } from '../../bulk-port.ts';
import { encodePriority } from '../../stored-job.ts';
import type { Query, Transact } from '../transaction.ts';
import { LOCKED, lockParentsOf } from './locking.ts';
import { inOrderOf, storable } from './record-reading.ts';
import { type Told, tellEvents, wakeWorkers } from './telling.ts';

/** Each of these changes a job as a whole or not at all, and gives the ids of those that were changed. */

/** $1: queue, $2: ids, $3: states. */
const LOCK = `SELECT id FROM job WHERE queue = $1 AND id = ANY($2) AND state::text = ANY($3) ${LOCKED}`;

/** $1: queue, $2: ids, $3: changes, $4: now, epoch ms. One that waits goes behind the others of its new priority. */
const REWRITE = `UPDATE job SET
    data = COALESCE(change.next::jsonb, data),
    priority = COALESCE(change.priority, job.priority),
    seq = CASE WHEN state::text = 'waiting' AND change.priority <> job.priority THEN change.number ELSE seq END,
    process_at_ms = COALESCE(change.due, process_at_ms),
    delay_ms = CASE WHEN change.due IS NULL THEN delay_ms ELSE GREATEST(change.due - $4::bigint, 0) END
  FROM json_to_recordset($3::json) AS change(id text, seen text, next text, priority integer, due bigint, number bigint)
  WHERE job.queue = $1 AND job.id = ANY($2) AND job.id = change.id
    AND (change.seen IS NULL OR job.data = change.seen::jsonb) AND (change.due IS NULL OR state::text = 'delayed')
  RETURNING job.id, change.due`;

const CHANGEABLE = ['waiting', 'delayed', 'waiting-children', 'failed'];

export function rewriteJobs(
  transact: Transact,
  queue: string,
  changes: readonly JobChange[],
  now: number,
): Promise<string[]> {
  return transact(async (query) => {
    const asked = storable(changes.map(({ id }) => id));
    const ids = await lock(query, queue, asked, CHANGEABLE);
    if (ids.length === 0) return [];
    const numbers = await takeNumbers(query, changes.length);
    const values = changes
      .filter(({ id }) => ids.includes(id))
      .map(({ id, data, priority, dueAt }, index) => ({
        id,
        seen: data?.seen,
        next: data?.next,
        priority: priority === undefined ? undefined : encodePriority(priority),
        due: dueAt === undefined ? undefined : Math.floor(dueAt),
        number: numbers[index],
      }));
    const rows = await query<{ id: string; due: string | null }>(REWRITE, [
      queue,
      ids,
      JSON.stringify(values),
      Math.floor(now),
    ]);
    const told = rows.flatMap(({ id, due }): Told[] =>
      due === null ? [] : [{ event: 'delayed', data: { jobId: id, delay: Number(due) } }],
    );
    await tellEvents(query, queue, told);
    if (rows.length > 0) await wakeWorkers(query, queue);
    return inOrderOf(
      asked,
      rows.map(({ id }) => id),
    );
  });
}

/** As `reprocessPostgresJob` does it for one. $1: queue, $2: ids, $3: jobs. */
const REPROCESS = `UPDATE job SET state = 'waiting', seq = wanted.number, data = COALESCE(wanted.data::jsonb, job.data),
    process_at_ms = NULL, processed_at_ms = NULL, finished_at_ms = NULL, return_value = NULL, failed_reason = NULL,
    deferred_failure = NULL, stalled_count = 0, attempts_made = 0, attempts_started = 0
  FROM json_to_recordset($3::json) AS wanted(id text, finished bigint, data text, number bigint)
  WHERE job.queue = $1 AND job.id = ANY($2) AND job.id = wanted.id
    AND (wanted.finished IS NULL OR job.finished_at_ms = wanted.finished)
  RETURNING job.id`;

const REOPEN = `WITH reopened AS (
    UPDATE job_dependency AS link SET status = 'pending', value = NULL FROM job AS child
    WHERE link.child_queue = $1 AND link.child_id = ANY($2) AND child.queue = $1 AND child.id = ANY($2)
      AND child.id = link.child_id AND child.parent_queue = link.parent_queue AND child.parent_id = link.parent_id
      AND link.status <> 'pending'
    RETURNING link.parent_queue, link.parent_id),
  counted AS (SELECT parent_queue, parent_id, count(*) AS number FROM reopened GROUP BY parent_queue, parent_id)
  UPDATE job SET pending_deps = pending_deps + counted.number FROM counted
  WHERE job.queue = counted.parent_queue AND job.id = counted.parent_id`;

const NOTE = `INSERT INTO job_log (queue, job_id, idx, row)
  SELECT $1, noted.id, COALESCE((SELECT max(idx) + 1 FROM job_log WHERE queue = $1 AND job_id = noted.id), 0), noted.note
  FROM unnest($2::text[], $3::text[]) AS noted(id, note)`;

export function reprocessJobs(transact: Transact, queue: string, jobs: readonly DeadJob[]): Promise<string[]> {
  return transact(async (query) => {
    const asked = storable(jobs.map(({ id }) => id));
    await lockParentsOf(query, queue, asked);
    const ids = await lock(query, queue, asked, ['failed']);
    if (ids.length === 0) return [];
    const numbers = await takeNumbers(query, jobs.length);
    const values = jobs
      .filter(({ id }) => ids.includes(id))
      .map(({ id, finishedAt: finished, data }, index) => ({
        id,
        finished,
        data,
        number: numbers[index],
      }));
    const rows = await query<{ id: string }>(REPROCESS, [queue, ids, JSON.stringify(values)]);
    const done = inOrderOf(
      asked,
      rows.map(({ id }) => id),
    );
    await query(REOPEN, [queue, done]);
    const noted = jobs.filter(({ id, note }) => note !== undefined && done.includes(id));
    if (noted.length > 0) await query(NOTE, [queue, noted.map(({ id }) => id), noted.map(({ note }) => note)]);
    await tellWaiting(query, queue, done, 'failed');
    return done;
  });
}

const PROMOTE = `UPDATE job SET state = 'waiting', process_at_ms = NULL, delay_ms = 0, seq = wanted.number
  FROM unnest($3::text[], $4::bigint[]) AS wanted(id, number)
  WHERE job.queue = $1 AND job.id = ANY($2) AND job.id = wanted.id RETURNING job.id`;

export function promoteJobs(transact: Transact, queue: string, ids: readonly string[]): Promise<string[]> {
  return transact(async (query) => {
    const locked = await lock(query, queue, storable(ids), ['delayed']);
    const wanted = inOrderOf(ids, locked);
    if (wanted.length === 0) return [];
    const numbers = await takeNumbers(query, wanted.length);
    await query(PROMOTE, [queue, wanted, wanted, numbers]);
    await tellWaiting(query, queue, wanted, 'delayed');
    return wanted;
  });
}

async function lock(query: Query, queue: string, ids: readonly string[], states: string[]): Promise<string[]> {
  return (await query<{ id: string }>(LOCK, [queue, ids, states])).map(({ id }) => id);
}

async function tellWaiting(query: Query, queue: string, ids: readonly string[], prev: string): Promise<void> {
  const told = ids.map((id) => ({ event: 'waiting', data: { jobId: id, prev } }));
  await tellEvents(query, queue, told);
  if (ids.length > 0) await wakeWorkers(query, queue);
}

/** Numbers behind those of all jobs, in order. */
export async function takeNumbers(query: Query, count: number): Promise<number[]> {
  const rows = await query<{ number: string }>("SELECT nextval('job_seq') AS number FROM generate_series(1, $1)", [
    count,
  ]);
  return rows.map(({ number }) => Number(number));
}
