import type { SchedulerState } from '../broker/schedule-port.ts';
import type { EntryCall, MissedRule, Overlap, ScheduleEntry } from '../core/schedule/entry.ts';
import { nextRun } from '../core/schedule/runs.ts';
import { describeSchedule } from '../core/schedule/schedule-text.ts';
import { formatStoredSchedule, type StoredSchedule } from '../core/schedule/stored-schedule.ts';
import type { JobState } from '../core/state.ts';
import { countRuns } from './arming.ts';
import { isEdited } from './declared-entry.ts';
import type { RunRecord } from './run-record.ts';

/** A schedule entry, or a job scheduler of plain BullMQ, as people look at it. Instants are epoch ms; what is not known is null. */
export interface ScheduleView {
  readonly name: string;
  readonly task: string | null;
  readonly args: readonly unknown[] | null;
  readonly queue: string | null;
  /** When it fires, on one line. */
  readonly schedule: string;
  /** When it fires, as data; null for one of plain BullMQ. */
  readonly when: StoredSchedule | null;
  readonly timezone: string | null;
  /** False: it is paused. */
  readonly enabled: boolean;
  /** `bullmq`: a job scheduler that plain BullMQ made. */
  readonly source: 'code' | 'operator' | 'bullmq';
  /** The name of the app that declares it, if that has one. */
  readonly app: string | null;
  /** Of an entry of code: an operator has changed it since. */
  readonly edited: boolean;
  /** When it fires next: in the past while a firing that is due has not started. Null when it is paused or has ended. */
  readonly nextAt: number | null;
  /** Where the firing is that it has ahead; null without one. Not `scheduled` when `nextAt` has passed: nobody took it in time. */
  readonly ahead: SchedulerState['ahead'] | null;
  /** When its latest firing was started. */
  readonly lastAt: number | null;
  readonly lastDueAt: number | null;
  readonly lastState: JobState | null;
  /** The job of its latest firing. */
  readonly lastId: string | null;
  readonly lastFinishedAt: number | null;
  /** Due times that it has fired for; firings by hand are not counted. */
  readonly runs: number | null;
  readonly overlap: Overlap | null;
  readonly missed: MissedRule | null;
  readonly call: EntryCall | null;
  readonly description: string | null;
  readonly createdAt: number | null;
  readonly changedAt: number | null;
  /** Why it cannot be read, and then nothing else of it is known. */
  readonly error: string | null;
}

export interface ViewFacts {
  readonly state: SchedulerState | undefined;
  readonly record: RunRecord | undefined;
  readonly now: number;
}

export function createEntryView(entry: ScheduleEntry, { state, record, now }: ViewFacts): ScheduleView {
  const { name, definition, isPaused, source, app, createdAt, changedAt } = entry;
  const { schedule, task, args, queue, overlap, missed, call, description } = definition;
  return {
    ...{ name, task, args, queue, schedule: describeSchedule(schedule), when: formatStoredSchedule(schedule) },
    timezone: schedule.timezone,
    enabled: !isPaused,
    source,
    app,
    edited: isEdited(entry),
    nextAt: isPaused ? null : nextOf(entry, state, now),
    ahead: isPaused ? null : (state?.ahead ?? null),
    ...formatLast(record),
    runs: countRuns(entry, state, now),
    ...{ overlap, missed, call, description, createdAt, changedAt, error: null },
  };
}

/** Of a job scheduler that plain BullMQ made, which goes on as BullMQ lets it. */
export function createForeignView(queue: string, { id, task, text, dueAt, ahead, made }: SchedulerState): ScheduleView {
  return {
    ...NOTHING,
    ...{
      name: id,
      task,
      queue,
      schedule: text ?? 'as plain BullMQ repeats it',
      source: 'bullmq',
      nextAt: dueAt,
      ahead,
    },
    runs: made,
  };
}

export function createUnreadableView(name: string, error: Error): ScheduleView {
  return { ...NOTHING, name, schedule: 'cannot be read', error: error.message };
}

const NOTHING: Omit<ScheduleView, 'name' | 'schedule'> = {
  ...{
    task: null,
    args: null,
    queue: null,
    when: null,
    timezone: null,
    enabled: true,
    source: 'operator',
    app: null,
    edited: false,
  },
  ...{ nextAt: null, ahead: null, lastAt: null, lastDueAt: null, lastState: null, lastId: null, lastFinishedAt: null },
  ...{ runs: null, overlap: null, missed: null, call: null, description: null, createdAt: null, changedAt: null },
  error: null,
};

function formatLast(record: RunRecord | undefined) {
  return {
    lastAt: record?.startedAt ?? null,
    lastDueAt: record?.dueAt ?? null,
    lastState: record?.state ?? null,
    lastId: record?.jobId ?? null,
    lastFinishedAt: record?.finishedAt ?? null,
  };
}

function nextOf(entry: ScheduleEntry, state: SchedulerState | undefined, now: number): number | null {
  const { schedule } = entry.definition;
  // Nobody has armed it yet: whoever does arms the first one after that moment.
  if (state === undefined) return nextRun(schedule, now, entry.runsBefore) ?? null;
  const { dueAt, ahead } = state;
  if (dueAt > now || ahead === 'scheduled' || ahead === 'waiting') return dueAt;
  return nextRun(schedule, dueAt, countRuns(entry, state, now)) ?? null;
}
