import type { SchedulerState } from '../broker/schedule-port.ts';
import type { ScheduleBroker } from './schedule-broker.ts';

/** Schedulers that are looked at in one call. */
const BATCH = 500;

export interface ForeignScheduler {
  readonly queue: string;
  readonly state: SchedulerState;
}

/** The job schedulers that plain BullMQ made, in all queues, by queue and id. */
export async function listForeign(broker: ScheduleBroker): Promise<ForeignScheduler[]> {
  const found: ForeignScheduler[] = [];
  for (const queue of await broker.listQueues()) {
    const { schedules } = broker.queue(queue);
    for (let offset = 0; ; offset += BATCH) {
      const ids = (await schedules.list(offset, BATCH)).map(({ id }) => id);
      for (const state of ids.length === 0 ? [] : await schedules.read(ids)) {
        if (state !== undefined && state.rule === undefined) found.push({ queue, state });
      }
      if (ids.length < BATCH) break;
    }
  }
  return found.sort((a, b) => compare(a.queue, b.queue) || compare(a.state.id, b.state.id));
}

/** Those with this id: each queue may have one. */
export async function findForeign(broker: ScheduleBroker, id: string): Promise<ForeignScheduler[]> {
  const queues = await broker.listQueues();
  const found = await Promise.all(
    queues.map(async (queue) => ({ queue, state: (await broker.queue(queue).schedules.read([id]))[0] })),
  );
  return found.filter((one): one is ForeignScheduler => one.state !== undefined && one.state.rule === undefined);
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
