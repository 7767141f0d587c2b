import type { DeadJob, JobChange } from '../../bulk-port.ts';
import { encodePriority } from '../../stored-job.ts';
import { rerunJob } from '../flows.ts';
import { addLogLine } from '../job-log.ts';
import { delayedPlace, waitingPlace } from '../job-place.ts';
import { isLocked, type JobHead, listHeads, moveJob, readJobJson, updateJob } from '../job-row.ts';
import type { OpenQueue } from '../open-queue.ts';
import { promoteJob } from '../retrying.ts';
import type { State } from '../schema.ts';
import type { Transaction } from '../transaction.ts';

/** Each of these changes a job as a whole or not at all, and gives the ids of those that were changed. */

const CHANGEABLE: ReadonlySet<State | null> = new Set(['wait', 'prioritized', 'delayed', 'waiting-children', 'failed']);

export function rewriteJobs(queue: OpenQueue, changes: readonly JobChange[], now: number): string[] {
  const heads = readHeads(
    queue,
    changes.map(({ id }) => id),
  );
  return changes.flatMap((change) => {
    const job = heads.get(change.id);
    if (job === undefined || !mayChange(queue, job, change, now)) return [];
    queue.maxEvents();
    if (change.data !== undefined) updateJob(queue, job, { data: change.data.next });
    if (change.priority !== undefined) changePriority(queue, job, encodePriority(change.priority));
    if (change.dueAt !== undefined) {
      const { state, rank } = delayedPlace(queue, change.dueAt, 0);
      moveJob(queue, job, state, rank, { delay: Math.max(0, change.dueAt - now) });
      queue.emit(now, 'delayed', 'jobId', job.id, 'delay', String(change.dueAt));
    }
    return [change.id];
  });
}

function mayChange(queue: OpenQueue, job: JobHead, { data, dueAt }: JobChange, now: number): boolean {
  if (!CHANGEABLE.has(job.state) || isLocked(job, now)) return false;
  if (dueAt !== undefined && job.state !== 'delayed') return false;
  return data === undefined || readJobJson(queue, job.id)?.data === data.seen;
}

/** One that waits goes behind the others of its new priority. */
function changePriority(queue: OpenQueue, job: JobHead, priority: number): void {
  if (job.priority === priority) return;
  if (job.state !== 'wait' && job.state !== 'prioritized') {
    updateJob(queue, job, { priority });
    return;
  }
  const { state, rank } = waitingPlace(queue, priority, false);
  moveJob(queue, job, state, rank, { priority });
}

export function reprocessJobs(
  transaction: Transaction,
  queue: OpenQueue,
  jobs: readonly DeadJob[],
  now: number,
): string[] {
  const heads = readHeads(
    queue,
    jobs.map(({ id }) => id),
  );
  const { prefix, name } = queue;
  return jobs.flatMap(({ id, finishedAt, data, note }) => {
    const job = heads.get(id);
    if (job === undefined || (finishedAt !== undefined && job.finishedOn !== finishedAt)) return [];
    if (!rerunJob(transaction, { prefix, name, id, from: ['failed'] }, now)) return [];
    if (data !== undefined) updateJob(queue, job, { data });
    if (note !== undefined) addLogLine(queue, id, note, undefined);
    return [id];
  });
}

export function promoteJobs(queue: OpenQueue, ids: readonly string[], now: number): string[] {
  const heads = readHeads(queue, ids);
  return [...new Set(ids)].filter((id) => {
    if (heads.get(id)?.state !== 'delayed') return false;
    queue.maxEvents();
    promoteJob(queue, id, now);
    return true;
  });
}

function readHeads(queue: OpenQueue, ids: readonly string[]): ReadonlyMap<string, JobHead> {
  return new Map(listHeads(queue, ids).map((job) => [job.id, job]));
}
