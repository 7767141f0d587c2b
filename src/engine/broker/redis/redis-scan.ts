import type { IQueueBackend } from 'bullmq';
import type { IdScan, ScannedIds, WholeRecord } from '../store.ts';
import { toDueAt } from './job-state-script.ts';
import { scanList } from './list-scan.ts';
import type { RedisClient } from './redis-client.ts';
import { listMarks } from './redis-marks.ts';
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

/** @returns as many of the jobs, from the first on, as hold `maxBytes`, at least one; null for one that is not there */
export async function readWhole(
  { client, backend, base }: { client: RedisClient; backend: IQueueBackend; base: string },
  ids: readonly string[],
  maxBytes: number,
): Promise<(WholeRecord | null)[]> {
  const fitting = await takeFitting(client, base, ids, maxBytes);
  // The state first: a job that ends in between is then seen with its result and an older state, never the other way.
  const marks = await listMarks(client, base, fitting);
  const delayed = fitting.filter((_, index) => marks[index]?.state === 'delayed');
  const scores = delayed.length === 0 ? [] : await client.zmscore(`${base}:delayed`, ...delayed);
  const dueAt = new Map(delayed.map((id, index) => [id, scores[index]]));
  return await Promise.all(
    fitting.map(async (id, index) => {
      const state = marks[index]?.state;
      const json = state === undefined ? undefined : await backend.getJobData(id);
      if (state === undefined || json === undefined) return null;
      const score = dueAt.get(id);
      return { json: { ...json, id }, state, dueAt: score == null ? null : toDueAt(score) };
    }),
  );
}

async function takeFitting(
  client: RedisClient,
  base: string,
  ids: readonly string[],
  maxBytes: number,
): Promise<readonly string[]> {
  const pipeline = client.pipeline();
  for (const id of ids) pipeline.hstrlen(`${base}:${id}`, 'data').hstrlen(`${base}:${id}`, 'returnvalue');
  const answers = (await pipeline.exec()) ?? [];
  let bytes = 0;
  for (const index of ids.keys()) {
    // What is no job has no length, but an error.
    for (const [, length] of answers.slice(2 * index, 2 * index + 2)) bytes += Number(length ?? 0);
    if (bytes > maxBytes) return ids.slice(0, Math.max(1, index));
  }
  return ids;
}
