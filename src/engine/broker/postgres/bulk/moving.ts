import type { ScanPlace } from '../../bulk-port.ts';
import type { Transact } from '../transaction.ts';
import { LOCKED, lockQueues } from './locking.ts';
import { inOrderOf, storable } from './record-reading.ts';
import { statesOf } from './removing.ts';
import { tellEvents, toldOfPlace, wakeWorkers } from './telling.ts';

/** $1: queue, $2: ids, $3: states. */
const LOCK = `SELECT id FROM job WHERE queue = $1 AND id = ANY($2) AND state::text = ANY($3)
  AND state::text <> 'waiting-children' AND parent_id IS NULL AND scheduler_id IS NULL
  AND NOT EXISTS (SELECT 1 FROM job_dependency WHERE parent_queue = job.queue AND parent_id = job.id) ${LOCKED}`;

/** Whatever columns the table has. $3: the other queue. */
const COPY = `INSERT INTO job SELECT copy.* FROM (
    SELECT found AS job, nextval('job_seq') AS number FROM (
      SELECT job AS found FROM job WHERE queue = $1 AND id = ANY($2) ORDER BY priority, seq OFFSET 0) AS ordered) AS numbered,
  LATERAL jsonb_populate_record(numbered.job, jsonb_build_object('queue', $3::text, 'seq', numbered.number)) AS copy
  ON CONFLICT (queue, id) DO NOTHING RETURNING id, state::text AS state, process_at_ms AS due, dedup_id`;

const MOVE_LOG = 'UPDATE job_log SET queue = $3 WHERE queue = $1 AND job_id = ANY($2)';
/** $3: unique keys, $4: the other queue, $5: now, epoch ms. */
const MOVE_KEYS = `WITH held AS (
    DELETE FROM dedup WHERE queue = $1 AND dedup_id = ANY($3) AND job_id = ANY($2) RETURNING dedup_id, job_id, expire_at_ms)
  INSERT INTO dedup (queue, dedup_id, job_id, expire_at_ms) SELECT $4, dedup_id, job_id, expire_at_ms FROM held
  ON CONFLICT (queue, dedup_id) DO UPDATE SET job_id = EXCLUDED.job_id, expire_at_ms = EXCLUDED.expire_at_ms
  WHERE dedup.expire_at_ms <= $5`;
const REMOVE = 'DELETE FROM job WHERE queue = $1 AND id = ANY($2)';

interface Row {
  readonly id: string;
  readonly state: string;
  readonly due: string | null;
  readonly dedup_id: string | null;
}

/**
 * Moves jobs to another queue, behind those that are at the same place there, in the order in which they were. A unique key goes with its
 * job, unless another job of that queue holds it.
 *
 * @returns the ids of those that were moved
 */
export async function moveJobs(
  transact: Transact,
  queue: string,
  {
    ids,
    from,
    target,
  }: { readonly ids: readonly string[]; readonly from: readonly ScanPlace[]; readonly target: string },
  now: number,
): Promise<string[]> {
  if (queue === target) return [];
  return await transact(async (query) => {
    await lockQueues(query, [queue, target]);
    const locked = await query<{ id: string }>(LOCK, [queue, storable(ids), statesOf(from)]);
    const moved = await query<Row>(COPY, [queue, locked.map(({ id }) => id), target]);
    if (moved.length === 0) return [];
    const movedIds = moved.map(({ id }) => id);
    const keys = moved.flatMap(({ dedup_id: key }) => key ?? []);
    await query(MOVE_LOG, [queue, movedIds, target]);
    if (keys.length > 0) await query(MOVE_KEYS, [queue, movedIds, keys, target, Math.floor(now)]);
    await query(REMOVE, [queue, movedIds]);
    const gone = moved.map(({ id, state }) => ({ event: 'removed', data: { jobId: id, prev: state } }));
    await tellEvents(query, queue, gone);
    const come = moved.flatMap(({ id, state, due }) => toldOfPlace(id, state, due === null ? null : Number(due)));
    await tellEvents(query, target, come);
    await wakeWorkers(query, target);
    return inOrderOf(ids, movedIds);
  });
}
