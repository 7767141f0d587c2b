import {
  check,
  exactOptional,
  integer,
  maxValue,
  minValue,
  nonEmpty,
  number,
  pipe,
  strictObject,
  string,
} from 'valibot';
import { createError } from '../engine/core/errors.ts';
import type { Schedule } from '../engine/core/schedule/schedule.ts';
import { parseSchedule } from '../engine/core/schedule/schedule-options.ts';
import { describeSchedule } from '../engine/core/schedule/schedule-text.ts';
import { parseStoredSchedule } from '../engine/core/schedule/stored-schedule.ts';
import { listUpcoming, type UpcomingRun } from '../engine/core/schedule/upcoming-runs.ts';
import { flag, type ScheduleInput, scheduleFields, scheduleFlags, toScheduleOptions } from './entry-schedule.ts';
import { defineOperation } from './operation.ts';
import { openSchedules } from './schedules-of.ts';
import type { Session } from './session.ts';

export interface EntryPreview {
  /** Null for a schedule of no entry. */
  readonly name: string | null;
  /** In words. */
  readonly schedule: string;
  readonly timezone: string;
  readonly enabled: boolean;
  readonly due: readonly UpcomingRun[];
}

const MAX_PREVIEWED = 1000;

export const previewEntry = defineOperation({
  name: 'preview-entry',
  effect: 'read',
  summary: 'Show when a schedule entry is due next, or a schedule that is no entry yet',
  input: pipe(
    strictObject({
      name: exactOptional(pipe(string(), nonEmpty())),
      ...scheduleFields,
      /** Due times after this instant, epoch ms; now without it. */
      fromAt: exactOptional(pipe(number(), integer())),
      count: pipe(number(), integer(), minValue(1), maxValue(MAX_PREVIEWED)),
    }),
    check(
      ({ name, everyMs, cron, at, solar }) =>
        [name, everyMs, cron, at, solar].filter((given) => given !== undefined).length === 1,
      'give one of name, everyMs, cron, at and solar',
    ),
  ),
  async run(session, { name, fromAt, count, ...given }): Promise<EntryPreview> {
    const after = fromAt ?? session.clock.now();
    if (name === undefined) {
      const schedule = await readSchedule(session, given);
      const due = listUpcoming(schedule, { after, count });
      return { name: null, schedule: describeSchedule(schedule), timezone: schedule.timezone, enabled: true, due };
    }
    const { when, schedule: words, runs, enabled, queue } = await (await openSchedules(session)).read(name);
    if (when === null) throw createError('FOREIGN_ENTRY', { doing: 'look ahead for', entry: name, queue: queue ?? '' });
    const schedule = parseStoredSchedule(when, name);
    const due = listUpcoming(schedule, { after, count, runs: runs ?? 0 });
    return { name, schedule: words, timezone: schedule.timezone, enabled, due };
  },
  commandLine: ({ name, fromAt, count, ...given }) => [
    ...['schedule', 'next'],
    ...(name === undefined ? [] : [name]),
    ...scheduleFlags(given),
    ...flag('--from', fromAt === undefined ? undefined : new Date(fromAt).toISOString()),
    ...['--count', String(count)],
  ],
});

/** A schedule without a zone is in that of the app of the project, as an entry would be. */
async function readSchedule(session: Session, given: ScheduleInput): Promise<Schedule> {
  const options = toScheduleOptions(given);
  if (session.isAppNamed !== true || given.timezone !== undefined) return parseSchedule(options, 'preview');
  const { schedules } = await session.app();
  return (await schedules.define('preview', { ...options, task: 'preview' }, { anyTask: true })).schedule;
}
