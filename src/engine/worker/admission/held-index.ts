import { createHash } from 'node:crypto';
import type { StateEntry } from '../../broker/state-port.ts';
import type { StoredJob } from '../../core/job.ts';

/**
 * Where the jobs are listed that a pause or a limit of their task holds back. In the broker they are scheduled jobs like any
 * other; this index says which they are and why, so that they can be counted, shown and let go before their time.
 *
 * `held/QUEUE/TASK/LINE/CREATED/ID`: the order of the keys is the order in which the jobs of a line are let go. An entry is
 * written before its job is moved, ends a little later than the job's wait, and may be left over: whoever lets jobs go
 * passes over those that are not scheduled.
 */
const HELD = 'held/';

/** What holds a job back. */
export type HeldBy = 'pause' | 'concurrency' | 'rate';

/** The jobs that are let go together: all of a paused task, all that wait for a rate, those of one key of a concurrency limit. */
export type HeldLine = 'pause' | 'rate' | `concurrency-${string}`;

/** How much longer an entry lives than its job waits. */
const SPARE_MS = 10_000;

export interface HeldEntry {
  readonly key: string;
  /** A job that is held again has a new one: whoever let it go before must not remove the entry. */
  readonly version: string;
  readonly id: string;
  readonly by: HeldBy;
  /** Whose rate it is that the job waits for; null when it is not that of one worker. */
  readonly worker: string | null;
}

interface IndexedJob {
  readonly queue: string;
  readonly task: string;
  readonly id: string;
  readonly createdAt: number;
}

export function heldKey(job: IndexedJob, line: HeldLine): string {
  // Of ids as long as each other the bytes decide, which suits UUIDs and the numbers that BullMQ gives.
  const id = `${String(job.id.length).padStart(3, '0')}${encodePart(job.id)}`;
  const createdAt = String(Math.max(0, Math.trunc(job.createdAt) || 0)).padStart(15, '0');
  return `${heldPrefix(job.queue, job.task, line)}${createdAt}/${id}`;
}

/** The begin of the keys of a queue, of a task in it, of one of its lines. */
export function heldPrefix(queue: string, task?: string, line?: HeldLine): string {
  const parts = [queue, ...(task === undefined ? [] : [task]), ...(line === undefined ? [] : [line])];
  return `${HELD}${parts.map(encodePart).join('/')}/`;
}

export function encodeHeld(job: IndexedJob, worker: string | null): string {
  return JSON.stringify({ id: job.id, ...(worker !== null && { worker }) });
}

export function parseHeld({ key, value, version }: StateEntry): HeldEntry {
  const { id, worker = null } = JSON.parse(value) as { id: string; worker?: string };
  return { key, version, id, worker, by: parseLine(key).split('-')[0] as HeldBy };
}

/** Whether a job may still be on its way into its wait, or is there already. */
export function mayBeHeld(job: StoredJob | undefined): boolean {
  return job?.state === 'STARTED' || (job?.dueAt ?? null) !== null;
}

/** The line that a key stands in. */
export function parseLine(key: string): HeldLine {
  return (key.split('/')[3] ?? 'pause') as HeldLine;
}

/** The task of a key. */
export function parseTask(key: string): string {
  return decodeURIComponent(key.split('/')[2] ?? '');
}

/**
 * The line of a key of a concurrency limit, '' for a limit without keys. Keys are the application's data, of any length: only their
 * digest is kept.
 */
export function concurrencyLine(key: string): HeldLine {
  return `concurrency-${createHash('sha256').update(key).digest('hex').slice(0, 32)}`;
}

/** Names the places of a concurrency limit, or of a key of it, in the state. */
export function limitKey(task: string, line: HeldLine): string {
  return `limit/${encodePart(task)}/${line}`;
}

/** @param delayMs for how long its job waits */
export function heldTtlMs(delayMs: number): number {
  return delayMs + SPARE_MS;
}

/** A name as a part of a key: no slash in it. */
export function encodePart(name: string): string {
  return encodeURIComponent(name.toWellFormed());
}
