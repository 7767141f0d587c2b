import { type FlowEntry, flowRefusal } from '../flow-entry.ts';

type Query = <Row>(text: string, values: unknown[]) => Promise<Row[]>;

/**
 * BullMQ's function answers with a code for a job that it refuses, and adds the others. A code that is turned into a number which
 * it is not fails the statement, and so undoes it. The jobs that were dead letters before are told by `was_dead`, which is read as
 * things were when the statement began.
 */
const ADD_FLOW = `
  SELECT
    CASE WHEN added.id IN ('-5', '-7') THEN (added.id || ' ' || added.place || ' refused')::integer::text ELSE added.id END
      AS id,
    wanted.entry ->> 'parentId' IS NOT NULL AND EXISTS (
      SELECT 1 FROM job WHERE queue = wanted.entry ->> 'queue' AND id = wanted.entry ->> 'id' AND state::text = 'failed')
      AS was_dead
  FROM add_flow($1::jsonb) WITH ORDINALITY AS added(id, place)
  JOIN jsonb_array_elements($1::jsonb) WITH ORDINALITY AS wanted(entry, place) USING (place)
  ORDER BY place`;

const REFUSED = /"(-\d) (\d+) refused"/;

/** $1, $2: queues and ids of children. Those that are dead letters are no longer counted as out. */
const COUNT_DEAD_CHILDREN = `
  WITH dead AS MATERIALIZED (
    SELECT child.queue, child.id, child.parent_queue, child.parent_id, child.failed_reason
    FROM unnest($1::text[], $2::text[]) AS wanted(queue, id)
    JOIN job AS child ON child.queue = wanted.queue AND child.id = wanted.id AND child.state::text = 'failed'
    ORDER BY child.queue, child.id FOR UPDATE OF child),
  filed AS (
    UPDATE job_dependency AS link SET status = 'ignored', value = to_jsonb(dead.failed_reason) FROM dead
    WHERE link.parent_queue = dead.parent_queue AND link.parent_id = dead.parent_id
      AND link.child_key = dead.queue || ':' || dead.id AND link.status = 'pending'
    RETURNING link.parent_queue, link.parent_id),
  counted AS (SELECT parent_queue, parent_id, count(*) AS number FROM filed GROUP BY parent_queue, parent_id)
  UPDATE job SET pending_deps = GREATEST(pending_deps - counted.number, 0) FROM counted
  WHERE job.queue = counted.parent_queue AND job.id = counted.parent_id`;

/** $1, $2: queues and ids of parents; $3: whether each is to start in any case; $4: now, epoch ms. */
const RELEASE = `
  SELECT move_parent_to_wait(job.queue, job.id, $4)
  FROM unnest($1::text[], $2::text[], $3::boolean[]) AS parent(queue, id, starts)
  JOIN job ON job.queue = parent.queue AND job.id = parent.id AND (parent.starts OR job.pending_deps = 0)`;

/**
 * Adds the jobs of a flow in one statement, all or none. Children that exist already and are dead letters are counted as such by
 * further statements: BullMQ counts some of them as out, and their parent would wait for ever. A process that dies in between
 * leaves that to whoever adds the same flow again, which the job that it adds for does: it has not been acknowledged.
 *
 * @throws PARENT_MISSING
 */
export async function addPostgresFlow(query: Query, entries: readonly FlowEntry[], now: number): Promise<string[]> {
  const payload = JSON.stringify(entries.map(toBatchEntry));
  const rows = await query<{ id: string; was_dead: boolean }>(ADD_FLOW, [payload]).catch((error: Error) => {
    const [, code, place] = REFUSED.exec(error.message) ?? [];
    const refused = entries[Number(place) - 1];
    throw refused === undefined ? error : flowRefusal(refused, Number(code));
  });
  const dead = entries.filter((_, index) => rows[index]?.was_dead === true);
  if (dead.length > 0) await countDeadChildren(query, dead, now);
  return rows.map(({ id }) => id);
}

async function countDeadChildren(query: Query, dead: readonly FlowEntry[], now: number): Promise<void> {
  await query(COUNT_DEAD_CHILDREN, [dead.map(({ queueName }) => queueName), dead.map(({ jobId }) => jobId)]);
  const parents = new Map<string, { queue: string; id: string; starts: boolean }>();
  for (const { jobData } of dead) {
    const { queueKey: queue = '', id = '', cpof = false } = jobData.parent ?? {};
    const key = jobData.parentKey ?? '';
    parents.set(key, { queue, id, starts: cpof || parents.get(key)?.starts === true });
  }
  const list = [...parents.values()];
  await query(RELEASE, [
    list.map(({ queue }) => queue),
    list.map(({ id }) => id),
    list.map(({ starts }) => starts),
    now,
  ]);
}

/** As BullMQ's backend writes a job for its function. */
function toBatchEntry({ jobData, jobId, queueName, parentKeyOpts }: FlowEntry): object {
  const { opts, parent } = jobData;
  return {
    queue: queueName,
    id: jobId,
    name: jobData.name,
    data: jobData.data,
    opts,
    priority: opts.priority ?? 0,
    delay: opts.delay ?? 0,
    timestamp: jobData.timestamp,
    attempts: 1,
    parentQueue: parent?.queueKey ?? null,
    parentId: parent?.id ?? null,
    parentKey: jobData.parentKey ?? null,
    dedupId: jobData.deduplicationId ?? null,
    schedulerId: null,
    lifo: false,
    addToWaitingChildren: parentKeyOpts.addToWaitingChildren ?? false,
  };
}

const NOW_MS = '(extract(epoch FROM clock_timestamp()) * 1000)::bigint';

/**
 * BullMQ's function for it drops the stacks of the attempts, keeps lost workers and revocations, and does not count a child of a
 * parent that goes on without it. $1: the queue, $2: the job, $3: from which states.
 */
const REPROCESS = `
  WITH finished AS MATERIALIZED (
    SELECT queue, id, state::text AS state, parent_queue, parent_id, nextval('job_seq') AS number
    FROM job WHERE queue = $1 AND id = $2 AND state::text = ANY($3) FOR UPDATE),
  moved AS (
    UPDATE job SET state = 'waiting', seq = finished.number, process_at_ms = NULL, processed_at_ms = NULL,
      finished_at_ms = NULL, return_value = NULL, failed_reason = NULL, deferred_failure = NULL, stalled_count = 0,
      attempts_made = 0, attempts_started = 0
    FROM finished WHERE job.queue = $1 AND job.id = $2 RETURNING job.id),
  reopened AS (
    UPDATE job_dependency AS link SET status = 'pending', value = NULL FROM finished
    WHERE link.parent_queue = finished.parent_queue AND link.parent_id = finished.parent_id
      AND link.child_key = finished.queue || ':' || finished.id AND link.status::text <> 'pending'
    RETURNING link.parent_queue, link.parent_id),
  counted AS (
    UPDATE job AS parent SET pending_deps = parent.pending_deps + 1 FROM reopened
    WHERE parent.queue = reopened.parent_queue AND parent.id = reopened.parent_id),
  told AS (
    INSERT INTO event (queue, event, data, created_at_ms)
    SELECT queue, 'waiting', jsonb_build_object('jobId', id, 'prev', state), ${NOW_MS} FROM finished)
  SELECT id, pg_notify('bullmq_jobs', $1), pg_notify('bullmq_events', $1) FROM moved`;

/** Runs a finished job again. @returns false when it is not there, or has not finished in one of these ways */
export async function reprocessPostgresJob(
  query: Query,
  queue: string,
  id: string,
  from: readonly ('failed' | 'completed')[],
): Promise<boolean> {
  // PostgreSQL stores no text with a NUL, so no job has such an id.
  if (id.includes('\0')) return false;
  return (await query(REPROCESS, [queue, id, from])).length > 0;
}
