import { isLocked, readJob, updateJob } from './job-row.ts';
import type { OpenQueue } from './open-queue.ts';

/** A worker's right to a job, until an instant. Renewing it also says that the worker lives (see stalling.ts). */

/** @returns whether the lock was still the caller's */
export function extendLock(queue: OpenQueue, jobId: string, token: string, durationMs: number, now: number): boolean {
  const job = readJob(queue, jobId);
  if (job === undefined || !isLocked(job, now) || job.lockToken !== token) return false;
  updateJob(queue, job, { lock_until: now + durationMs, stalled_mark: 0 });
  return true;
}
