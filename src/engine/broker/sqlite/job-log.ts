import { hasJob } from './job-row.ts';
import { toSlice } from './metrics.ts';
import type { OpenQueue } from './open-queue.ts';
import { refusal } from './refusal.ts';

/** The log lines of a job. Numbers grow and are never used again, so that trimming is one range. */

const LAST = 'SELECT max(line_no) FROM log WHERE queue_id = ? AND job_id = ?';
const FIRST = 'SELECT min(line_no) FROM log WHERE queue_id = ? AND job_id = ?';
const ADD = 'INSERT INTO log (queue_id, job_id, line_no, line) VALUES (?, ?, ?, ?)';
const TRIM = 'DELETE FROM log WHERE queue_id = ? AND job_id = ? AND line_no <= ?';
const LIST = 'SELECT line FROM log WHERE queue_id = ? AND job_id = ? ORDER BY line_no LIMIT ? OFFSET ?';

interface Extent {
  readonly first: number;
  readonly last: number;
  readonly count: number;
}

function readExtent({ connection, id }: OpenQueue, jobId: string): Extent {
  const last = connection.get(LAST, id, jobId)?.[0] as number | null | undefined;
  const first = connection.get(FIRST, id, jobId)?.[0] as number | null | undefined;
  if (last == null || first == null) return { first: 1, last: 0, count: 0 };
  return { first, last, count: last - first + 1 };
}

/** @param keep how many of the newest lines stay @returns how many there are then */
export function addLogLine(queue: OpenQueue, jobId: string, line: string, keep: number | undefined): number {
  if (!hasJob(queue, jobId)) throw refusal('missingJob', { jobId, command: 'addLog' });
  const { last, count } = readExtent(queue, jobId);
  queue.connection.run(ADD, queue.id, jobId, last + 1, line);
  if (!keep) return count + 1;
  queue.connection.run(TRIM, queue.id, jobId, last + 1 - keep);
  return Math.min(keep, count + 1);
}

/** @param keep how many of the newest lines stay; none when it is not given */
export function clearLog(queue: OpenQueue, jobId: string, keep: number | undefined): void {
  queue.connection.run(TRIM, queue.id, jobId, readExtent(queue, jobId).last - (keep ?? 0));
}

/** A page of lines; with `asc` counted and ordered from the oldest, else from the newest. */
export function readLog(
  queue: OpenQueue,
  jobId: string,
  { start, end, asc }: { start: number; end: number; asc: boolean },
): { logs: string[]; count: number } {
  const { count } = readExtent(queue, jobId);
  const { skip, limit } = asc ? toSlice(start, end, count) : toSlice(-(end + 1), -(start + 1), count);
  const logs = queue.connection.all(LIST, queue.id, jobId, limit, skip).map(([line]) => line as string);
  return { logs: asc ? logs : logs.reverse(), count };
}
