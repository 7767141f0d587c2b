import { assertLock, getClaimedJob, toChanges, unlock } from './active-job.ts';
import { hasChild, hasChildren } from './child-ledger.ts';
import { delayedPlace, headPlace, waitingPlace } from './job-place.ts';
import { hasJob, listJobs, moveJob, readJob, updateJob } from './job-row.ts';
import type { OpenQueue } from './open-queue.ts';
import { reopenChild } from './parent-release.ts';
import { failedChildren, refusal } from './refusal.ts';
import { promoteDue, type Taken, type Taker, takeJob } from './taking.ts';
import type { Transaction } from './transaction.ts';

/** The moves of a job that is not over: back to where it may run, to later, or to wait for its children. */

type Fields = Readonly<Record<string, unknown>> | undefined;

export interface Delaying {
  readonly jobId: string;
  readonly token: string;
  /** What the delay counts from, epoch ms. */
  readonly timestamp: number;
  readonly delayMs: number;
  /** The move does not count as an attempt. */
  readonly skipAttempt: boolean;
  readonly fieldsToUpdate: Fields;
  /** Takes the next job in the same transaction, when given. */
  readonly taker: Taker | undefined;
}

/** Moves an active job to `delayed`. */
export function delayJob(queue: OpenQueue, delaying: Delaying, now: number): Taken | undefined {
  const { jobId, token, delayMs, skipAttempt, taker } = delaying;
  const job = getClaimedJob(queue, { jobId, token, command: 'moveToDelayed', now });
  const { state, rank, dueAt } = delayedPlace(queue, delaying.timestamp, delayMs);
  moveJob(queue, job, state, rank, {
    ...toChanges(delaying.fieldsToUpdate),
    ...unlock(token),
    delay: delayMs,
    attempts_made: job.attemptsMade + (skipAttempt ? 0 : 1),
  });
  queue.maxEvents();
  queue.emit(now, 'delayed', 'jobId', jobId, 'delay', String(dueAt));
  if (taker === undefined) return undefined;
  const taken = takeJob(queue, taker, now);
  return taken[0] === null ? undefined : taken;
}

/** Puts an active job back to be tried again at once. */
export function retryActiveJob(
  queue: OpenQueue,
  { jobId, token, lifo, fieldsToUpdate }: { jobId: string; token: string; lifo: boolean; fieldsToUpdate: Fields },
  now: number,
): void {
  const job = getClaimedJob(queue, { jobId, token, command: 'retryJob', now });
  promoteDue(queue, now);
  const { state, rank } = waitingPlace(queue, job.priority, lifo);
  moveJob(queue, job, state, rank, {
    ...toChanges(fieldsToUpdate),
    ...unlock(token),
    attempts_made: job.attemptsMade + 1,
  });
  queue.maxEvents();
  queue.emit(now, 'waiting', 'jobId', jobId, 'prev', 'active');
}

/**
 * Hands an active job back, as if it had not been taken: it is the next to be taken.
 *
 * @returns for how long the queue's rate limit runs, in milliseconds
 */
export function handBackJob(queue: OpenQueue, jobId: string, token: string, now: number): number {
  const command = 'moveJobFromActiveToWait';
  const job = readJob(queue, jobId);
  if (job === undefined) throw refusal('missingJob', { jobId, command });
  assertLock(job, { jobId, token, command, now });
  // A job that is not active any more stays where it is, and that is no error; the caller's lock on it ends all the same.
  if (job.state !== 'active') {
    updateJob(queue, job, unlock(token));
  } else {
    const { state, rank } = headPlace(queue, job.priority);
    moveJob(queue, job, state, rank, unlock(token));
    queue.maxEvents();
    queue.emit(now, 'waiting', 'jobId', jobId, 'prev', 'active');
  }
  return Math.max(0, queue.limiterUntil - now);
}

/**
 * Moves an active job to `waiting-children`.
 *
 * @param childKey waits for this child alone; for all when it is empty
 * @returns whether there was something to wait for
 */
export function waitForChildren(
  queue: OpenQueue,
  { jobId, token, childKey }: { jobId: string; token: string; childKey: string },
  now: number,
): boolean {
  const command = 'moveToWaitingChildren';
  if (!hasJob(queue, jobId)) throw refusal('missingJob', { jobId, command });
  if (hasChildren(queue, jobId, 'failed')) throw failedChildren({ jobId, command });
  const mustWait =
    childKey === '' ? hasChildren(queue, jobId, 'unprocessed') : hasChild(queue, jobId, 'unprocessed', childKey);
  if (!mustWait) return false;
  const job = getClaimedJob(queue, { jobId, token, command, now });
  moveJob(queue, job, 'waiting-children', now, unlock(token));
  queue.emit(now, 'waiting-children', 'jobId', jobId, 'prev', 'active');
  return true;
}

export interface Reprocessing {
  readonly jobId: string;
  readonly from: 'failed' | 'completed';
  readonly lifo: boolean;
  readonly resetAttemptsMade: boolean;
  readonly resetAttemptsStarted: boolean;
}

/** Runs a finished job again. */
export function reprocessJob(
  transaction: Transaction,
  queue: OpenQueue,
  { jobId, from, lifo, resetAttemptsMade, resetAttemptsStarted }: Reprocessing,
  now: number,
): void {
  const command = 'reprocessJob';
  const job = readJob(queue, jobId);
  if (job === undefined) throw refusal('missingJob', { jobId, command });
  if (job.state !== from) throw refusal('notInState', { jobId, command, state: from });
  const { state, rank } = waitingPlace(queue, job.priority, lifo);
  moveJob(queue, job, state, rank, {
    finished_on: null,
    processed_on: null,
    ...(from === 'failed' ? { failed_reason: null } : { return_value: null }),
    ...(resetAttemptsMade && { attempts_made: 0 }),
    ...(resetAttemptsStarted && { attempts_started: 0 }),
  });
  reopenChild(transaction, queue, job, from);
  queue.maxEvents();
  queue.emit(now, 'waiting', 'jobId', jobId, 'prev', from);
}

/**
 * Moves jobs of a state back to where they may run, the oldest first. As BullMQ has it, priorities are not looked at: all
 * go to the list.
 *
 * @param until finished up to this instant, epoch ms; for delayed jobs the rank up to which they go
 * @returns whether there may be more
 */
export function returnJobs(
  transaction: Transaction,
  queue: OpenQueue,
  { from, count, until }: { from: 'failed' | 'completed' | 'delayed'; count: number; until: number },
  now: number,
): boolean {
  const jobs = listJobs(queue, from, { from: 0, to: until }, count);
  for (const job of jobs) {
    const changes =
      from === 'delayed'
        ? {}
        : {
            finished_on: null,
            processed_on: null,
            ...(from === 'failed' ? { failed_reason: null } : { return_value: null }),
          };
    const { state, rank } = waitingPlace(queue, 0, false);
    moveJob(queue, job, state, rank, changes);
    if (from !== 'delayed') reopenChild(transaction, queue, job, from);
    queue.maxEvents();
    queue.emit(now, 'waiting', 'jobId', job.id, 'prev', from);
  }
  return count - jobs.length <= 0;
}

/** Makes a delayed job ready now. */
export function promoteJob(queue: OpenQueue, jobId: string, now: number): void {
  const job = readJob(queue, jobId);
  if (job?.state !== 'delayed') throw refusal('notInState', { jobId, command: 'promote', state: 'delayed' });
  const { state, rank } = waitingPlace(queue, job.priority, false);
  moveJob(queue, job, state, rank, { delay: 0 });
  queue.emit(now, 'waiting', 'jobId', jobId, 'prev', 'delayed');
}

/**
 * Makes delayed jobs the next to be taken, those of a priority the first of it, in this order.
 *
 * @returns which of them were delayed
 */
export function promoteToHead(queue: OpenQueue, ids: readonly string[], now: number): string[] {
  return ids.toReversed().filter((id) => {
    const job = readJob(queue, id);
    if (job?.state !== 'delayed') return false;
    const { state, rank } = headPlace(queue, job.priority);
    moveJob(queue, job, state, rank, { delay: 0 });
    queue.maxEvents();
    queue.emit(now, 'waiting', 'jobId', id, 'prev', 'delayed');
    return true;
  });
}

/** Gives a delayed job another delay, from now. */
export function changeDelay(queue: OpenQueue, jobId: string, delay: number, now: number): void {
  const command = 'changeDelay';
  const job = readJob(queue, jobId);
  if (job === undefined) throw refusal('missingJob', { jobId, command });
  if (job.state !== 'delayed') throw refusal('notInState', { jobId, command, state: 'delayed' });
  const { state, rank, dueAt } = delayedPlace(queue, now, delay);
  moveJob(queue, job, state, rank, { delay });
  queue.maxEvents();
  queue.emit(now, 'delayed', 'jobId', jobId, 'delay', String(dueAt));
}

/** Gives a job another priority; one that waits takes its new place, at its front with `lifo`. */
export function changePriority(
  queue: OpenQueue,
  { jobId, priority, lifo }: { jobId: string; priority: number; lifo: boolean },
): void {
  const job = readJob(queue, jobId);
  if (job === undefined) throw refusal('missingJob', { jobId, command: 'changePriority' });
  if (job.state === 'wait' || job.state === 'prioritized') {
    const { state, rank } = priority > 0 && lifo ? headPlace(queue, priority) : waitingPlace(queue, priority, lifo);
    moveJob(queue, job, state, rank, { priority });
  } else {
    updateJob(queue, job, { priority });
  }
}
