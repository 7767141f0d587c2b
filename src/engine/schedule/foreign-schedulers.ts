import type { SchedulerState } from '../broker/schedule-port.ts';
import { createError } from '../core/errors.ts';
import { nearestNames } from '../core/nearest.ts';
import type { EntryStore } from './entry-store.ts';
import type { ScheduleBroker } from './schedule-broker.ts';

/** Schedulers that are looked at in one call. */
const BATCH = 500;

export interface ForeignScheduler {
  readonly queue: string;
  readonly state: SchedulerState;
}

interface Sources {
  readonly broker: ScheduleBroker;
  readonly entries: EntryStore;
}

/**
 * The job schedulers that are no entry's, in all queues, by queue and id: those that plain BullMQ made, and those whose entry has been
 * lost (a store that was emptied in part), which go on firing as long as workers take their firings.
 */
export async function listForeign({ broker, entries }: Sources): Promise<ForeignScheduler[]> {
  const names = await entries.listVersions();
  const found: ForeignScheduler[] = [];
  for (const queue of await broker.listQueues()) {
    const { schedules } = broker.queue(queue);
    for (let offset = 0; ; offset += BATCH) {
      const ids = (await schedules.list(offset, BATCH)).map(({ id }) => id);
      for (const state of ids.length === 0 ? [] : await schedules.read(ids)) {
        if (state !== undefined && (state.rule === undefined || !names.has(state.id))) found.push({ queue, state });
      }
      if (ids.length < BATCH) break;
    }
  }
  return found.sort((a, b) => compare(a.queue, b.queue) || compare(a.state.id, b.state.id));
}

/** Those with this id: each queue may have one. */
async function findForeign(broker: ScheduleBroker, id: string, isEntry: boolean): Promise<ForeignScheduler[]> {
  const queues = await broker.listQueues();
  const found = await Promise.all(
    queues.map(async (queue) => ({ queue, state: (await broker.queue(queue).schedules.read([id]))[0] })),
  );
  return found.filter(
    (one): one is ForeignScheduler => one.state !== undefined && (one.state.rule === undefined || !isEntry),
  );
}

/**
 * The one with this id.
 *
 * @param queue where to look; undefined: in all of them
 * @throws UNKNOWN_ENTRY with near names of entries; INVALID_OPTION when several queues have one
 */
export async function getForeign({ broker, entries }: Sources, id: string, queue?: string): Promise<ForeignScheduler> {
  const names = await entries.listVersions();
  const all = await findForeign(broker, id, names.has(id));
  const [found, other] = queue === undefined ? all : all.filter((one) => one.queue === queue);
  if (found === undefined) {
    throw createError('UNKNOWN_ENTRY', { entry: id, near: nearestNames(id, names.keys()) });
  }
  if (other === undefined) return found;
  throw createError('INVALID_OPTION', {
    what: `the queue of the job scheduler "${id}"`,
    expected: `one of ${all.map((one) => one.queue).join(', ')}`,
    given: 'none',
  });
}

/**
 * An entry would replace the job scheduler of its name in its queue.
 *
 * @param state of that scheduler, if there is one
 * @throws ENTRY_EXISTS when plain BullMQ made it
 */
export function assertFree(entry: string, queue: string, state: SchedulerState | undefined): void {
  if (state === undefined || state.rule !== undefined) return;
  throw createError('ENTRY_EXISTS', {
    entry,
    by: `a job scheduler that plain BullMQ made in queue "${queue}"`,
    remedy: 'take another name, or remove that one first',
  });
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
