import type { ParentKeys } from 'bullmq';
import { addChild, hasChildren, removeChild, splitJobKey } from './child-ledger.ts';
import { delayedRank, headPlace, waitingPlace } from './job-place.ts';
import { type JobHead, moveJob, readJob, updateJob } from './job-row.ts';
import type { OpenQueue } from './open-queue.ts';
import type { Transaction } from './transaction.ts';

/**
 * How the end of a child reaches its parent. A parent stays in `waiting-children` until none of its children is out, or
 * until one fails that is not allowed to (`failParentOnFailure`); then it goes back to where it may run.
 */

/** A job's parent, which may live in another queue. */
export interface ParentPlace {
  readonly queue: OpenQueue;
  readonly id: string;
}

/** @param parent the stored `parent` of the child, JSON; older records have only the key */
export function openParent(transaction: Transaction, parentKey: string, parent: string | null): ParentPlace {
  const { queueKey, id } = readParent(parent) ?? {};
  const place = queueKey !== undefined && id !== undefined ? { queueKey, id } : splitJobKey(parentKey);
  return { queue: transaction.queueByKey(place.queueKey), id: place.id };
}

function readParent(parent: string | null): Partial<ParentKeys> | undefined {
  return parent === null ? undefined : (JSON.parse(parent) as Partial<ParentKeys>);
}

/** A child completed: its result is kept for the parent, and the parent goes on if it was the last one out. */
export function completeChild(parent: ParentPlace, childKey: string, returnValue: string, now: number): void {
  if (!removeChild(parent.queue, parent.id, 'unprocessed', childKey)) return;
  addChild(parent.queue, parent.id, 'processed', childKey, { value: returnValue });
  releaseIfComplete(parent, now);
}

/** A child failed for good: what happens to the parent was decided when the child was added. */
export function failChild(
  parent: ParentPlace,
  child: { readonly key: string; readonly parent: string | null; readonly failedReason: string },
  now: number,
): void {
  const { fpof, cpof, idof, rdof } = readParent(child.parent) ?? {};
  if (!(fpof || cpof || idof || rdof) || !removeChild(parent.queue, parent.id, 'unprocessed', child.key)) return;
  if (fpof) {
    addChild(parent.queue, parent.id, 'failed', child.key, { score: now });
    failParent(parent, child.key, now);
  } else if (cpof) {
    addChild(parent.queue, parent.id, 'ignored', child.key, { value: child.failedReason });
    releaseIfWaiting(parent, now);
  } else {
    releaseIfComplete(parent, now);
    if (idof) addChild(parent.queue, parent.id, 'ignored', child.key, { value: child.failedReason });
  }
}

/** The parent is to fail as well: it is put where a worker takes it, marked with why it must fail. */
function failParent({ queue, id }: ParentPlace, childKey: string, now: number): void {
  const parent = readJob(queue, id);
  if (parent === undefined || parent.state === 'failed') return;
  const changes = { deferred_failure: `child ${childKey} failed` };
  if (parent.state === 'delayed') {
    updateJob(queue, parent, { ...changes, delay: 0 });
    putBack(queue, { ...parent, delay: 0 }, now);
  } else {
    updateJob(queue, parent, changes);
    if (parent.state === 'waiting-children') putBack(queue, parent, now);
  }
}

/** Lets a parent run when no child of it is out. */
export function releaseIfComplete(parent: ParentPlace, now: number): void {
  if (!hasChildren(parent.queue, parent.id, 'unprocessed')) releaseIfWaiting(parent, now);
}

function releaseIfWaiting({ queue, id }: ParentPlace, now: number): void {
  const parent = readJob(queue, id);
  if (parent?.state === 'waiting-children') putBack(queue, parent, now);
}

function putBack(queue: OpenQueue, parent: JobHead, now: number): void {
  if (parent.delay > 0) {
    const dueAt = now + parent.delay;
    queue.notices.jobs = true;
    moveJob(queue, parent, 'delayed', delayedRank(dueAt));
    queue.emit(now, 'delayed', 'jobId', parent.id, 'delay', String(dueAt));
    return;
  }
  const { state, rank } = parent.priority > 0 ? waitingPlace(queue, parent.priority, false) : headPlace(queue, 0);
  moveJob(queue, parent, state, rank);
  queue.emit(now, 'waiting', 'jobId', parent.id, 'prev', 'waiting-children');
}

/** A finished child runs again: the parent waits for it once more, if it still waits at all. */
export function reopenChild(
  transaction: Transaction,
  queue: OpenQueue,
  child: JobHead,
  from: 'failed' | 'completed',
): void {
  if (child.parentKey === null) return;
  const parent = openParent(transaction, child.parentKey, child.parent);
  if (readJob(parent.queue, parent.id) === undefined) return;
  const key = queue.jobKey(child.id);
  const wasKnown =
    from === 'failed'
      ? removeChild(parent.queue, parent.id, 'failed', key) || removeChild(parent.queue, parent.id, 'ignored', key)
      : removeChild(parent.queue, parent.id, 'processed', key);
  if (wasKnown) addChild(parent.queue, parent.id, 'unprocessed', key);
}
