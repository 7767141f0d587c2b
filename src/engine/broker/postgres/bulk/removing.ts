import type { ScanPlace } from '../../bulk-port.ts';
import type { Query, Transact } from '../transaction.ts';
import { LOCKED, lockParentsOf } from './locking.ts';
import { inOrderOf, PLACES, storable } from './record-reading.ts';
import { tellEvents } from './telling.ts';

/** $1: queue, $2: ids, $3: states. The next job of a schedule entry stays, and what runs. */
const LIST = `SELECT id, state::text AS state, dedup_id FROM job
  WHERE queue = $1 AND id = ANY($2) AND state::text = ANY($3) AND NOT EXISTS (
    SELECT 1 FROM scheduler WHERE scheduler.queue = job.queue AND scheduler.scheduler_id = job.scheduler_id
      AND job.id = 'repeat:' || scheduler.scheduler_id || ':' || scheduler.next_run_ms) ${LOCKED}`;

const PENDING = `SELECT parent_id, child_queue, child_id FROM job_dependency AS link
  WHERE parent_queue = $1 AND parent_id = ANY($2) AND status = 'pending' AND EXISTS (
    SELECT 1 FROM job WHERE job.queue = link.child_queue AND job.id = link.child_id)`;

/** Parents that are removed as well are told nothing. */
const LEAVE = `DELETE FROM job_dependency WHERE child_queue = $1 AND child_id = ANY($2) AND status = 'pending'
  AND NOT (parent_queue = $1 AND parent_id = ANY($2)) RETURNING parent_queue AS queue, parent_id AS id`;

/** Each parent once, with the number of its children that have left it; $4: now, epoch ms. */
const COUNT = `UPDATE job SET pending_deps = GREATEST(pending_deps - gone.number, 0)
  FROM unnest($1::text[], $2::text[], $3::integer[]) AS gone(queue, id, number)
  WHERE job.queue = gone.queue AND job.id = gone.id AND job.queue = ANY($1) AND job.id = ANY($2)
  RETURNING job.queue, job.id, job.pending_deps`;
const RELEASE = `SELECT move_parent_to_wait(queue, id, $3) FROM unnest($1::text[], $2::text[]) AS parent(queue, id)`;

const RELEASE_KEYS = 'DELETE FROM dedup WHERE queue = $1 AND dedup_id = ANY($2) AND job_id = ANY($3)';
const REMOVE = 'DELETE FROM job WHERE queue = $1 AND id = ANY($2)';

interface Row {
  readonly id: string;
  readonly state: string;
  readonly dedup_id: string | null;
}

/** The states that a caller may ask for; what runs is not among them. */
export function statesOf(from: readonly ScanPlace[]): string[] {
  return Object.entries(PLACES).flatMap(([state, place]) =>
    place !== 'active' && from.includes(place) ? [state] : [],
  );
}

/**
 * Removes jobs. Where BullMQ's removal takes the children of a job along, this leaves a job alone that waits for a child which is not
 * removed with it: the caller has named neither the child nor recorded it.
 *
 * @returns the ids of those that were removed
 */
export function removeJobs(
  transact: Transact,
  queue: string,
  { ids, from }: { readonly ids: readonly string[]; readonly from: readonly ScanPlace[] },
  now: number,
): Promise<string[]> {
  const wanted = storable(ids);
  return transact(async (query) => {
    await lockParentsOf(query, queue, wanted);
    const found = await query<Row>(LIST, [queue, wanted, statesOf(from)]);
    const jobs = await withoutWaitingParents(query, queue, found);
    if (jobs.length === 0) return [];
    const removed = jobs.map(({ id }) => id);
    await leaveParents(query, queue, removed, now);
    const keys = jobs.flatMap(({ dedup_id: key }) => key ?? []);
    if (keys.length > 0) await query(RELEASE_KEYS, [queue, keys, removed]);
    await query(REMOVE, [queue, removed]);
    const told = jobs.map(({ id, state }) => ({ event: 'removed', data: { jobId: id, prev: state } }));
    await tellEvents(query, queue, told);
    return inOrderOf(ids, removed);
  });
}

async function withoutWaitingParents(query: Query, queue: string, jobs: readonly Row[]): Promise<Row[]> {
  const left = new Map(jobs.map((job) => [job.id, job]));
  const pending = await query<{ parent_id: string; child_queue: string; child_id: string }>(PENDING, [
    queue,
    [...left.keys()],
  ]);
  for (let before = -1; before !== left.size; ) {
    before = left.size;
    for (const { parent_id: parentId, child_queue: childQueue, child_id: childId } of pending) {
      if (childQueue !== queue || !left.has(childId)) left.delete(parentId);
    }
  }
  return [...left.values()];
}

async function leaveParents(query: Query, queue: string, ids: readonly string[], now: number): Promise<void> {
  const left = await query<{ queue: string; id: string }>(LEAVE, [queue, ids]);
  if (left.length === 0) return;
  const gone = new Map<string, { queue: string; id: string; number: number }>();
  for (const parent of left) {
    const key = JSON.stringify([parent.queue, parent.id]);
    gone.set(key, { ...parent, number: (gone.get(key)?.number ?? 0) + 1 });
  }
  const parents = [...gone.values()];
  const counted = await query<{ queue: string; id: string; pending_deps: number }>(COUNT, [
    parents.map((parent) => parent.queue),
    parents.map((parent) => parent.id),
    parents.map((parent) => parent.number),
  ]);
  await releaseParents(
    query,
    counted.filter((parent) => parent.pending_deps === 0),
    now,
  );
}

/** Lets parents run that still wait, and have nobody left to wait for. */
export async function releaseParents(
  query: Query,
  parents: readonly { readonly queue: string; readonly id: string }[],
  now: number,
): Promise<void> {
  if (parents.length === 0) return;
  await query(RELEASE, [parents.map(({ queue }) => queue), parents.map(({ id }) => id), Math.floor(now)]);
}
