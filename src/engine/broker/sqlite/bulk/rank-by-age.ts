import type { JobRecord } from '../../../core/job-record.ts';
import { ranksInGap } from '../../ranks-in-gap.ts';
import type { OpenQueue } from '../open-queue.ts';
import { STATE_CODES } from '../schema.ts';

/**
 * Where jobs that wait go whose ranks are not known: before those that were made after them. The list is as good as sorted by that
 * time, for a job joins it at its end; so the place is found by halving, and one that was retried meanwhile may lead it astray by a little.
 */

const FIRST =
  'SELECT rank, timestamp FROM job WHERE queue_id = ? AND state = ? AND rank >= ? AND rank < ? ORDER BY rank LIMIT 1';
const LAST =
  'SELECT rank, timestamp FROM job WHERE queue_id = ? AND state = ? AND rank > ? AND rank < ? ORDER BY rank DESC LIMIT 1';

const RANKS_OF_PRIORITY = 0x1_0000_0000;

interface Stand {
  readonly rank: number;
  readonly createdAt: number;
}

/** Jobs of one priority that are looked at by rank, `from` included, `below` not. */
interface Line {
  readonly queue: OpenQueue;
  readonly state: number;
  readonly from: number;
  readonly below: number;
}

/** @param records of one priority, oldest first @returns their ranks */
export function ranksByAge(queue: OpenQueue, records: readonly JobRecord[], priority: number): number[] {
  const line: Line =
    priority > 0
      ? {
          queue,
          state: STATE_CODES.prioritized,
          from: priority * RANKS_OF_PRIORITY,
          below: (priority + 1) * RANKS_OF_PRIORITY,
        }
      : { queue, state: STATE_CODES.wait, from: Number.NEGATIVE_INFINITY, below: Number.POSITIVE_INFINITY };
  const ranks: number[] = [];
  while (ranks.length < records.length) {
    const { after, before } = findGap(line, (records[ranks.length] as JobRecord).createdAt);
    if (before === undefined) {
      const rest = records.slice(ranks.length);
      ranks.push(...rest.map(() => (priority > 0 ? queue.rankOfPriority(priority) : queue.rankAtTail())));
      break;
    }
    const rest = records.slice(ranks.length);
    const others = rest.findIndex(({ createdAt }) => createdAt >= before.createdAt);
    const count = others === -1 ? rest.length : Math.max(1, others);
    const low = after?.rank ?? (priority > 0 ? line.from : undefined);
    const found = ranksInGap({ after: low, before: before.rank }, count, { whole: false });
    if (priority === 0) queue.lowerHead(found[0] as number);
    ranks.push(...found);
  }
  return ranks;
}

/** The last job that is not younger than the instant, and the first that is. */
function findGap(line: Line, instant: number): { readonly after?: Stand; readonly before?: Stand } {
  const first = firstFrom(line, line.from, line.below);
  if (first === undefined) return {};
  if (first.createdAt > instant) return { before: first };
  const last = lastBetween(line, first.rank, line.below);
  if (last === undefined || last.createdAt <= instant) return { after: last ?? first };
  let [after, before]: [Stand, Stand] = [first, last];
  for (;;) {
    const middle: number = (after.rank + before.rank) / 2;
    const found: Stand | undefined = firstFrom(line, middle, before.rank) ?? lastBetween(line, after.rank, middle);
    if (found === undefined || found.rank <= after.rank) return { after, before };
    if (found.createdAt > instant) before = found;
    else after = found;
  }
}

function firstFrom({ queue, state }: Line, from: number, below: number): Stand | undefined {
  return toStand(queue.connection.get(FIRST, queue.id, state, from, below));
}

function lastBetween({ queue, state }: Line, above: number, below: number): Stand | undefined {
  return toStand(queue.connection.get(LAST, queue.id, state, above, below));
}

function toStand(row: readonly unknown[] | undefined): Stand | undefined {
  return row === undefined ? undefined : { rank: row[0] as number, createdAt: row[1] as number };
}
