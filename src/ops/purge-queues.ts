import { array, literal, nonEmpty, pipe, strictObject, string, union } from 'valibot';
import type { BulkJobs, ScanPlace } from '../engine/broker/bulk-port.ts';
import { resolveQueues } from '../engine/control/known-queues.ts';
import type { JobRecord } from '../engine/core/job-record.ts';
import { readAhead } from '../engine/core/read-ahead.ts';
import { RecordSlices } from '../engine/jobs/record-slices.ts';
import { rememberHeld } from './held-jobs.ts';
import { DEAD_LETTER } from './list-queues.ts';
import { defineOperation, type Run } from './operation.ts';
import type { Session } from './session.ts';
import type { KeptJob } from './undo-keeper.ts';

export interface Purged {
  /** Jobs removed, by queue; the dead letters of all queues are one. */
  readonly purged: Readonly<Record<string, number>>;
  readonly total: number;
  /** The id to undo it with; null when nothing was kept, or nothing removed. */
  readonly undo: string | null;
}

type Target = { readonly queues: readonly string[] } | { readonly all: true };

/** What a purge empties. */
interface Part {
  /** As it is counted. */
  readonly name: string;
  /** Those that hold its jobs. */
  readonly queues: readonly string[];
  readonly places: readonly ScanPlace[];
}

/** A page with fewer jobs holds large ones. */
const SMALL_PAGE = 100;

/** What was planned with an input is what its run empties: what was shown to who confirmed it, and looked for once. */
const planned = new WeakMap<Target, readonly Part[]>();

const LIVE: readonly ScanPlace[] = ['waiting', 'scheduled'];

export const purgeQueues = defineOperation({
  name: 'purge-queues',
  effect: 'destructive',
  summary: 'Remove the waiting and scheduled jobs of queues',
  input: union([strictObject({ queues: pipe(array(string()), nonEmpty()) }), strictObject({ all: literal(true) })]),
  async plan(session, input) {
    const broker = await session.broker();
    const parts = await listParts(session, input);
    planned.set(input, parts);
    const rows = await Promise.all(
      parts.map(async ({ name, queues, places }) => {
        const counts = await Promise.all(queues.map((queue) => broker.queue(queue).counts()));
        const count = (place: 'waiting' | 'scheduled' | 'dead') =>
          counts.reduce((sum, each) => sum + (places.includes(place) ? each[place] : 0), 0);
        // As in `tq inspect queues`: dead letters wait for a person.
        return { queue: name, waiting: count('waiting') + count('dead'), scheduled: count('scheduled') };
      }),
    );
    const count = rows.reduce((sum, row) => sum + row.waiting + row.scheduled, 0);
    const jobs = count === 1 ? '1 job' : `${count} jobs`;
    return {
      summary: `would remove ${jobs} from ${parts.length === 1 ? '1 queue' : `${parts.length} queues`}`,
      count,
      rows,
    };
  },
  async run(session, input, run): Promise<Purged> {
    const purged: [string, number][] = [];
    let total = 0;
    const onRemoved = (count: number): void => {
      if (count === 0) return;
      total += count;
      run.progress(total);
    };
    // One queue after the other: an interrupted purge has then emptied whole queues, and the progress is one number.
    for (const part of planned.get(input) ?? (await listParts(session, input))) {
      const before = total;
      for (const queue of part.queues) await purge(session, { queue, places: part.places, run, onRemoved });
      purged.push([part.name, total - before]);
      if (run.signal.aborted) break;
    }
    // fromEntries defines own properties, so a queue called `__proto__` stays an entry.
    return { purged: Object.fromEntries(purged), total, undo: total === 0 ? null : (run.keeper?.undo ?? null) };
  },
  commandLine: (input) => ['purge', ...('all' in input ? ['--all'] : ['-Q', input.queues.join(',')]), '--yes'],
});

interface Purge {
  readonly queue: string;
  readonly places: readonly ScanPlace[];
  readonly run: Run;
  readonly onRemoved: (count: number) => void;
}

/** Removes what was there when it began: what was added later, or has died later, stays. */
async function purge(session: Session, { queue: name, places, run, onRemoved }: Purge): Promise<void> {
  const broker = await session.broker();
  const { bulk } = broker.queue(name);
  const { keeper, signal } = run;
  const beganAt = session.clock.now();
  const isLive = places === LIVE;
  const isOld = ({ createdAt, finishedAt }: Dated): boolean => (isLive ? createdAt : (finishedAt ?? 0)) <= beganAt;
  const forgetHeld = isLive ? await rememberHeld(broker, name) : undefined;
  const removeOld = async <Job extends Dated & KeptJob>(
    pages: AsyncIterable<readonly Job[]>,
    keep: (jobs: readonly Job[]) => Promise<void> | undefined,
  ): Promise<void> => {
    // The next jobs are read and kept while those before them are removed: the store and this process are at work both.
    let removing: Promise<void> | undefined;
    try {
      for await (const page of readAhead(pages)) {
        if (signal.aborted) return;
        const old = page.filter(isOld);
        if (old.length === 0) continue;
        // Large jobs come in small pages, and one page of them in memory is enough.
        if (old.length < SMALL_PAGE) await removing;
        await keep(old);
        await removing;
        if (signal.aborted) {
          keeper?.left(old);
          return;
        }
        removing = remove(old);
        // Its error is thrown where it is waited for.
        removing.catch(() => undefined);
      }
    } finally {
      await removing;
    }
  };
  const remove = async (jobs: readonly KeptJob[]): Promise<void> => {
    const removed = new Set(
      await bulk.remove(
        jobs.map(({ id }) => id),
        places,
      ),
    );
    keeper?.left(jobs.filter(({ id }) => !removed.has(id)));
    onRemoved(removed.size);
  };
  if (keeper === undefined) await removeOld(bulk.scanSummaries({ places }), () => undefined);
  else await removeOld(readRecords(bulk, places), (records) => keeper.keep(records, null));
  if (!signal.aborted) await forgetHeld?.();
}

type Dated = Pick<JobRecord, 'createdAt' | 'finishedAt'>;

async function* readRecords(bulk: BulkJobs, places: readonly ScanPlace[]): AsyncIterable<readonly JobRecord[]> {
  const slices = new RecordSlices();
  for await (const ids of readAhead(bulk.scanIds({ places }))) yield* slices.read(bulk, ids);
}

async function listParts(session: Session, input: Target): Promise<Part[]> {
  const broker = await session.broker();
  const toPart = (name: string): Part => ({ name, queues: [name], places: LIVE });
  if ('all' in input) return (await broker.listQueues({ isWhole: true })).map(toPart);
  // A queue of that name goes first: it can be named in no other way.
  const hasOwn = async (): Promise<boolean> => (await broker.listQueues({ among: [DEAD_LETTER] })).length > 0;
  const isDeadAsked = input.queues.includes(DEAD_LETTER) && !(await hasOwn());
  const named = input.queues.filter((queue) => !isDeadAsked || queue !== DEAD_LETTER);
  const parts = named.length === 0 ? [] : (await resolveQueues(broker, named)).map(toPart);
  if (!isDeadAsked) return parts;
  return [...parts, { name: DEAD_LETTER, queues: await broker.listQueues({ isWhole: true }), places: ['dead'] }];
}
