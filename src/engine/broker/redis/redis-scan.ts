import type { IdScan, ScannedIds } from '../store.ts';
import { scanList } from './list-scan.ts';
import type { RedisClient } from './redis-client.ts';
import { scanSortedSet } from './sorted-set-scan.ts';

/** The keys of the places, in the order of a scan. `paused` holds what BullMQ 5 left in a paused queue. */
const KEYS = {
  waiting: ['wait', 'paused', 'prioritized'],
  active: ['active'],
  scheduled: ['delayed'],
  blocked: ['waiting-children'],
  dead: ['failed'],
  completed: ['completed'],
} as const;

const LISTS: ReadonlySet<string> = new Set(['wait', 'paused', 'active']);

interface Cursor {
  /** Which of the place's keys. */
  readonly index: number;
  readonly after: unknown;
}

/** Redis keeps ids alone in its lists and sets: a filter is left to the reader. @param base key prefix and queue: `bull:mail` */
export async function scanIds(client: RedisClient, base: string, scan: IdScan): Promise<ScannedIds> {
  const keys = KEYS[scan.place];
  const { index, after } = (scan.after as Cursor | undefined) ?? { index: 0, after: undefined };
  const name = keys[index] as string;
  const part = { key: `${base}:${name}`, from: scan.from, limit: scan.limit, after };
  const page = LISTS.has(name) ? await scanList(client, part) : await scanSortedSet(client, part);
  const step = page.next === undefined ? 1 : 0;
  const next = { index: index + step, after: page.next } satisfies Cursor;
  // An old BullMQ keeps a marker in its lists.
  return { next: next.index < keys.length ? next : undefined, ids: page.ids.filter((id) => !/^0:\d+$/.test(id)) };
}
