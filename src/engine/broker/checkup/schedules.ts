import type { IQueueBackend } from 'bullmq';
import type { ScheduleState } from '../../core/checkup/leftovers.ts';

/** Schedule entries that are looked at of a queue, those that are due first. */
const LOOKED_AT = 1000;
const ENDED = new Set(['unknown', 'completed', 'failed']);

/** The job schedulers of a queue, and whether the job of their next firing is there. */
export async function listSchedules(backend: IQueueBackend): Promise<ScheduleState[]> {
  const flat = await backend.getJobSchedulersRange(0, LOOKED_AT - 1, true);
  const found = Array.from({ length: Math.floor(flat.length / 2) }, (_, index) => ({
    id: String(flat[2 * index]),
    nextAt: Number(flat[2 * index + 1]),
  }));
  return await Promise.all(
    found.map(async ({ id, nextAt }) => {
      const state = await backend.getState(`repeat:${id}:${nextAt}`);
      return { id, nextAt, hasNext: !ENDED.has(state) };
    }),
  );
}

/** The field of the queue's metadata with the bound of its event log. */
export const EVENTS_BOUND = 'opts.maxLenEvents';
const DEFAULT_EVENTS_BOUND = 10_000;

export function toEventsBound(stored: string | null | undefined): number {
  const bound = Number(stored ?? DEFAULT_EVENTS_BOUND);
  return Number.isFinite(bound) && bound > 0 ? bound : DEFAULT_EVENTS_BOUND;
}
