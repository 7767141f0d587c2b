import { isLocked, type JobHead, listJobs, listJobsDown, readJob } from './job-row.ts';
import { removeMetrics } from './metrics.ts';
import type { OpenQueue } from './open-queue.ts';
import { asRefusal } from './refusal.ts';
import { discardJob, isSchedulersNext } from './removing.ts';
import { listSchedulers, removeSchedulerRow, schedulerJobId } from './scheduler-row.ts';
import { STATE_CODES, type State } from './schema.ts';
import type { Transaction } from './transaction.ts';

/** Removing many jobs at once. A job that a scheduler fires next is kept by all but `obliterate`. */

/** Which of a job's instants says how old it is, by state; the first that is set counts. */
const AGES: { readonly [From in State]?: (job: JobHead) => number } = {
  wait: (job) => job.finishedOn ?? job.processedOn ?? job.timestamp,
  active: (job) => job.finishedOn ?? job.processedOn ?? job.timestamp,
  delayed: (job) => job.processedOn ?? job.timestamp,
  prioritized: (job) => job.timestamp,
};

/**
 * Removes jobs of a state that are older than an instant.
 *
 * @param olderThan epoch ms @param limit 0 for all; otherwise so many are looked at, from the oldest
 * @returns the ids of those that were removed
 */
export function cleanJobs(
  transaction: Transaction,
  queue: OpenQueue,
  { state, olderThan, limit }: { state: string; olderThan: number; limit: number },
  now: number,
): string[] {
  const removed: string[] = [];
  for (const job of candidates(queue, state, olderThan, limit)) {
    if (limit > 0 && removed.length >= limit) break;
    if (job.state === 'active' && isLocked(job, now)) continue;
    const age = job.state === null ? undefined : AGES[job.state];
    if (age !== undefined && (isSchedulersNext(queue, job) || age(job) > olderThan)) continue;
    discardStill(transaction, queue, job, now);
    removed.push(job.id);
  }
  queue.emit(now, 'cleaned', 'count', String(removed.length));
  return removed;
}

function candidates(queue: OpenQueue, state: string, olderThan: number, limit: number): JobHead[] {
  if (!(state in STATE_CODES)) return [];
  const from = state as State;
  const all = limit > 0 ? limit : -1;
  if (from === 'wait' || from === 'active') {
    // BullMQ looks at the tail of the list, where the oldest are, and goes through them from the newest of these.
    return listJobs(queue, from, {}, all).reverse();
  }
  return listJobs(queue, from, { from: 0, ...(AGES[from] === undefined && { to: olderThan }) }, all);
}

/** Removes a job of a list, unless the removal of one before it has removed or moved it: its parent, with its last child. */
function discardStill(transaction: Transaction, queue: OpenQueue, listed: JobHead, now: number): void {
  const job = readJob(queue, listed.id);
  if (job !== undefined && job.state === listed.state) discardJob(transaction, queue, job, now);
}

/** The jobs that were there when a drain began, by state: the highest rank of each. */
export type DrainExtent = readonly (readonly [State, number])[];

/** @param delayed also drains what is delayed */
export function readDrainExtent(queue: OpenQueue, delayed: boolean): DrainExtent {
  const states: State[] = delayed ? ['wait', 'delayed', 'prioritized'] : ['wait', 'prioritized'];
  return states.flatMap((state) => {
    const [last] = listJobsDown(queue, state, Number.POSITIVE_INFINITY, 1);
    return last === undefined ? [] : [[state, last.rank] as const];
  });
}

/**
 * Removes a part of the jobs of an extent, from its end; called until it answers undefined. A queue of a million jobs is
 * drained in steps, so that others get at the file in between.
 *
 * @returns what is left to remove
 */
export function drainStep(
  transaction: Transaction,
  queue: OpenQueue,
  { extent, limit }: { extent: DrainExtent; limit: number },
  now: number,
): DrainExtent | undefined {
  const [[state, highest] = [], ...rest] = extent;
  if (state === undefined || highest === undefined) return undefined;
  const isNext = schedulersNext(queue);
  const jobs = listJobsDown(queue, state, highest, limit);
  const removed = jobs.filter((job) => !isNext(job.id));
  for (const job of removed) discardStill(transaction, queue, job, now);
  const last = jobs.at(-1);
  if (jobs.length < limit || last === undefined) return rest.length === 0 ? undefined : rest;
  // Several jobs may have the last rank, so it is looked at again; but not for ever, when all of them are kept.
  return [[state, removed.length > 0 ? last.rank : last.rank - 1], ...rest];
}

function schedulersNext(queue: OpenQueue): (jobId: string) => boolean {
  const ids = new Set(listSchedulers(queue).map(({ id, nextAt }) => schedulerJobId(id, nextAt)));
  return (jobId) => ids.has(jobId);
}

const LAST = Number.POSITIVE_INFINITY;

/** The order in which `obliterate` removes states. */
const OBLITERATED: readonly State[] = ['completed', 'wait', 'prioritized', 'failed'];

/**
 * Removes a paused queue with all that belongs to it, in steps of `count` jobs.
 *
 * @returns 1 when there is more to remove, 0 when it is done
 * @throws Error with BullMQ's texts, when the queue is not paused, or has active jobs and `force` is not given
 */
export function obliterateQueue(
  transaction: Transaction,
  queue: OpenQueue,
  { count, force }: { count: number; force: boolean },
  now: number,
): 0 | 1 {
  if (!queue.isPaused) throw asRefusal(new Error('Cannot obliterate non-paused queue'));
  if (queue.count('active') > 0 && !force) {
    throw asRefusal(new Error('Cannot obliterate queue with active jobs'));
  }
  let left = count;
  const removeAll = (jobs: JobHead[]): boolean => {
    for (const job of jobs) discardStill(transaction, queue, job, now);
    left -= jobs.length;
    return left <= 0;
  };
  if (removeAll(listJobsDown(queue, 'active', LAST, left))) return 1;
  if (removeAll(listJobs(queue, 'delayed', {}, left))) return 1;
  const schedulers = listSchedulers(queue, { limit: left });
  for (const { id } of schedulers) removeSchedulerRow(queue, id);
  left -= schedulers.length;
  if (left <= 0) return 1;
  for (const state of OBLITERATED) {
    // A list is gone through from the newest, a set from the lowest rank; it shows in the order of parents that are let go.
    const jobs = state === 'wait' ? listJobsDown(queue, state, LAST, left) : listJobs(queue, state, {}, left);
    if (removeAll(jobs)) return 1;
  }
  removeMetrics(queue);
  queue.reset();
  return 0;
}

const DELETE_ORPHANS = 'DELETE FROM job WHERE queue_id = ? AND state = 0';
const DELETE_LOST_LOGS =
  'DELETE FROM log WHERE queue_id = ?1 AND NOT EXISTS (SELECT 1 FROM job WHERE job.queue_id = ?1 AND job.id = log.job_id)';
const DELETE_LOST_CHILDREN =
  'DELETE FROM dependency WHERE queue_id = ?1 AND NOT EXISTS (SELECT 1 FROM job WHERE job.queue_id = ?1 AND job.id = dependency.parent_id)';

/**
 * Removes jobs that are in no state, and what is left of jobs that are gone. With Redis an aborted removal can leave such
 * behind; here a job and its place are one row, so there are none unless somebody has edited the file.
 *
 * @returns how many jobs were removed
 */
export function removeOrphans(queue: OpenQueue): number {
  const { connection, id } = queue;
  connection.run(DELETE_LOST_LOGS, id);
  connection.run(DELETE_LOST_CHILDREN, id);
  return connection.run(DELETE_ORPHANS, id);
}
