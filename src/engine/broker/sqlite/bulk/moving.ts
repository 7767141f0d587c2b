import type { ScanPlace } from '../../bulk-port.ts';
import { readHolder, releaseAtRemoval, takeHold } from '../deduplication.ts';
import { delayedPlace, dueAtOf, type Place, waitingPlace } from '../job-place.ts';
import { hasJob, type JobHead } from '../job-row.ts';
import type { OpenQueue } from '../open-queue.ts';
import { STATE_CODES } from '../schema.ts';
import { tell } from './restoring.ts';
import { listWanted } from './wanted-jobs.ts';

const HAS_CHILDREN = 'SELECT 1 FROM dependency WHERE queue_id = ? AND parent_id = ? LIMIT 1';
const MOVE = 'UPDATE job SET queue_id = ?, state = ?, rank = ? WHERE seq = ?';
const MOVE_LOG =
  'UPDATE OR REPLACE log SET queue_id = ?3 WHERE queue_id = ?1 AND job_id IN (SELECT value FROM json_each(?2))';

/**
 * Moves jobs to another queue, behind those that are at the same place there, in the order in which they were. A unique key goes with its
 * job, unless another job of that queue holds it.
 *
 * @returns the ids of those that were moved
 */
export function moveJobs(
  queue: OpenQueue,
  target: OpenQueue,
  { ids, from }: { readonly ids: readonly string[]; readonly from: readonly ScanPlace[] },
  now: number,
): string[] {
  if (queue === target) return [];
  const jobs = listWanted(queue, ids, from, now).filter((job) => isAlone(queue, job) && !hasJob(target, job.id));
  if (jobs.length === 0) return [];
  queue.maxEvents();
  target.maxEvents();
  for (const job of jobs.toSorted((one, other) => one.rank - other.rank)) {
    const { id, state, deduplicationId } = job;
    const place = placeIn(target, job);
    queue.connection.run(MOVE, target.id, STATE_CODES[place.state], place.rank, job.seq);
    if (state !== null) queue.addToCount(state, -1);
    target.addToCount(place.state, 1);
    const holder = deduplicationId === null ? undefined : readHolder(queue, deduplicationId, now);
    if (deduplicationId !== null && holder?.jobId === id) {
      releaseAtRemoval(queue, deduplicationId, id, now);
      takeHold(target, deduplicationId, holder, now);
    }
    queue.emit(now, 'removed', 'jobId', id, 'prev', state ?? 'unknown');
    tell(target, id, place, now);
  }
  const moved = jobs.map(({ id }) => id);
  queue.connection.run(MOVE_LOG, queue.id, JSON.stringify(moved), target.id);
  return moved;
}

function isAlone(queue: OpenQueue, { id, parentKey, schedulerId }: JobHead): boolean {
  if (parentKey !== null || schedulerId !== null) return false;
  return queue.connection.get(HAS_CHILDREN, queue.id, id) === undefined;
}

function placeIn(target: OpenQueue, { state, rank, priority }: JobHead): Place {
  switch (state) {
    case 'delayed':
      return delayedPlace(target, dueAtOf(rank), 0);
    case 'failed':
    case 'completed':
      target.forgetOldestFinished();
      return { state, rank };
    case 'waiting-children':
      return { state, rank };
    default:
      return waitingPlace(target, priority, false);
  }
}
