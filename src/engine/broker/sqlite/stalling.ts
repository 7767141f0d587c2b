import { releaseExpired } from './deduplication.ts';
import { headPlace } from './job-place.ts';
import { isLocked, listJobs, moveJob } from './job-row.ts';
import type { OpenQueue } from './open-queue.ts';
import { readScheduler } from './scheduler-row.ts';
import { STATE_CODES } from './schema.ts';

const LIST_MARKED = 'SELECT id FROM job WHERE queue_id = ? AND state = ? AND stalled_mark = ?';
const MARK_ACTIVE = 'UPDATE job SET stalled_mark = ? WHERE queue_id = ? AND state = ?';

/**
 * Finds jobs whose worker is gone, in two looks: each look marks every active job, a worker's renewal of the lock takes the
 * mark away, and a job that the next look finds marked and without a lock is stalled. The mark is the look's own
 * (the instant until which it holds), so that one of an older look counts for nothing. A stalled job goes to the head of the list;
 * after `maxStalledCount` times it is marked to fail when it is taken, unless a scheduler's next firing depends on it.
 *
 * The look also drops holds on deduplication ids that ran out.
 *
 * @param intervalMs no second look is taken within this time, by whichever worker
 * @returns the ids of the jobs that were moved
 */
export function moveStalledJobs(
  queue: OpenQueue,
  { maxStalledCount, intervalMs }: { maxStalledCount: number; intervalMs: number },
  now: number,
): string[] {
  if (queue.stalledCheckUntil > now) return [];
  const lastMark = queue.stalledCheckUntil;
  const mark = now + intervalMs;
  queue.stalledCheckUntil = mark;
  queue.maxEvents();
  releaseExpired(queue, now);
  if (queue.count('active') === 0) return [];
  const suspects = lastMark === 0 ? [] : queue.connection.all(LIST_MARKED, queue.id, STATE_CODES.active, lastMark);
  const marked = new Set(suspects.map(([id]) => id));
  const stalled: string[] = [];
  for (const job of marked.size === 0 ? [] : listJobs(queue, 'active')) {
    if (!marked.has(job.id) || isLocked(job, now)) continue;
    const stalledCount = job.stalledCount + 1;
    const mayFail = job.schedulerId === null || readScheduler(queue, job.schedulerId) === undefined;
    const isLost = stalledCount > maxStalledCount && mayFail;
    const { state, rank } = headPlace(queue, 0);
    moveJob(queue, job, state, rank, {
      stalled_count: stalledCount,
      stalled_mark: 0,
      lock_token: null,
      lock_until: null,
      ...(isLost && { deferred_failure: 'job stalled more than allowable limit' }),
    });
    queue.emit(now, 'waiting', 'jobId', job.id, 'prev', 'active');
    queue.emit(now, 'stalled', 'jobId', job.id);
    stalled.push(job.id);
  }
  queue.connection.run(MARK_ACTIVE, mark, queue.id, STATE_CODES.active);
  return stalled;
}
