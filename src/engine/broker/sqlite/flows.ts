import { type FlowEntry, flowRefusal } from '../flow-entry.ts';
import { addFlow } from './adding.ts';
import { readJob, readJobJson, updateJob } from './job-row.ts';
import { failChild, openParent } from './parent-release.ts';
import { reprocessJob } from './retrying.ts';
import type { Transaction } from './transaction.ts';

/**
 * Adds the jobs of a flow as `adding.ts` does, all or none. A child that exists already and is a dead letter is told to its parent
 * as one that has just died, where BullMQ would let the parent wait for it for ever.
 *
 * @throws PARENT_MISSING; it is to undo the transaction
 */
export function addWholeFlow(transaction: Transaction, entries: readonly FlowEntry[], now: number): string[] {
  const answers = addFlow(
    transaction,
    entries.map(({ jobData: job, ...entry }) => ({ ...entry, job })),
    now,
  );
  return entries.map((entry, index) => {
    const answer = answers[index]?.[1] ?? '';
    if (typeof answer === 'number') throw flowRefusal(entry, answer);
    if (entry.jobData.parentKey !== undefined) tellDeath(transaction, entry, now);
    return answer;
  });
}

function tellDeath(transaction: Transaction, { prefix, queueName, jobId, jobData }: FlowEntry, now: number): void {
  const queue = transaction.queue(prefix, queueName);
  const child = readJob(queue, jobId);
  if (child?.state !== 'failed' || jobData.parentKey === undefined) return;
  const parent = JSON.stringify(jobData.parent);
  const failedReason = readJobJson(queue, jobId)?.failedReason ?? '';
  const place = openParent(transaction, jobData.parentKey, parent);
  failChild(place, { key: queue.jobKey(jobId), parent, failedReason }, now);
}

/** Runs a finished job again, as if it had never run. @returns false when it is not there, or has not finished in one of these ways */
export function rerunJob(
  transaction: Transaction,
  { prefix, name, id, from: wanted }: { prefix: string; name: string; id: string; from: readonly string[] },
  now: number,
): boolean {
  const queue = transaction.queue(prefix, name);
  const job = readJob(queue, id);
  if (job === undefined || (job.state !== 'failed' && job.state !== 'completed')) return false;
  if (!wanted.includes(job.state)) return false;
  updateJob(queue, job, { stalled_count: 0, deferred_failure: null, failed_reason: null });
  const { state: from } = job;
  reprocessJob(
    transaction,
    queue,
    { jobId: id, from, lifo: false, resetAttemptsMade: true, resetAttemptsStarted: true },
    now,
  );
  return true;
}
