import type { JobJson } from 'bullmq';
import { dueAtOf, lastRankDue, waitingPlace } from './job-place.ts';
import { listJobs, moveJob, readFirstJob, readLowestRank } from './job-row.ts';
import type { OpenQueue } from './open-queue.ts';

/** What a worker takes jobs with. */
export interface Taker {
  /** `0` takes without a lock. */
  readonly token: string;
  readonly lockDurationMs: number;
  /** Stored as the job's `processedBy`. */
  readonly name: string | undefined;
  /** The worker's own rate limit; a limit that the queue has goes before it. */
  readonly limiter: { readonly max: number; readonly duration: number } | undefined;
}

/** BullMQ's answer to "give me a job": the job and its id, or when to ask again. */
export type Taken =
  | [job: JobJson, id: string, limitMs: 0, delayUntil: 0]
  | [job: null, id: 0, limitMs: number, delayUntil: number];

/** At most so many delayed jobs become ready with one step, so that a million of them do not hold up everyone. */
const PROMOTED_AT_ONCE = 1000;

/**
 * Takes the next job: of the list, else of those with a priority. Delayed jobs that are due are made ready first.
 *
 * @returns without a job: for how long the rate limit runs, or when the next delayed job is due (epoch ms), or zeros
 */
export function takeJob(queue: OpenQueue, taker: Taker, now: number): Taken {
  promoteDue(queue, now);
  const { max, duration } = readLimit(queue, taker);
  if (max !== undefined) {
    const limitMs = limitTtlMs(queue, max, now);
    if (limitMs > 0) return [null, 0, limitMs, 0];
  }
  if (queue.isPaused || queue.isMaxed) return [null, 0, 0, 0];
  const job = nextReady(queue);
  if (job === undefined) {
    const next = queue.count('delayed') > 0 ? readLowestRank(queue, 'delayed') : undefined;
    return [null, 0, 0, next === undefined ? 0 : dueAtOf(next)];
  }
  const { json, place } = job;
  if (max !== undefined && json.deferredFailure === undefined) countAgainstLimit(queue, duration, now);
  const lock = taker.token === '0' ? {} : { lock_token: taker.token, lock_until: now + taker.lockDurationMs };
  const by = taker.name === undefined ? {} : { processed_by: taker.name };
  json.processedOn = now;
  json.attemptsStarted += 1;
  if (taker.name !== undefined) json.processedBy = taker.name;
  moveJob(queue, place, 'active', queue.rankAtTail(), {
    processed_on: now,
    attempts_started: json.attemptsStarted,
    ...lock,
    ...by,
  });
  queue.emit(now, 'active', 'jobId', json.id, 'prev', 'waiting');
  // Another worker may be waiting for what is left.
  if (hasReady(queue)) queue.notices.jobs = true;
  return [json, json.id, 0, 0];
}

function nextReady(queue: OpenQueue): ReturnType<typeof readFirstJob> {
  if (queue.count('wait') > 0) return readFirstJob(queue, 'wait');
  if (queue.count('prioritized') > 0) return readFirstJob(queue, 'prioritized');
  // BullMQ starts the order of arrival anew once no prioritized job is left.
  queue.priorityCounter = 0;
  return undefined;
}

export function hasReady(queue: OpenQueue): boolean {
  return queue.count('wait') > 0 || queue.count('prioritized') > 0;
}

/** Makes delayed jobs that are due ready, in the order in which they are due. */
export function promoteDue(queue: OpenQueue, now: number): void {
  if (queue.count('delayed') === 0) return;
  for (const job of listJobs(queue, 'delayed', { from: 0, to: lastRankDue(now) }, PROMOTED_AT_ONCE)) {
    const { state, rank } = waitingPlace(queue, job.priority, false);
    moveJob(queue, job, state, rank, { delay: 0 });
    queue.emit(now, 'waiting', 'jobId', job.id, 'prev', 'delayed');
  }
}

function readLimit(queue: OpenQueue, { limiter }: Taker): { max: number | undefined; duration: number } {
  const max = queue.meta.get('max');
  return {
    max: max === undefined ? limiter?.max : Number(max),
    duration: limiter?.duration ?? Number(queue.meta.get('duration') ?? 0),
  };
}

/** @returns how long the limit still runs, in milliseconds; 0 when fewer than `max` jobs were taken in it */
export function limitTtlMs(queue: OpenQueue, max: number, now: number): number {
  if (queue.limiterUntil <= now || queue.limiterCount < max) return 0;
  return queue.limiterUntil - now;
}

function countAgainstLimit(queue: OpenQueue, duration: number, now: number): void {
  if (queue.limiterUntil <= now) {
    queue.limiterCount = 0;
    queue.limiterUntil = now + Math.floor(Math.abs(duration));
  }
  queue.limiterCount += 1;
}
