import type { JobJson } from 'bullmq';
import { delayedPlace } from './job-place.ts';
import { deleteJob, hasJob, moveJob, readJob } from './job-row.ts';
import type { OpenQueue } from './open-queue.ts';

/**
 * One job at a time for a deduplication id. The queue keeps, for each id, the job that holds it and until when:
 *
 * - without `ttl` until that job ends (simple mode); with `ttl` for so long, whatever becomes of the job (throttle);
 *   `extend` renews the time with each further call.
 * - `replace` puts the new job in the place of the holder while that one is delayed (debounce); `reschedule` only moves it.
 * - `keepLastIfActive` remembers the last call made while the holder runs, and adds it when the holder ends.
 */

const READ = 'SELECT job_id, expires_at FROM deduplication WHERE queue_id = ? AND id = ?';
const SET = `INSERT INTO deduplication (queue_id, id, job_id, expires_at) VALUES (?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET job_id = excluded.job_id, expires_at = excluded.expires_at`;
const REMOVE = 'DELETE FROM deduplication WHERE queue_id = ? AND id = ?';
const REMOVE_EXPIRED = 'DELETE FROM deduplication WHERE queue_id = ? AND expires_at <= ?';
const SET_NEXT = `INSERT INTO deduplicated_next (queue_id, id, job) VALUES (?, ?, ?)
  ON CONFLICT DO UPDATE SET job = excluded.job`;
const READ_NEXT = 'SELECT job FROM deduplicated_next WHERE queue_id = ? AND id = ?';
const REMOVE_NEXT = 'DELETE FROM deduplicated_next WHERE queue_id = ? AND id = ?';

export interface Holder {
  readonly jobId: string;
  /** Epoch ms; null when the hold ends with the job. */
  readonly expiresAt: number | null;
}

/** A call that waits for the holder to end. */
export interface NextJob {
  readonly id: string;
  readonly name: string;
  readonly data: string;
  readonly opts: JobJson['opts'];
  readonly parentKey: string | null;
  readonly parent: string | null;
  readonly isChild: boolean;
  readonly schedulerId: string | null;
}

type Options = NonNullable<JobJson['opts']['deduplication']>;

export function readHolder(queue: OpenQueue, id: string, now: number): Holder | undefined {
  const row = queue.connection.get(READ, queue.id, id);
  if (row === undefined) return undefined;
  const expiresAt = row[1] as number | null;
  if (expiresAt !== null && expiresAt <= now) return undefined;
  return { jobId: row[0] as string, expiresAt };
}

/** @returns whether there was one */
export function removeHolder(queue: OpenQueue, id: string, now: number): boolean {
  const held = readHolder(queue, id, now) !== undefined;
  queue.connection.run(REMOVE, queue.id, id);
  return held;
}

function setHolder(queue: OpenQueue, id: string, jobId: string, expiresAt: number | null): void {
  queue.connection.run(SET, queue.id, id, jobId, expiresAt);
}

/** Gives a job the hold that it had before, unless another job has it by now. @param expiresAt epoch ms; null when it ends with the job */
export function takeHold(queue: OpenQueue, id: string, hold: Holder, now: number): void {
  if (hold.expiresAt !== null && hold.expiresAt <= now) return;
  const holder = readHolder(queue, id, now);
  const isHeld = holder !== undefined && (holder.expiresAt !== null || hasJob(queue, holder.jobId));
  if (!isHeld) setHolder(queue, id, hold.jobId, hold.expiresAt);
}

function expiryOf({ ttl, keepLastIfActive }: Options, now: number): number | null {
  return keepLastIfActive !== true && ttl !== undefined && ttl > 0 ? now + ttl : null;
}

/**
 * Decides about a new job with a deduplication id.
 *
 * @param job what is to be added, its own id included
 * @param mayReplace whether a delayed holder may be replaced or moved; never by a parent job
 * @returns the id of the job that holds the deduplication id, when the new one is not to be added
 */
export function deduplicate(
  queue: OpenQueue,
  job: NextJob,
  { now, timestamp, mayReplace }: { now: number; timestamp: number; mayReplace: boolean },
): string | undefined {
  const options = job.opts.deduplication as Options;
  const { id } = options;
  const holder = readHolder(queue, id, now);
  if (holder === undefined) {
    setHolder(queue, id, job.id, expiryOf(options, now));
    return undefined;
  }
  if (mayReplace && options.replace === true && removeDelayed(queue, holder.jobId, id, job.id, now)) {
    removeNext(queue, id);
    const keepsTime = options.keepLastIfActive !== true && options.extend !== true && (options.ttl ?? 0) > 0;
    setHolder(queue, id, job.id, keepsTime ? holder.expiresAt : expiryOf(options, now));
    return undefined;
  }
  if (holder.expiresAt === null && !hasJob(queue, holder.jobId)) {
    // The holder was lost without its end being seen, so the hold would never end.
    removeNext(queue, id);
    setHolder(queue, id, job.id, expiryOf(options, now));
    return undefined;
  }
  if (mayReplace && options.replace === true) {
    keepAsNext(queue, holder, job, now);
    return holder.jobId;
  }
  if (!keepAsNext(queue, holder, job, now)) {
    if (options.extend === true && (options.ttl ?? 0) > 0) setHolder(queue, id, holder.jobId, expiryOf(options, now));
    emitDeduplicated(queue, now, id, holder.jobId, job.id);
  }
  if (mayReplace && options.reschedule === true) reschedule(queue, holder.jobId, timestamp, job.opts.delay ?? 0, now);
  return holder.jobId;
}

function removeDelayed(queue: OpenQueue, holderId: string, id: string, newId: string, now: number): boolean {
  const delayed = readJob(queue, holderId);
  if (delayed?.state !== 'delayed') return false;
  deleteJob(queue, delayed);
  queue.emit(now, 'removed', 'jobId', holderId, 'prev', 'delayed');
  emitDeduplicated(queue, now, id, newId, holderId);
  return true;
}

/** Remembers a call for when the holder, which runs now, ends. @returns false when the holder does not run or that is not asked for */
function keepAsNext(queue: OpenQueue, holder: Holder, job: NextJob, now: number): boolean {
  const options = job.opts.deduplication as Options;
  if (options.keepLastIfActive !== true || readJob(queue, holder.jobId)?.state !== 'active') return false;
  queue.connection.run(SET_NEXT, queue.id, options.id, JSON.stringify(job));
  setHolder(queue, options.id, holder.jobId, null);
  emitDeduplicated(queue, now, options.id, holder.jobId, job.id);
  return true;
}

function reschedule(queue: OpenQueue, jobId: string, timestamp: number, delay: number, now: number): void {
  const job = readJob(queue, jobId);
  if (job?.state !== 'delayed') return;
  const { rank, dueAt } = delayedPlace(queue, timestamp, delay);
  moveJob(queue, job, 'delayed', rank, { delay });
  queue.emit(now, 'delayed', 'jobId', jobId, 'delay', String(dueAt));
}

function emitDeduplicated(queue: OpenQueue, now: number, id: string, jobId: string, otherId: string): void {
  queue.emit(now, 'deduplicated', 'jobId', jobId, 'deduplicationId', id, 'deduplicatedJobId', otherId);
}

/** A job ended: its hold ends too, unless a time was given to it. */
export function releaseAtEnd(queue: OpenQueue, id: string, jobId: string, now: number): void {
  const holder = readHolder(queue, id, now);
  if (holder !== undefined && holder.expiresAt === null && holder.jobId === jobId) removeHolder(queue, id, now);
}

/** A job is removed: its hold ends, and with it what waits for the holder. */
export function releaseAtRemoval(queue: OpenQueue, id: string, jobId: string, now: number): void {
  if (readHolder(queue, id, now)?.jobId !== jobId) return;
  removeHolder(queue, id, now);
  removeNext(queue, id);
}

/** Drops holds whose time is over. They count for nothing already; this keeps them from gathering. */
export function releaseExpired(queue: OpenQueue, now: number): void {
  queue.connection.run(REMOVE_EXPIRED, queue.id, now);
}

/** Takes the call that waited for the holder, and makes its job the holder. */
export function takeNext(queue: OpenQueue, id: string, now: number): NextJob | undefined {
  const row = queue.connection.get(READ_NEXT, queue.id, id);
  if (row === undefined) return undefined;
  const next = JSON.parse(row[0] as string) as NextJob;
  removeNext(queue, id);
  setHolder(queue, id, next.id, expiryOf(next.opts.deduplication as Options, now));
  return next;
}

function removeNext(queue: OpenQueue, id: string): void {
  queue.connection.run(REMOVE_NEXT, queue.id, id);
}
