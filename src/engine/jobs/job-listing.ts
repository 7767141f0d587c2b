import type { ScanPlace } from '../broker/bulk-port.ts';
import type { Broker } from '../broker/port.ts';
import { createError } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import type { JobSummary, StoredJob } from '../core/job.ts';
import { PLACES } from './job-place.ts';
import type { JobQuery } from './job-query.ts';

/** A job as a scan gives it. */
export type ScannedJob = StoredJob | JobSummary;

export interface ListingOptions {
  readonly queues: readonly string[];
  /** All jobs without it. */
  readonly query: JobQuery | undefined;
  /** At most so many jobs. */
  readonly limit: number;
  readonly signal?: AbortSignal;
}

/** Smaller than a page of the broker: most lists are short. */
const SMALLEST_PAGE = 50;

/** What the parts of a listing are opened with at once. */
const AT_ONCE = 16;

/**
 * Jobs of several queues, the newest first, without reading more than is needed to know them. Each place of each queue is read in its own
 * order from its newest end, always where the next one can be newest: the ended ones by their end, the active by their start, the rest
 * by when they were added. Scheduled jobs come as they are due, the next one first, wherever they fit in.
 */
export async function listNewest(broker: Broker, options: ListingOptions): Promise<ScannedJob[]> {
  const { limit, signal } = options;
  const parts = openParts(broker, options);
  const found: Found[] = [];
  const read = async (part: Part): Promise<void> => {
    found.push(...(await part.read()));
  };
  for (let at = 0; at < parts.length && signal?.aborted !== true; at += AT_ONCE) {
    await Promise.all(parts.slice(at, at + AT_ONCE).map(read));
  }
  for (;;) {
    found.sort((a, b) => b.at - a.at);
    // A page may be all that was looked for, so what is beyond the limit is not kept.
    found.length = Math.min(found.length, limit);
    const open = parts.filter(({ isOver }) => !isOver);
    const next = open.toSorted((a, b) => b.reached - a.reached)[0];
    const least = found[limit - 1];
    if (next === undefined || signal?.aborted === true || (least !== undefined && least.at >= next.reached)) break;
    await read(next);
  }
  for (const part of parts) await part.close();
  return found.map(({ job }) => job);
}

interface Found {
  readonly job: ScannedJob;
  /** What it is sorted by: never later than that of the job before it in its place. */
  readonly at: number;
}

/** A place of a queue, read as far as `reached`. */
interface Part {
  readonly reached: number;
  readonly isOver: boolean;
  read(): Promise<Found[]>;
  close(): Promise<void>;
}

function openParts(broker: Broker, { queues, query, limit }: ListingOptions): Part[] {
  const pageSize = Math.max(SMALLEST_PAGE, limit);
  return queues.flatMap((queue) =>
    PLACES.filter((place) => query === undefined || query.reaches(queue, place)).map((place) => {
      const pages = scanPlace(broker, {
        queue,
        place,
        query,
        from: place === 'scheduled' ? 'first' : 'last',
        pageSize,
      });
      return openPart(pages, place, query);
    }),
  );
}

function openPart(pages: AsyncIterable<readonly ScannedJob[]>, place: ScanPlace, query: JobQuery | undefined): Part {
  const source = pages[Symbol.asyncIterator]();
  let reached = Number.POSITIVE_INFINITY;
  let isOver = false;
  return {
    get reached() {
      return reached;
    },
    get isOver() {
      return isOver;
    },
    async read() {
      const page = await source.next();
      isOver = page.done === true;
      const jobs: readonly ScannedJob[] = page.done === true ? [] : page.value;
      return jobs.flatMap((job): Found[] => {
        reached = Math.min(reached, instantOf(job, place));
        return query === undefined || query.matches(job, place) ? [{ job, at: reached }] : [];
      });
    },
    async close() {
      await source.return?.();
    },
  };
}

function instantOf({ createdAt, startedAt, finishedAt }: ScannedJob, place: ScanPlace): number {
  if (place === 'active') return startedAt ?? createdAt;
  return place === 'dead' || place === 'completed' ? (finishedAt ?? createdAt) : createdAt;
}

/** The jobs of a place, whole where the query asks for what a summary does not hold. */
function scanPlace(
  broker: Broker,
  part: {
    readonly queue: string;
    readonly place: ScanPlace;
    readonly query: JobQuery | undefined;
    readonly from?: 'first' | 'last';
    readonly pageSize?: number;
  },
): AsyncIterable<readonly ScannedJob[]> {
  const { queue, place, query, from = 'first', pageSize } = part;
  const { bulk } = broker.queue(queue);
  const scan = {
    places: [place],
    from,
    ...(pageSize !== undefined && { pageSize }),
    ...(query?.filter !== undefined && { filter: query.filter }),
  };
  return query?.needsData === true ? bulk.scan(scan) : bulk.scanSummaries(scan);
}

/** By what jobs can be sorted: what of a job that has it. */
const KEYS = {
  created: ({ createdAt }: ScannedJob) => createdAt,
  finished: ({ finishedAt }: ScannedJob) => finishedAt,
  due: ({ dueAt }: ScannedJob) => dueAt,
  duration: ({ startedAt, finishedAt }: ScannedJob) =>
    startedAt === null || finishedAt === null ? null : finishedAt - startedAt,
  attempts: ({ attempts }: ScannedJob) => attempts,
} as const;

export interface JobOrder {
  readonly keyOf: (job: ScannedJob) => number | null;
  readonly descending: boolean;
}

/** @throws INVALID_OPTION */
export function parseJobOrder(text: string): JobOrder {
  const descending = text.startsWith('-');
  const name = descending ? text.slice(1) : text;
  if (Object.hasOwn(KEYS, name)) return { keyOf: KEYS[name as keyof typeof KEYS], descending };
  const expected = `${Object.keys(KEYS).join(', ')}, or one of them with a minus before it`;
  throw createError('INVALID_OPTION', { what: 'the order of jobs', expected, given: formatGiven(text) });
}

/**
 * Jobs of several queues in an order. All that the query takes are looked at, of which never more than twice the limit are kept; jobs that
 * have nothing to be sorted by come last.
 *
 * @param onLooked is called with how many were looked at so far
 */
export async function listSorted(
  broker: Broker,
  { queues, query, limit, signal }: ListingOptions,
  { keyOf, descending }: JobOrder,
  onLooked: (count: number) => void = () => {},
): Promise<ScannedJob[]> {
  const turn = descending ? -1 : 1;
  const compare = (a: Keyed, b: Keyed): number =>
    a.key === null || b.key === null ? Number(a.key === null) - Number(b.key === null) : turn * (a.key - b.key);
  let kept: Keyed[] = [];
  let looked = 0;
  for (const queue of queues) {
    for (const place of PLACES) {
      if (query !== undefined && !query.reaches(queue, place)) continue;
      for await (const page of scanPlace(broker, { queue, place, query })) {
        if (signal?.aborted === true) return [];
        for (const job of page)
          if (query === undefined || query.matches(job, place)) kept.push({ job, key: keyOf(job) });
        if (kept.length >= 2 * limit) kept = kept.sort(compare).slice(0, limit);
        looked += page.length;
        onLooked(looked);
      }
    }
  }
  return kept
    .sort(compare)
    .slice(0, limit)
    .map(({ job }) => job);
}

interface Keyed {
  readonly job: ScannedJob;
  readonly key: number | null;
}

/** The same jobs whole, in their order; those that have gone meanwhile are left out. */
export async function readListed(broker: Broker, jobs: readonly ScannedJob[]): Promise<StoredJob[]> {
  const whole = new Map<string, StoredJob>();
  const missing = jobs.filter((job) => !('args' in job));
  for (const [queue, group] of Map.groupBy(missing, (job) => job.queue)) {
    const read = await broker.queue(queue).bulk.readJobs(group.map(({ id }) => id));
    for (const job of read) whole.set(keyOf(job), job);
  }
  return jobs.flatMap((job) => ('args' in job ? [job] : (whole.get(keyOf(job)) ?? [])));
}

/** BullMQ numbers the jobs of each queue by itself. */
function keyOf({ queue, id }: { readonly queue: string; readonly id: string }): string {
  return JSON.stringify([queue, id]);
}
