import type { IQueueBackend } from 'bullmq';
import type { ScheduleState } from '../../core/checkup/leftovers.ts';
import { nextRun } from '../../core/schedule/runs.ts';
import type { SchedulerRecord, ScheduleStore } from '../schedule-store.ts';
import { readStored } from '../scheduler-state.ts';

/** Schedule entries that are looked at of a queue, those that are due first. */
const LOOKED_AT = 1000;
const ENDED = new Set<string | null>([null, 'completed', 'failed']);

export interface ScheduleParts {
  readonly backendOf: (queue: string) => IQueueBackend;
  readonly schedules: ScheduleStore;
}

/** The job schedulers of a queue, and whether the job of their next firing is there. */
export async function listSchedules(queue: string, { backendOf, schedules }: ScheduleParts): Promise<ScheduleState[]> {
  const flat = await backendOf(queue).getJobSchedulersRange(0, LOOKED_AT - 1, true);
  const ids = flat.filter((_, index) => index % 2 === 0).map(String);
  const records = await schedules.read(queue, ids);
  return records.flatMap((record, index) => (record === null ? [] : [toScheduleState(record, ids[index] as string)]));
}

function toScheduleState(record: SchedulerRecord, id: string): ScheduleState {
  const { dueAt, state, made } = record;
  const stored = readStored(record, id)?.stored;
  const isLast = stored !== undefined && nextRun(stored.rule.schedule, dueAt, stored.runsBefore + made) === undefined;
  return { id, nextAt: dueAt, hasNext: !ENDED.has(state), isLast, isOwn: stored !== undefined };
}

/** The field of the queue's metadata with the bound of its event log. */
export const EVENTS_BOUND = 'opts.maxLenEvents';
const DEFAULT_EVENTS_BOUND = 10_000;

export function toEventsBound(stored: string | null | undefined): number {
  const bound = Number(stored ?? DEFAULT_EVENTS_BOUND);
  return Number.isFinite(bound) && bound > 0 ? bound : DEFAULT_EVENTS_BOUND;
}
