import { createError } from '../../../engine/core/errors.ts';
import { defineCommand, type Values } from '../../command.ts';
import { countKinds, readSchedule, type ScheduleOptionValues, scheduleOptions } from '../../entry-options.ts';
import { dueTable } from '../../entry-view.ts';
import { readInstant, readInteger } from '../../option-values.ts';

const DEFAULT_COUNT = 10;

interface Options extends ScheduleOptionValues {
  readonly count?: string;
  readonly from?: string;
}

export const scheduleNext = defineCommand({
  name: 'schedule next',
  summary: 'Show when a schedule entry is due next, or a schedule that is no entry yet',
  details: [
    'Each due time with the local time of the zone, its offset from UTC, and a note where the clock was changed since the one before.',
    'A due time has no jitter. A cron time that the clock skips is due when the clock goes on; one that it shows twice is due once,',
    'unless the hour or the minute is a star.',
  ].join('\n'),
  arguments: [{ name: '[name]', summary: 'name of the schedule entry', completion: 'entries' }],
  options: [
    { flags: '-n, --count <number>', summary: `due times to show, ${DEFAULT_COUNT} without it` },
    { flags: '--from <date>', summary: 'those after this ISO 8601 date, now without it' },
    ...scheduleOptions,
  ],
  examples: [
    { command: 'tq schedule next report.nightly -n 3', does: 'the next three due times of an entry' },
    {
      command: "tq schedule next --cron '30 2 * * *' --timezone Europe/Berlin --from 2031-03-28",
      does: 'what a cron time does when clocks are changed, before it is an entry',
    },
    { command: 'tq schedule next --solar sunset --lat 52.52 --lon 13.405 --json', does: 'sunsets in Berlin, as JSON' },
  ],
  json: ['at', 'local', 'offset', 'note'],
  operation: async () => (await import('../../../ops/preview-entry.ts')).previewEntry,
  toInput({ arguments: [name], options }: Values<Options>) {
    const { count, from, ...given } = options;
    const asked = {
      name,
      fromAt: readInstant(from, '--from'),
      count: readInteger(count, '--count', { min: 1, max: 1000 }) ?? DEFAULT_COUNT,
    };
    if (name === undefined) return { ...asked, ...readSchedule(given, 'preview') };
    if (countKinds(given) === 0 && Object.values(given).every((value) => value === undefined)) return asked;
    throw createError('USAGE', {
      message: `schedule next was given the entry "${name}" and a schedule of its own`,
      next: 'leave one of them out',
    });
  },
  present: ({ name, schedule, timezone, enabled, due }) => ({
    json: due,
    blocks: [dueTable(due)],
    notes: [
      `${schedule}${schedule.includes(timezone) ? '' : `, shown in ${timezone}`}`,
      ...(name !== null && !enabled ? [`"${name}" is paused: it is not fired at these times`] : []),
    ],
  }),
});
