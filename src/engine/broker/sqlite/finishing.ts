import type { KeepJobs } from 'bullmq';
import { assertClaim, toChanges, unlock } from './active-job.ts';
import { enqueueNew } from './adding.ts';
import { addChild } from './child-ledger.ts';
import { releaseAtEnd, takeNext } from './deduplication.ts';
import {
  deleteJob,
  type JobChanges,
  type JobHead,
  listJobs,
  listJobsDown,
  moveJob,
  readJob,
  readLowestRank,
} from './job-row.ts';
import { countEnd } from './metrics.ts';
import type { OpenQueue } from './open-queue.ts';
import { completeChild, failChild, openParent } from './parent-release.ts';
import { failedChildren, refusal } from './refusal.ts';
import { expireJob, leaveParent } from './removing.ts';
import { CHILD_KINDS } from './schema.ts';
import { hasReady, type Taken, type Taker, takeJob } from './taking.ts';
import type { Transaction } from './transaction.ts';

export interface Ending {
  readonly jobId: string;
  readonly token: string;
  readonly target: 'completed' | 'failed';
  /** The result as JSON, or the reason of the failure. */
  readonly value: string;
  readonly keep: KeepJobs;
  readonly fieldsToUpdate: Readonly<Record<string, unknown>> | undefined;
  /** How often the job may be tried, for the event that says that it will not be again. */
  readonly attempts: number | undefined;
  /** How many minutes of metrics are kept; none are counted without it. */
  readonly maxDataPoints: number | undefined;
  /** Takes the next job in the same transaction, when given. */
  readonly taker: Taker | undefined;
}

const CHILD_IN_THE_WAY = `SELECT kind FROM dependency WHERE queue_id = ? AND parent_id = ?
  AND kind IN (${CHILD_KINDS.unprocessed}, ${CHILD_KINDS.failed}) ORDER BY kind LIMIT 1`;

/**
 * How many jobs that are too old, or too many, one ending removes (`keep.limit` sets another number for the old ones). A
 * limit that was lowered on a queue with a million finished jobs is reached over the next thousand endings.
 */
const EXPIRED_AT_ONCE = 1000;

/**
 * Ends an active job: stores its outcome, tells its parent, drops finished jobs above the limits, and takes the next one.
 *
 * @returns the next job, when one was asked for and is there; when to ask again; or undefined
 * @throws the refusals missingJob, pendingChildren, failedChildren, missingLock, lockMismatch and notInState
 */
export function finishJob(transaction: Transaction, queue: OpenQueue, ending: Ending, now: number): Taken | undefined {
  const { jobId, token, target, value } = ending;
  const command = 'moveToFinished';
  const job = readJob(queue, jobId);
  if (job === undefined) throw refusal('missingJob', { jobId, command });
  if (target === 'completed') assertNoChildInTheWay(queue, jobId, command);
  assertClaim(job, { jobId, token, command, now });

  queue.maxEvents();
  if (job.deduplicationId !== null) {
    releaseAtEnd(queue, job.deduplicationId, jobId, now);
    addDeduplicatedNext(transaction, queue, job.deduplicationId, now);
  }
  tellParent(transaction, queue, job, ending, now);
  const attemptsMade = job.attemptsMade + 1;
  settle(transaction, queue, job, { ...ending, attemptsMade }, now);

  queue.emit(
    now,
    target,
    'jobId',
    jobId,
    target === 'completed' ? 'returnvalue' : 'failedReason',
    value,
    'prev',
    'active',
  );
  if (target === 'failed' && ending.attempts !== undefined && attemptsMade >= ending.attempts) {
    queue.emit(now, 'retries-exhausted', 'jobId', jobId, 'attemptsMade', String(attemptsMade));
  }
  if (ending.maxDataPoints) countEnd(queue, target, ending.maxDataPoints, now);
  const taken = ending.taker === undefined ? undefined : takeJob(queue, ending.taker, now);
  // BullMQ's worker reads zeros as "nothing to wait for"; they are its answer for a queue that is paused or at its limit.
  if (taken !== undefined && (taken[0] !== null || taken[2] > 0 || taken[3] > 0 || queue.isPaused || queue.isMaxed)) {
    return taken;
  }
  if (!hasReady(queue) && queue.count('active') === 0) queue.emit(now, 'drained');
  // A place within the queue's global concurrency has become free.
  if (hasReady(queue)) queue.notices.jobs = true;
  return undefined;
}

function assertNoChildInTheWay(queue: OpenQueue, jobId: string, command: string): void {
  const kind = queue.connection.get(CHILD_IN_THE_WAY, queue.id, jobId)?.[0];
  if (kind === CHILD_KINDS.unprocessed) throw refusal('pendingChildren', { jobId, command });
  if (kind === CHILD_KINDS.failed) throw failedChildren({ jobId, command });
}

/** Adds the job that was called for while this one ran (keepLastIfActive). */
function addDeduplicatedNext(transaction: Transaction, queue: OpenQueue, deduplicationId: string, now: number): void {
  const next = takeNext(queue, deduplicationId, now);
  if (next === undefined) return;
  queue.jobsAdded += 1;
  // Whoever has added a job under that id meanwhile has it; the call is not made twice.
  if (readJob(queue, next.id) !== undefined) return;
  enqueueNew(queue, next, now, now);
  if (next.isChild && next.parentKey !== null) {
    const parent = openParent(transaction, next.parentKey, next.parent);
    addChild(parent.queue, parent.id, 'unprocessed', queue.jobKey(next.id));
  }
}

function tellParent(transaction: Transaction, queue: OpenQueue, job: JobHead, ending: Ending, now: number): void {
  if (job.parentKey === null) return;
  const parent = openParent(transaction, job.parentKey, job.parent);
  const key = queue.jobKey(job.id);
  if (ending.target === 'completed') completeChild(parent, key, ending.value, now);
  else failChild(parent, { key, parent: job.parent, failedReason: ending.value }, now);
}

function settle(
  transaction: Transaction,
  queue: OpenQueue,
  job: JobHead,
  { target, token, value, keep, fieldsToUpdate, attemptsMade }: Ending & { attemptsMade: number },
  now: number,
): void {
  if (keep.count === 0) {
    deleteJob(queue, job);
    leaveParent(transaction, queue, job, { hard: false, now });
    return;
  }
  const outcome: JobChanges =
    target === 'completed' ? { return_value: value } : { failed_reason: value, deferred_failure: null };
  moveJob(queue, job, target, now, {
    ...toChanges(fieldsToUpdate),
    ...unlock(token),
    ...outcome,
    finished_on: now,
    attempts_made: attemptsMade,
  });
  const { age, limit = EXPIRED_AT_ONCE } = keep as { age?: number; limit?: number };
  if (age !== undefined) {
    const cutoff = now - age * 1000;
    if (queue.mayHaveFinishedBefore(target, cutoff, () => readLowestRank(queue, target))) {
      for (const old of listJobsDown(queue, target, cutoff, limit)) expireJob(transaction, queue, old, now);
    }
  }
  const excess = keep.count === undefined || keep.count < 0 ? 0 : queue.count(target) - keep.count;
  if (excess <= 0) return;
  for (const old of listJobs(queue, target, {}, Math.min(excess, EXPIRED_AT_ONCE))) {
    expireJob(transaction, queue, old, now);
  }
}

/**
 * How many finished jobs are kept: the job's own option before the worker's, as BullMQ reads them.
 *
 * @param own `removeOnComplete` or `removeOnFail` of the job @param worker the same of the worker
 */
export function toKeepJobs(own: boolean | number | KeepJobs | undefined, worker: KeepJobs | undefined): KeepJobs {
  if (own === undefined) return worker ?? { count: -1 };
  if (typeof own === 'object') return own;
  if (typeof own === 'number') return { count: own };
  return { count: own ? 0 : -1 };
}
