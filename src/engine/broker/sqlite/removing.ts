import { hasChildren, listChildren, removeChild, splitJobKey } from './child-ledger.ts';
import { releaseAtRemoval } from './deduplication.ts';
import { headPlace } from './job-place.ts';
import { deleteJob, hasJob, isLocked, type JobHead, moveJob, readJob } from './job-row.ts';
import type { OpenQueue } from './open-queue.ts';
import { openParent, type ParentPlace } from './parent-release.ts';
import { refusal } from './refusal.ts';
import { readScheduler, schedulerJobId } from './scheduler-row.ts';
import type { Transaction } from './transaction.ts';

/** Whether a job is the one that a scheduler will fire next. Removing it would stop the scheduler. */
export function isSchedulersNext(queue: OpenQueue, job: JobHead): boolean {
  if (job.schedulerId === null) return false;
  const scheduler = readScheduler(queue, job.schedulerId);
  return scheduler !== undefined && job.id === schedulerJobId(job.schedulerId, scheduler.nextAt);
}

/**
 * Removes a job from its parent's children. A parent that waited for this last one goes on; when the removal is `hard`, a
 * parent in the same queue is removed instead.
 *
 * @param parent the parent to leave; the job's own when it is not given
 * @returns whether the parent knew the child as still out
 */
export function leaveParent(
  transaction: Transaction,
  queue: OpenQueue,
  job: Pick<JobHead, 'id' | 'parentKey' | 'parent'>,
  { hard, now, parent }: { hard: boolean; now: number; parent?: ParentPlace },
): boolean {
  const place = parent ?? ownParent(transaction, job);
  if (place === undefined || !removeChild(place.queue, place.id, 'unprocessed', queue.jobKey(job.id))) return false;
  if (hasChildren(place.queue, place.id, 'unprocessed')) return true;
  const parentJob = readJob(place.queue, place.id);
  if (parentJob?.state !== 'waiting-children') return true;
  if (hard && place.queue === queue) {
    leaveParent(transaction, place.queue, parentJob, { hard, now });
    deleteJob(place.queue, parentJob);
    if (parentJob.deduplicationId !== null) releaseAtRemoval(place.queue, parentJob.deduplicationId, place.id, now);
    return true;
  }
  const { state, rank } = headPlace(place.queue, 0);
  moveJob(place.queue, parentJob, state, rank);
  if (!hard) place.queue.emit(now, 'waiting', 'jobId', place.id, 'prev', 'waiting-children');
  return true;
}

function ownParent(transaction: Transaction, job: Pick<JobHead, 'parentKey' | 'parent'>): ParentPlace | undefined {
  if (job.parentKey === null) return undefined;
  const parent = openParent(transaction, job.parentKey, job.parent);
  return hasJob(parent.queue, parent.id) ? parent : undefined;
}

/** Removes a job and its hold on a deduplication id. Says nothing in the event log. */
export function discardJob(transaction: Transaction, queue: OpenQueue, job: JobHead, now: number): void {
  leaveParent(transaction, queue, job, { hard: true, now });
  if (job.deduplicationId !== null) releaseAtRemoval(queue, job.deduplicationId, job.id, now);
  deleteJob(queue, job);
}

/** Removes finished jobs that are over the queue's limits; their holds stay as they are. */
export function expireJob(transaction: Transaction, queue: OpenQueue, job: JobHead, now: number): void {
  leaveParent(transaction, queue, job, { hard: false, now });
  deleteJob(queue, job);
}

/**
 * Removes a job in whatever state, on request.
 *
 * @returns false when it, or with `withChildren` one of those it waits for, is locked by a worker
 * @throws the refusal belongsToScheduler
 */
export function removeJob(
  transaction: Transaction,
  queue: OpenQueue,
  id: string,
  { withChildren, now }: { withChildren: boolean; now: number },
): boolean {
  const job = readJob(queue, id);
  if (job !== undefined && isSchedulersNext(queue, job)) {
    throw refusal('belongsToScheduler', { jobId: id, command: 'removeJob' });
  }
  if (isTreeLocked(transaction, queue, id, { withChildren, now })) return false;
  removeTree(transaction, queue, id, { withChildren, onlyOpen: false, now });
  return true;
}

/** Removes the children that have not ended yet, but for those that run. */
export function removeOpenChildren(transaction: Transaction, queue: OpenQueue, id: string, now: number): void {
  removeChildren(transaction, queue, id, { withChildren: true, onlyOpen: true, now });
}

interface TreeRemoval {
  readonly withChildren: boolean;
  /** Leaves what has ended, and what is locked. */
  readonly onlyOpen: boolean;
  readonly now: number;
}

function isTreeLocked(
  transaction: Transaction,
  queue: OpenQueue,
  id: string,
  { withChildren, now }: { withChildren: boolean; now: number },
): boolean {
  const job = readJob(queue, id);
  if (job !== undefined && isLocked(job, now)) return true;
  if (!withChildren) return false;
  return listChildren(queue, id, 'unprocessed').some(({ childKey }) => {
    const child = splitJobKey(childKey);
    return isTreeLocked(transaction, transaction.queueByKey(child.queueKey), child.id, { withChildren, now });
  });
}

function removeTree(
  transaction: Transaction,
  queue: OpenQueue,
  id: string,
  removal: TreeRemoval,
  parent?: ParentPlace,
): void {
  const { withChildren, onlyOpen, now } = removal;
  const job = readJob(queue, id);
  if (job !== undefined && onlyOpen && (isLocked(job, now) || job.state === 'failed')) return;
  const leaving = job ?? { id, parentKey: null, parent: null };
  leaveParent(transaction, queue, leaving, { hard: false, now, ...(parent && { parent }) });
  if (withChildren) removeChildren(transaction, queue, id, removal);
  // Leaving the parent and the children may have moved the job itself.
  const current = readJob(queue, id);
  if (current === undefined) return;
  const previous = current.state ?? 'unknown';
  if (current.deduplicationId !== null) releaseAtRemoval(queue, current.deduplicationId, id, now);
  deleteJob(queue, current);
  queue.maxEvents();
  queue.emit(now, 'removed', 'jobId', id, 'prev', previous);
}

function removeChildren(transaction: Transaction, queue: OpenQueue, id: string, removal: TreeRemoval): void {
  const kinds = removal.onlyOpen
    ? (['unprocessed'] as const)
    : (['processed', 'ignored', 'failed', 'unprocessed'] as const);
  for (const kind of kinds) {
    for (const { childKey } of listChildren(queue, id, kind)) {
      const child = splitJobKey(childKey);
      const childQueue = transaction.queueByKey(child.queueKey);
      removeTree(transaction, childQueue, child.id, removal, { queue, id });
    }
  }
}
