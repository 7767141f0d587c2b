import { DEDUPLICATION_IDS } from './operations/job-options.ts';
import { type Plain, toPlain, unordered } from './plain.ts';
import { roundToTick } from './store.ts';
import { loadJob } from './targets.ts';
import { type JobRef, LISTED_STATES, type QueueIndex, type World } from './world.ts';

/**
 * What is looked at is all that BullMQ's classes and a backend's methods show, but for:
 *
 * - the ids of entries in the event stream: each store numbers them by its own clock;
 * - waiting (a blocking `getNextJob`, `waitForJob`, `QueueEvents` that listen): it takes real time, and a wake-up is a hint that
 *   each store gives in its own way. The events themselves are read;
 * - who is connected (`getWorkers`): the sides of a run share their connections;
 * - which part a page has of what Redis keeps in sets and hashes, and events that are trimmed to a part: Redis leaves both
 *   open, so the operations ask for the whole or nothing;
 * - backoff with jitter, which is drawn at random.
 *
 * Where BullMQ itself is wrong, see mended-scripts.ts.
 */

/** All that can be seen of a world after one operation. */
export interface Observation {
  readonly outcome: Plain;
  readonly notes: Plain;
  readonly queues: readonly Plain[];
  /** Of the jobs that the operation has touched, or of all. */
  readonly jobs: Plain;
}

const PRIORITIES = [0, 1, 2, 10, 2 ** 21 - 1];

/**
 * Looks at a world: always at the lists, the settings, the new events and the jobs that these name; with `everything` also at
 * what is seldom wrong when those are right, and at every job that was ever seen.
 */
export async function observe(world: World, outcome: unknown, everything: boolean): Promise<Observation> {
  const queues = await Promise.all(([0, 1] as const).map((index) => observeQueue(world, index, everything)));
  const touched = new Map(
    queues.flatMap(({ touched: ids, index }) => ids.map((id) => [`${index}:${id}`, { queue: index, id }])),
  );
  const known = new Set(world.jobs.map(({ ref }) => `${ref.queue}:${ref.id}`));
  for (const [key, ref] of touched) {
    if (!known.has(key)) world.jobs.push({ ref, first: await loadJob(world, ref) });
  }
  const looked = everything ? world.jobs.map(({ ref }) => ref) : [...touched.values()];
  const jobs = await Promise.all(
    looked.map(async (ref) => [`${world.queues[ref.queue].name}/${ref.id}`, await observeJob(world, ref)]),
  );
  return {
    outcome: toPlain(outcome, world.names),
    notes: toPlain(world.notes.splice(0), world.names),
    queues: queues.map(({ seen }) => toPlain(seen, world.names)),
    jobs: toPlain(Object.fromEntries(jobs), world.names),
  };
}

async function observeQueue(world: World, index: QueueIndex, everything: boolean) {
  const queue = world.queues[index];
  const backend = queue.getBackend();
  const [lists, counts, events, meta, more] = await Promise.all([
    backend.getRanges([...LISTED_STATES], 0, -1, true) as Promise<unknown> as Promise<string[][]>,
    backend.getCounts([...LISTED_STATES]),
    readNewEvents(world, index),
    backend.getQueueMeta(),
    everything ? observeMore(world, index) : {},
  ]);
  world.lists[index] = Object.fromEntries(LISTED_STATES.map((state, at) => [state, lists[at] ?? []])) as never;
  const touched = events.flatMap((event) => (event['jobId'] === undefined ? [] : [event['jobId']]));
  return {
    ...{ index, touched },
    seen: {
      name: queue.name,
      lists: Object.fromEntries(LISTED_STATES.map((state, at) => [state, lists[at]])),
      counts: Object.fromEntries(LISTED_STATES.map((state, at) => [state, counts[at]])),
      ...{ events, meta, ...more },
    },
  };
}

async function observeMore(world: World, index: QueueIndex) {
  const queue = world.queues[index];
  const backend = queue.getBackend();
  const [backwards, maxed, paused, ttl, priorities, schedulers, completed, failed, holders] = await Promise.all([
    backend.getRanges([...LISTED_STATES], 0, -1, false),
    queue.isMaxed(),
    queue.isPaused(),
    queue.getRateLimitTtl(),
    queue.getCountsPerPriority(PRIORITIES),
    queue.getJobSchedulers(),
    queue.getMetrics('completed'),
    queue.getMetrics('failed'),
    Promise.all(DEDUPLICATION_IDS.map((id) => queue.getDeduplicationJobId(id))),
  ]);
  return {
    backwards,
    maxed,
    paused,
    rateLimitTtl: roundToTick(ttl),
    priorities,
    schedulers,
    completed,
    failed,
    holders,
  };
}

async function observeJob(world: World, { queue: index, id }: JobRef) {
  const queue = world.queues[index];
  const backend = queue.getBackend();
  const [job, state, logs, dependencies, counts, finished] = await Promise.all([
    queue.getJob(id),
    queue.getJobState(id),
    queue.getJobLogs(id),
    backend.getDependencies(id, {}),
    backend.getDependencyCounts(id, ['processed', 'unprocessed', 'ignored', 'failed']),
    backend.isFinished(id, true),
  ]);
  const { unprocessed = [], ...settled } = dependencies;
  return {
    job: job ?? null,
    state,
    logs,
    dependencies: { ...settled, unprocessed: unordered(unprocessed, world.names) },
    counts,
    finished,
  };
}

/** The events since the last look, in order, without the ids of their entries: a store numbers them by its own clock. */
async function readNewEvents(world: World, index: QueueIndex): Promise<Record<string, string>[]> {
  const reader = world.readers[index];
  const streams = await reader.backend.readEvents(reader.lastId, 1);
  const entries = streams?.[0]?.[1] ?? [];
  reader.lastId = entries.at(-1)?.[0] ?? reader.lastId;
  return entries.map(([, fields]) => {
    const event: Record<string, string> = {};
    for (let at = 0; at < fields.length; at += 2) event[String(fields[at])] = String(fields[at + 1]);
    return event;
  });
}
