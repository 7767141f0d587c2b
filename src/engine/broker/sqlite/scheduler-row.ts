import type { SqlRow } from './connection.ts';
import type { OpenQueue } from './open-queue.ts';

/** The stored record of a job scheduler: when it fires next, and its fields as text, as BullMQ's JobScheduler reads them. */
export interface SchedulerRow {
  readonly id: string;
  /** Epoch ms. */
  readonly nextAt: number;
  readonly fields: Readonly<Record<string, string>>;
}

const READ = 'SELECT id, next_at, fields FROM scheduler WHERE queue_id = ? AND id = ?';
const SAVE = `INSERT INTO scheduler (queue_id, id, next_at, fields) VALUES (?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET next_at = excluded.next_at, fields = excluded.fields`;
const REMOVE = 'DELETE FROM scheduler WHERE queue_id = ? AND id = ?';
const COUNT = 'SELECT count(*) FROM scheduler WHERE queue_id = ?';
const LIST = 'SELECT id, next_at, fields FROM scheduler WHERE queue_id = ? ORDER BY next_at, id LIMIT ? OFFSET ?';
const LIST_DOWN =
  'SELECT id, next_at, fields FROM scheduler WHERE queue_id = ? ORDER BY next_at DESC, id DESC LIMIT ? OFFSET ?';

export function readScheduler(queue: OpenQueue, id: string): SchedulerRow | undefined {
  const row = queue.connection.get(READ, queue.id, id);
  return row === undefined ? undefined : toScheduler(row);
}

export function saveScheduler(queue: OpenQueue, { id, nextAt, fields }: SchedulerRow): void {
  queue.connection.run(SAVE, queue.id, id, nextAt, JSON.stringify(fields));
}

/** @returns whether there was one */
export function removeSchedulerRow(queue: OpenQueue, id: string): boolean {
  return queue.connection.run(REMOVE, queue.id, id) > 0;
}

export function countSchedulers(queue: OpenQueue): number {
  return queue.connection.get(COUNT, queue.id)?.[0] as number;
}

/** By when they fire next. @param limit -1 for all */
export function listSchedulers(
  queue: OpenQueue,
  { down = false, limit = -1, skip = 0 }: { down?: boolean; limit?: number; skip?: number } = {},
): SchedulerRow[] {
  return queue.connection.all(down ? LIST_DOWN : LIST, queue.id, limit, skip).map(toScheduler);
}

/** The id of the job of one firing. */
export function schedulerJobId(schedulerId: string, at: number): string {
  return `repeat:${schedulerId}:${at}`;
}

function toScheduler([id, nextAt, fields]: SqlRow): SchedulerRow {
  return { id: id as string, nextAt: nextAt as number, fields: JSON.parse(fields as string) };
}
