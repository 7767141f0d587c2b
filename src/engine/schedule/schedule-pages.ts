import type { Clock } from '../core/clock.ts';
import type { ScheduleEntry } from '../core/schedule/entry.ts';
import type { Arming } from './arming.ts';
import type { EntryStore } from './entry-store.ts';
import { listForeign } from './foreign-schedulers.ts';
import type { RunRecords } from './run-record.ts';
import type { ScheduleBroker } from './schedule-broker.ts';
import { createEntryView, createForeignView, createUnreadableView, type ScheduleView } from './schedule-view.ts';

export interface PageOptions {
  /** Default 50. */
  readonly limit?: number | undefined;
  /** `next` of the page before. */
  readonly after?: string | undefined;
}

export interface SchedulePage {
  /** The entries by name, and after the last of them the job schedulers that plain BullMQ made, by queue and id. */
  readonly schedules: readonly ScheduleView[];
  /** Null: there are no more. */
  readonly next: string | null;
}

export interface PageSources {
  readonly broker: ScheduleBroker;
  readonly clock: Clock;
  readonly entries: EntryStore;
  readonly arming: Arming;
  readonly records: RunRecords;
}

/** In what comes after a page, what no name of an entry has: it stands before queue and id of a scheduler of plain BullMQ. */
const FOREIGN = ':';

/**
 * A page: one call for its entries, one for the schedulers of each queue among them, one for the last run of each. The job schedulers that
 * are no entry's are only looked for where the entries end, for that means a look at every queue.
 */
export async function readPage(sources: PageSources, { limit = 50, after }: PageOptions = {}): Promise<SchedulePage> {
  const isPastEntries = after?.startsWith(FOREIGN) === true;
  const views = isPastEntries ? [] : await readEntries(sources, limit, after);
  if (views.length === limit) return { schedules: views, next: views.at(-1)?.name ?? null };
  const foreign = (await listForeign(sources))
    .map(({ queue, state }) => ({ place: placeOf(queue, state.id), view: createForeignView(queue, state) }))
    .filter(({ place }) => !isPastEntries || after === undefined || place > after);
  const shown = foreign.slice(0, limit - views.length);
  return {
    schedules: [...views, ...shown.map(({ view }) => view)],
    next: shown.length < foreign.length ? (shown.at(-1)?.place ?? FOREIGN) : null,
  };
}

async function readEntries(
  { clock, entries, arming, records }: PageSources,
  limit: number,
  after: string | undefined,
): Promise<ScheduleView[]> {
  const found = await entries.list(limit, after);
  const readable = found.filter((one): one is ScheduleEntry => !('error' in one));
  const [states, runs] = await Promise.all([
    arming.readStates(readable),
    records.read(readable.map(({ name }) => name)),
  ]);
  const recordOf = new Map(readable.map(({ name }, index) => [name, runs[index]]));
  const now = clock.now();
  return found.map((one) =>
    'error' in one
      ? createUnreadableView(one.name, one.error)
      : createEntryView(one, { state: states.get(one.name), record: recordOf.get(one.name), now }),
  );
}

/** Sorts as queue and id do: no queue has a space in its name, which comes before every character that it may have. */
function placeOf(queue: string, id: string): string {
  return `${FOREIGN}${queue} ${id}`;
}
