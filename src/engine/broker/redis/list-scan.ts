import type { ScannedIds } from '../store.ts';
import type { RedisClient } from './redis-client.ts';

/**
 * Pages of a list that others pop from and push to meanwhile.
 *
 * Positions mean nothing from one page to the next, so the scan remembers ids: the last `MEMORY` that it gave. It looks for them around
 * the place where they were, and goes on behind them. Nothing is ever put into the middle of such a list, so what lies behind an id
 * that was given and is not remembered was not given. Where none is found, all of them have gone, and with them what lay before them:
 * then everything that is not remembered is new.
 *
 * The scan ends at the ids that were last when it began, so that a producer that is faster does not keep it going.
 */
interface ListCursor {
  /** Steps from the begin of the scan to what comes next, if nothing has moved. */
  readonly at: number;
  /** What was given last, in the order of the list. */
  readonly memory: readonly string[];
  /** What was last in the list when the scan began. */
  readonly marks: readonly string[];
}

export interface ListScan {
  readonly key: string;
  readonly from: 'first' | 'last';
  readonly limit: number;
  readonly after: unknown;
}

const MEMORY = 2000;
const MARKS = 20;
/** How far around the expected place is looked, one after the other. */
const REACHES = [0, 600, 2500, 10_000] as const;
/** Ids of one read, which Redis gives in less than a millisecond or two. */
const STRETCH = 10_000;
/** Further pushes than this between two pages are not looked through. */
const MAX_AHEAD = 100_000;
/** Fewer that are found may have been taken out and put in again elsewhere. */
const SURE = 3;

export async function scanList(client: RedisClient, scan: ListScan): Promise<ScannedIds> {
  const { key, from, limit } = scan;
  const read = (begin: number, count: number): Promise<string[]> => readStretch(client, key, from, begin, count);
  const cursor = (scan.after as ListCursor | undefined) ?? {
    at: 0,
    memory: [],
    // The other end, as it is now.
    marks: await readStretch(client, key, from === 'first' ? 'last' : 'first', 0, MARKS),
  };
  const stretch = await findPlace(client, read, cursor, { limit, base: key.slice(0, key.lastIndexOf(':')) });
  return takePage(stretch, cursor, limit);
}

/** The wait list is taken from its right end, and so is what was taken first among the active ones. */
async function readStretch(
  client: RedisClient,
  key: string,
  from: 'first' | 'last',
  begin: number,
  count: number,
): Promise<string[]> {
  if (from === 'last') return await client.lrange(key, begin, begin + count - 1);
  return (await client.lrange(key, -(begin + count), -(begin + 1))).reverse();
}

/** A piece of the list from which the scan goes on. */
interface Stretch {
  readonly ids: readonly string[];
  /** Steps from the begin of the scan to its first id. */
  readonly begin: number;
  /** Nothing lies behind it. */
  readonly isLast: boolean;
}

type Read = (begin: number, count: number) => Promise<string[]>;

async function findPlace(
  client: RedisClient,
  read: Read,
  { at, memory }: ListCursor,
  { limit, base }: { limit: number; base: string },
): Promise<Stretch> {
  const known = new Set(memory);
  const readOn = async (begin: number, count: number): Promise<Stretch> => {
    const ids = await read(begin, count);
    return { ids, begin, isLast: ids.length < count };
  };
  if (memory.length === 0) return await readOn(0, limit);
  for (const reach of REACHES) {
    const begin = Math.max(0, at - Math.max(reach, 1));
    const stretch = await readOn(begin, at - begin + limit + reach);
    const found = reach === 0 ? Number(stretch.ids[0] === memory.at(-1)) * SURE : countKnown(stretch.ids, known);
    if (found >= SURE) return cutBefore(stretch, known);
    // From the begin on, what is not remembered has not been given, or lies before all that is.
    if (begin === 0 && reach > 0) {
      return found > 0 ? stretch : ((await searchAhead()) ?? stretch);
    }
  }
  for (let end = at; end > 0; end -= STRETCH) {
    const begin = Math.max(0, end - STRETCH);
    const stretch = await readOn(begin, STRETCH + limit);
    if (countKnown(stretch.ids, known) >= SURE) return cutBefore(stretch, known);
  }
  return (await searchAhead()) ?? (await readOn(0, limit + MEMORY));

  /** Much may have been put before them. */
  async function searchAhead(): Promise<Stretch | undefined> {
    const keys = memory.slice(-MARKS).map((id) => `${base}:${id}`);
    if ((await client.exists(...keys)) === 0) return undefined;
    for (let begin = at; begin < at + MAX_AHEAD; begin += STRETCH) {
      const stretch = await readOn(begin, STRETCH + limit);
      if (countKnown(stretch.ids, known) >= SURE) return cutBefore(stretch, known);
      if (stretch.isLast) return undefined;
    }
    return undefined;
  }
}

function countKnown(ids: readonly string[], known: ReadonlySet<string>): number {
  return ids.reduce((count, id) => count + Number(known.has(id)), 0);
}

/** What lies before the first that was given was given too. */
function cutBefore(stretch: Stretch, known: ReadonlySet<string>): Stretch {
  const first = stretch.ids.findIndex((id) => known.has(id));
  return { ...stretch, ids: stretch.ids.slice(first), begin: stretch.begin + first };
}

function takePage({ ids, begin, isLast }: Stretch, { memory, marks }: ListCursor, limit: number): ScannedIds {
  const known = new Set(memory);
  const ends = new Set(marks);
  const fresh: string[] = [];
  const seen: string[] = [];
  let isOver = isLast;
  let index = 0;
  for (; index < ids.length && fresh.length < limit; index += 1) {
    const id = ids[index] as string;
    // What comes behind the marks came after the scan began.
    if (ends.has(ids[index - 1] ?? '') && !ends.has(id)) {
      isOver = true;
      break;
    }
    if (known.has(id)) seen.push(id);
    else fresh.push(id);
  }
  if (isOver && (index >= ids.length || fresh.length < limit)) return { ids: fresh, next: undefined };
  // Those that were found come last: they are the next to be looked for.
  const found = new Set(seen);
  const kept = seen.length < SURE ? memory : [...memory.filter((id) => !found.has(id)), ...seen];
  const next: ListCursor = { at: begin + index, memory: [...kept, ...fresh].slice(-MEMORY), marks };
  return { ids: fresh, next };
}
