import type { JobRecord } from '../../../core/job-record.ts';
import { BULK_PAGE } from '../../bulk-port.ts';
import { ranksInGap } from '../../ranks-in-gap.ts';
import type { Query } from '../transaction.ts';
import { takeNumbers } from './changing.ts';

/**
 * Where jobs that wait go whose numbers are not known: before those that were made after them. The list is as good as sorted by that
 * time, for a job joins it at its end; so the place is found by halving.
 *
 * Numbers are whole, and those of jobs that were added one after the other leave no room between them. The jobs before are then moved
 * towards the head, if they are few; if they are many, jobs get the number of the one before them, and PostgreSQL decides between these.
 */

const WAITING = "queue = $1 AND state = 'waiting' AND priority = $2";
const STAND = `SELECT seq, added_at_ms AS at FROM job WHERE ${WAITING}`;

/** $1: queue, $2: priority, $3: an instant. The last row has the two that it lies between; none when it lies before or after all. */
const FIND_GAP = `WITH RECURSIVE
  outer_two AS (
    SELECT first.seq AS low, first.at AS low_at, last.seq AS high, last.at AS high_at
    FROM (${STAND} ORDER BY seq LIMIT 1) AS first, (${STAND} ORDER BY seq DESC LIMIT 1) AS last),
  search AS (
    SELECT 0 AS step, * FROM outer_two
    UNION ALL
    SELECT step + 1,
      CASE WHEN found.at > $3 THEN low ELSE found.seq END, CASE WHEN found.at > $3 THEN low_at ELSE found.at END,
      CASE WHEN found.at > $3 THEN found.seq ELSE high END, CASE WHEN found.at > $3 THEN found.at ELSE high_at END
    FROM search, LATERAL (
      (${STAND} AND seq > low AND seq >= (low + high) / 2 AND seq < high ORDER BY seq LIMIT 1)
      UNION ALL
      (${STAND} AND seq > low AND seq < (low + high) / 2 ORDER BY seq DESC LIMIT 1)
      LIMIT 1) AS found
    WHERE low_at <= $3 AND high_at > $3)
  SELECT low, low_at, high, high_at FROM search ORDER BY step DESC LIMIT 1`;

/** $3: the number of the last one. */
const COUNT_BEFORE = `SELECT count(*)::integer AS number FROM (SELECT 1 FROM job WHERE ${WAITING} AND seq <= $3 LIMIT ${BULK_PAGE + 1}) AS found`;
const MOVE_BEFORE = `UPDATE job SET seq = seq - $4::bigint WHERE ${WAITING} AND seq <= $3`;
const ROOM = 2 ** 20;

interface Gap {
  readonly after?: number;
  readonly before?: number;
  /** When the job behind was made. */
  readonly beforeAt?: number;
}

/** @param records of one priority, oldest first @returns their numbers */
export async function ranksByAge(
  query: Query,
  queue: string,
  { records, priority }: { readonly records: readonly JobRecord[]; readonly priority: number },
): Promise<number[]> {
  let ranks: number[] = [];
  while (ranks.length < records.length) {
    const rest = records.slice(ranks.length);
    const { after, before, beforeAt = 0 } = await findGap(query, queue, priority, rest[0]?.createdAt ?? 0);
    if (before === undefined) return [...ranks, ...(await takeNumbers(query, rest.length))];
    const others = rest.findIndex(({ createdAt }) => createdAt >= beforeAt);
    const count = others === -1 ? rest.length : Math.max(1, others);
    const isTight = after !== undefined && before - after <= count;
    const moved = isTight && (await moveTowardsHead(query, queue, priority, after));
    if (moved) ranks = ranks.map((rank) => rank - ROOM);
    const low = after === undefined ? undefined : moved ? after - ROOM : after;
    ranks.push(...ranksInGap({ after: low, before }, count, { whole: true }));
  }
  return ranks;
}

async function findGap(query: Query, queue: string, priority: number, instant: number): Promise<Gap> {
  const [row] = await query<Readonly<Record<'low' | 'low_at' | 'high' | 'high_at', string>>>(FIND_GAP, [
    queue,
    priority,
    Math.floor(instant),
  ]);
  if (row === undefined) return {};
  if (Number(row.low_at) > instant) return { before: Number(row.low), beforeAt: Number(row.low_at) };
  if (Number(row.high_at) <= instant) return { after: Number(row.high) };
  return { after: Number(row.low), before: Number(row.high), beforeAt: Number(row.high_at) };
}

/** @returns false when they are too many */
async function moveTowardsHead(query: Query, queue: string, priority: number, last: number): Promise<boolean> {
  const [row] = await query<{ number: number }>(COUNT_BEFORE, [queue, priority, last]);
  if (row === undefined || row.number > BULK_PAGE) return false;
  await query(MOVE_BEFORE, [queue, priority, last, ROOM]);
  return true;
}
