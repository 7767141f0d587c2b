import type { OpenQueue } from './open-queue.ts';

/** Jobs that ended, per minute. Point 0 is the newest in what is given out; in the table the number grows with time. */

const READ = 'SELECT count, previous_at, previous_count FROM metric WHERE queue_id = ? AND kind = ?';
const SAVE = `INSERT INTO metric (queue_id, kind, count, previous_at, previous_count) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET count = excluded.count, previous_at = excluded.previous_at, previous_count = excluded.previous_count`;
const LAST_POINT = 'SELECT max(point_no) FROM metric_point WHERE queue_id = ? AND kind = ?';
const FIRST_POINT = 'SELECT min(point_no) FROM metric_point WHERE queue_id = ? AND kind = ?';
const ADD_POINT = 'INSERT INTO metric_point (queue_id, kind, point_no, value) VALUES (?, ?, ?, ?)';
const TRIM = 'DELETE FROM metric_point WHERE queue_id = ? AND kind = ? AND point_no <= ?';
const LIST = `SELECT value FROM metric_point WHERE queue_id = ? AND kind = ? ORDER BY point_no DESC LIMIT ? OFFSET ?`;

const MINUTE_MS = 60_000;

export type MetricKind = 'completed' | 'failed';

/**
 * Counts one ended job. Each minute that passed since the last count becomes a point: the first holds what was counted
 * since the point before it, the others 0.
 *
 * @param maxDataPoints how many points are kept
 */
export function countEnd(queue: OpenQueue, kind: MetricKind, maxDataPoints: number, now: number): void {
  const { connection, id } = queue;
  const row = connection.get(READ, id, kind) as [number, number, number] | undefined;
  if (row === undefined) {
    connection.run(SAVE, id, kind, 1, now, 0);
    return;
  }
  const [counted, previousAt, previousCount] = row;
  const minutes = Math.min(Math.floor(now / MINUTE_MS) - Math.floor(previousAt / MINUTE_MS), maxDataPoints);
  if (minutes <= 0) {
    connection.run(SAVE, id, kind, counted + 1, previousAt, previousCount);
    return;
  }
  const last = (connection.get(LAST_POINT, id, kind)?.[0] as number | null) ?? 0;
  const points = [counted - previousCount, ...new Array<number>(minutes - 1).fill(0)];
  for (const [index, value] of points.entries()) connection.run(ADD_POINT, id, kind, last + 1 + index, value);
  connection.run(TRIM, id, kind, last + minutes - maxDataPoints);
  connection.run(SAVE, id, kind, counted + 1, now, counted);
}

/** The meta fields count, prevTS and prevCount, a page of the points, newest first, and how many points there are. */
export function readMetrics(
  queue: OpenQueue,
  kind: MetricKind,
  start: number,
  end: number,
): [string[], string[], number] {
  const { connection, id } = queue;
  const row = connection.get(READ, id, kind) as [number, number, number] | undefined;
  const last = connection.get(LAST_POINT, id, kind)?.[0] as number | null | undefined;
  const first = connection.get(FIRST_POINT, id, kind)?.[0] as number | null | undefined;
  const total = last == null || first == null ? 0 : last - first + 1;
  const { skip, limit } = toSlice(start, end, total);
  const points = connection.all(LIST, id, kind, limit, skip).map(([value]) => String(value));
  return [row === undefined ? [] : row.map(String), points, total];
}

/** Redis' inclusive indexes, negative ones counted from the end, as what SQL takes. */
export function toSlice(start: number, end: number, total: number): { readonly skip: number; readonly limit: number } {
  const from = Math.max(0, start < 0 ? total + start : start);
  const to = Math.min(total - 1, end < 0 ? total + end : end);
  return { skip: from, limit: Math.max(0, to - from + 1) };
}

export function removeMetrics(queue: OpenQueue): void {
  queue.connection.run('DELETE FROM metric WHERE queue_id = ?', queue.id);
  queue.connection.run('DELETE FROM metric_point WHERE queue_id = ?', queue.id);
}
