import type { ScanPlace } from '../engine/broker/bulk-port.ts';
import type { Broker, BrokerQueue } from '../engine/broker/port.ts';
import { messageOf } from '../engine/core/errors.ts';
import { FailureList, type JobFailure } from '../engine/core/failure-list.ts';
import type { JobRecord } from '../engine/core/job-record.ts';
import { formatFiringId } from '../engine/core/schedule/firing.ts';
import { placeOf } from '../engine/jobs/job-place.ts';
import { RecordSlices } from '../engine/jobs/record-slices.ts';
import type { JobPage, SeenJob } from '../engine/jobs/seen-job.ts';
import { JobGroups } from './job-groups.ts';
import type { Plan, Run } from './operation.ts';
import type { KeptAfter, UndoKeeper } from './undo-keeper.ts';

/** What came of an operation on many jobs. */
export interface JobChanges {
  /** Jobs that were asked for. */
  readonly matched: number;
  readonly changed: number;
  /** Those that were left alone; at most a hundred are named. */
  readonly failed: readonly JobFailure[];
  readonly failedCount: number;
  /** The id to undo it with; null when nothing was kept, or nothing changed. */
  readonly undo: string | null;
  /** Why it ended before all was done; null when all was. */
  readonly stopped: string | null;
}

export interface Change {
  /** Whether it can be done to this job; a text says why not. */
  readonly refuse?: (job: SeenJob, record: JobRecord) => string | undefined | Promise<string | undefined>;
  /** Where it puts a job, so that it can be found when it is undone; null when it removes it. */
  readonly after: (job: JobRecord) => Pick<KeptAfter, 'queue' | 'place'> | null;
  /** The data that it gives to a job. */
  readonly dataOf?: (id: string) => string | undefined;
  /** Changes a page. @returns the ids of those that were changed */
  readonly act: (queue: BrokerQueue, records: readonly JobRecord[]) => Promise<readonly string[]>;
}

/** Why an id stands for nothing. */
export const UNKNOWN = 'no queue holds it';

/** What a job is told that was not where it was seen. */
const TOUCHED = 'somebody else has touched it meanwhile';

/** The firing that an entry has ahead cannot be taken from it: the entry would end. */
async function explainRefusal(queue: BrokerQueue, { id, schedulerId }: JobRecord): Promise<string> {
  const [state] = schedulerId === null ? [] : await queue.schedules.read([schedulerId]);
  if (state === undefined || formatFiringId(state.id, state.dueAt) !== id) return TOUCHED;
  const verb = state.rule === undefined ? 'remove' : 'pause';
  return `it is the next firing of schedule entry "${state.id}"; \`tq schedule ${verb} ${state.id}\` takes it away`;
}

/** What an operation on these jobs would do: how many there are, by groups. Parts of flows that it would leave alone are counted too. */
export async function planChanges(
  pages: AsyncIterable<JobPage>,
  { verb, places, atMost = Number.POSITIVE_INFINITY }: PlanOptions,
): Promise<Plan> {
  const groups = new JobGroups();
  for await (const { jobs } of pages) {
    const able = jobs.filter((job) => places.includes(placeOf(job) as ScanPlace));
    groups.add(able.slice(0, atMost - groups.count));
    if (groups.count >= atMost) break;
  }
  const jobs = groups.count === 1 ? '1 job' : `${groups.count} jobs`;
  return { summary: `would ${verb.replace('…', jobs)}`, count: groups.count, rows: groups.rows };
}

interface PlanOptions {
  /** In the imperative; `…` stands for the jobs. */
  readonly verb: string;
  readonly places: readonly ScanPlace[];
  readonly atMost?: number;
}

/**
 * Changes jobs page by page: reads them whole, keeps them as they are, changes those that still are where they were. Ends between
 * two pages when it is asked to stop, or when the broker or the keeping fails after something was changed: what is reported is done,
 * the rest is untouched, and the same command does it.
 *
 * @throws what the broker or the keeper throws before anything was changed
 */
export async function changeJobs(
  broker: Broker,
  pages: (onMissing: (id: string) => void) => AsyncIterable<JobPage>,
  change: Change,
  { keeper, signal, progress }: Run,
): Promise<JobChanges> {
  const failed = new FailureList();
  const onMissing = (id: string): void => {
    matched += 1;
    failed.add(id, UNKNOWN);
  };
  const slices = new RecordSlices();
  let matched = 0;
  let changed = 0;
  let stopped: string | null = null;
  try {
    for await (const { queue: name, jobs } of pages(onMissing)) {
      if (signal.aborted) break;
      const byId = new Map(jobs.map((job) => [job.id, job]));
      matched += jobs.length;
      const queue = broker.queue(name);
      for await (const records of slices.read(queue.bulk, [...byId.keys()])) {
        const able = await pickAble(byId, records, change, failed);
        for (const { id } of records) byId.delete(id);
        const done = await act(queue, able, change, keeper);
        for (const record of able) if (!done.has(record.id)) failed.add(record.id, await explainRefusal(queue, record));
        changed += done.size;
        progress(changed);
        if (signal.aborted) break;
      }
      if (!signal.aborted) for (const id of byId.keys()) failed.add(id, TOUCHED);
    }
    if (signal.aborted) stopped ??= 'it was asked to stop';
  } catch (error) {
    if (changed === 0) throw error;
    stopped = messageOf(error);
  }
  const undo = changed === 0 ? null : (keeper?.undo ?? null);
  return { matched, changed, failed: failed.named, failedCount: failed.count, undo, stopped };
}

async function pickAble(
  jobs: ReadonlyMap<string, SeenJob>,
  records: readonly JobRecord[],
  { refuse }: Change,
  failed: FailureList,
): Promise<JobRecord[]> {
  const able: JobRecord[] = [];
  for (const record of records) {
    const job = jobs.get(record.id);
    const reason = job === undefined ? undefined : await refuse?.(job, record);
    if (reason === undefined) able.push(record);
    else failed.add(record.id, reason);
  }
  return able;
}

async function act(
  queue: BrokerQueue,
  records: readonly JobRecord[],
  change: Change,
  keeper: UndoKeeper | undefined,
): Promise<Set<string>> {
  for (const [after, group] of groupByAfter(records, change)) await keeper?.keep(group, after);
  const done = new Set(records.length === 0 ? [] : await change.act(queue, records));
  keeper?.left(records.filter(({ id }) => !done.has(id)));
  return done;
}

function groupByAfter(
  records: readonly JobRecord[],
  { after, dataOf }: Change,
): [KeptAfter | null, readonly JobRecord[]][] {
  const groups = Map.groupBy(records, (record) => JSON.stringify(after(record)));
  return [...groups].map(([key, group]) => {
    const place = JSON.parse(key) as KeptAfter | null;
    const data = group.flatMap(({ id }): [string, string][] => {
      const next = dataOf?.(id);
      return next === undefined ? [] : [[id, next]];
    });
    return [place === null || data.length === 0 ? place : { ...place, data: Object.fromEntries(data) }, group];
  });
}

/** A step of a workflow: what waits for it would go on without it. */
export function refuseStep(_job: SeenJob, { id, parent, children }: JobRecord): string | undefined {
  if (parent === null && children.length === 0) return undefined;
  return `it is a part of a flow, whose other jobs would go on without it; \`tq control revoke ${parent?.id ?? id}\` cancels the whole`;
}

/** Of a job that was in one of these places when it was read. */
export function refuseElsewhere(places: readonly ScanPlace[]): (job: SeenJob, record: JobRecord) => string | undefined {
  return (_job, { place }) => (places.includes(place) ? undefined : `it is ${DESCRIPTIONS[place]}`);
}

const DESCRIPTIONS: Readonly<Record<ScanPlace, string>> = {
  waiting: 'waiting in its queue',
  active: 'running now',
  scheduled: 'scheduled',
  blocked: 'waiting for other jobs',
  dead: 'a dead letter',
  completed: 'finished',
};
