import type { ScanPlace } from '../../bulk-port.ts';
import { splitJobKey } from '../child-ledger.ts';
import { releaseAtRemoval } from '../deduplication.ts';
import { hasJob, type JobHead } from '../job-row.ts';
import type { OpenQueue } from '../open-queue.ts';
import { isSchedulersNext, leaveParent } from '../removing.ts';
import { CHILD_KINDS } from '../schema.ts';
import type { Transaction } from '../transaction.ts';
import { WANTED } from './record-reading.ts';
import { listWanted } from './wanted-jobs.ts';

const PENDING = `SELECT parent_id, child_key FROM dependency WHERE queue_id = ?1
  AND parent_id IN (SELECT value FROM json_each(?2)) AND kind = ${CHILD_KINDS.unprocessed}`;
const DELETE_JOBS = `DELETE FROM job WHERE ${WANTED}`;
const DELETE_LOGS = 'DELETE FROM log WHERE queue_id = ?1 AND job_id IN (SELECT value FROM json_each(?2))';
const DELETE_CHILDREN = 'DELETE FROM dependency WHERE queue_id = ?1 AND parent_id IN (SELECT value FROM json_each(?2))';

/**
 * Removes jobs. Where BullMQ's removal takes the children of a job along, this leaves a job alone that waits for a child which is not
 * removed with it: the caller has named neither the child nor recorded it.
 *
 * @returns the ids of those that were removed
 */
export function removeJobs(
  transaction: Transaction,
  queue: OpenQueue,
  { ids, from }: { readonly ids: readonly string[]; readonly from: readonly ScanPlace[] },
  now: number,
): string[] {
  const wanted = listWanted(queue, ids, from, now).filter((job) => !isSchedulersNext(queue, job));
  const jobs = withoutWaitingParents(transaction, queue, wanted);
  const removed = new Set(jobs.map(({ id }) => id));
  const list = JSON.stringify([...removed]);
  queue.connection.run(DELETE_JOBS, queue.id, list);
  queue.connection.run(DELETE_LOGS, queue.id, list);
  queue.connection.run(DELETE_CHILDREN, queue.id, list);
  if (jobs.length > 0) queue.maxEvents();
  for (const job of jobs) {
    const { id, state, deduplicationId } = job;
    if (state !== null) queue.addToCount(state, -1);
    if (deduplicationId !== null) releaseAtRemoval(queue, deduplicationId, id, now);
    queue.emit(now, 'removed', 'jobId', id, 'prev', state ?? 'unknown');
  }
  for (const job of jobs) leaveParent(transaction, queue, job, { hard: false, now });
  return [...removed];
}

function withoutWaitingParents(transaction: Transaction, queue: OpenQueue, jobs: readonly JobHead[]): JobHead[] {
  const pending = queue.connection.all(PENDING, queue.id, JSON.stringify(jobs.map(({ id }) => id))) as [
    string,
    string,
  ][];
  const left = new Map(jobs.map((job) => [job.id, job]));
  const waiting = pending.filter(([, childKey]) => {
    const child = splitJobKey(childKey);
    return hasJob(transaction.queueByKey(child.queueKey), child.id);
  });
  for (let before = -1; before !== left.size; ) {
    before = left.size;
    for (const [parentId, childKey] of waiting) {
      const child = splitJobKey(childKey);
      if (child.queueKey !== queue.key || !left.has(child.id)) left.delete(parentId);
    }
  }
  return [...left.values()];
}
