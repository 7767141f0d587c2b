import { describe, expect, test } from 'vitest';
import type { ScheduleOptions } from '../../../../src/engine/core/schedule/schedule-options.ts';
import { describeSchedule, formatLocal } from '../../../../src/engine/core/schedule/schedule-text.ts';
import { formatStoredSchedule, parseStoredSchedule } from '../../../../src/engine/core/schedule/stored-schedule.ts';
import { made, utc } from './made.ts';

const Berlin = 'Europe/Berlin';

const described: readonly (readonly [ScheduleOptions, string])[] = [
  [{ every: '5m' }, 'every 5 minutes'],
  [{ every: '1d' }, 'every day'],
  [{ every: '90m', timezone: Berlin }, 'every 90 minutes'],
  [{ every: 1500 }, 'every 1500 ms'],
  [{ at: '2026-12-24T18:00', timezone: Berlin }, 'once, at 2026-12-24 18:00 Europe/Berlin'],
  [{ solar: { event: 'sunset', latitude: 52.52, longitude: 13.405 } }, 'at sunset at 52.52, 13.405'],
  [{ solar: { event: 'dusk_civil', latitude: 0, longitude: 0 } }, 'at civil dusk at 0, 0'],
  [{ solar: { event: 'solar_noon', latitude: 0, longitude: 0 } }, 'at solar noon at 0, 0'],
  [{ cron: '0 3 * * *', timezone: Berlin }, 'at 03:00 Europe/Berlin'],
  [{ cron: '0,30 3,15 * * *' }, 'at 03:00, 03:30, 15:00 and 15:30 UTC'],
  [{ cron: '10 0 3 * * *' }, 'at 03:00:10 UTC'],
  [{ cron: '* * * * *' }, 'every minute UTC'],
  [{ cron: '*/5 * * * *' }, 'every 5 minutes UTC'],
  [{ cron: '*/5 8-17 * * mon-fri' }, 'every 5 minutes from 08:00 to 17:59 on Monday to Friday UTC'],
  [{ cron: '*/30 */2 * * *' }, 'every 30 minutes of every second hour UTC'],
  [{ cron: '0 * * * *' }, 'every hour UTC'],
  [{ cron: '15 * * * *' }, 'every hour at minute 15 UTC'],
  [{ cron: '0 */2 * * *' }, 'every 2 hours UTC'],
  [{ cron: '5,6 * * * *' }, 'at minutes 5 and 6 of every hour UTC'],
  [{ cron: '7 8-17 * * *' }, 'at minute 7 from 08:00 to 17:59 UTC'],
  [{ cron: '*/10 * * * * *' }, 'every 10 seconds UTC'],
  [{ cron: '30 * * * * *' }, 'at second 30 of every minute UTC'],
  [{ cron: '30 */5 * * * *' }, 'at second 30, every 5 minutes UTC'],
  [{ cron: '0 0 1,15 * *' }, 'at 00:00 on days 1 and 15 of the month UTC'],
  [{ cron: '0 0 L jan,jun-aug *' }, 'at 00:00 on the last day of the month in January and June to August UTC'],
  [{ cron: '0 0 * * mon#1,friL' }, 'at 00:00 on the first Monday and the last Friday UTC'],
  [{ cron: '0 0 13 * fri' }, 'at 00:00 on day 13 or Friday UTC'],
  [
    { cron: { minute: 0, hour: 0, dayOfMonth: 13, dayOfWeek: 'fri' } },
    'at 00:00 on day 13 of the month if it is Friday UTC',
  ],
  [
    { cron: '@daily', startAt: '2026-05-01', endAt: '2026-06-01', maxRuns: 5, jitter: '30s', timezone: Berlin },
    'at 00:00 Europe/Berlin, from 2026-05-01 00:00, until 2026-06-01 00:00, 5 times at most, up to 30s later',
  ],
  [{ every: '1h', maxRuns: 1 }, 'every hour, once only'],
];

describe('a schedule in words', () => {
  test.each(described)('of %j is %s', (options, words) => {
    expect(describeSchedule(made(options))).toBe(words);
  });

  test('has instants as the clock of its time zone shows them', () => {
    expect(formatLocal(utc('2026-07-01T10:00Z'), Berlin)).toBe('2026-07-01 12:00');
    expect(formatLocal(utc('2026-07-01T10:00:05Z'), 'UTC')).toBe('2026-07-01 10:00:05');
    expect(formatLocal(utc('2026-07-01T10:00:05Z') + 7, 'UTC')).toBe('2026-07-01 10:00:05.007');
  });
});

describe('a stored schedule', () => {
  test.each(described)('of %j is read back as it was', (options) => {
    const schedule = made(options);
    const stored = JSON.parse(JSON.stringify(formatStoredSchedule(schedule)));
    expect(parseStoredSchedule(stored, 'nightly')).toEqual(schedule);
  });

  test('says its version, its time zone and what was declared', () => {
    expect(formatStoredSchedule(made({ cron: ' 0  3 * * * ', startAt: 5000, jitter: '2s' }))).toEqual({
      v: 1,
      cron: '0 3 * * *',
      timezone: 'UTC',
      startAt: 5000,
      jitter: 2000,
    });
  });

  test.each([[{ v: 2, cron: '@daily' }], [{ cron: '@daily' }], [null], ['@daily']])(
    'is refused where %j is stored',
    (stored) => {
      expect(() => parseStoredSchedule(stored, 'nightly')).toThrow(/schedule entry "nightly": v: .* is not known/);
    },
  );

  test('is checked as a declared one is', () => {
    expect(() => parseStoredSchedule({ v: 1, cron: '0 3 31 2 *' }, 'nightly')).toThrow('February has no day 31');
    expect(() => parseStoredSchedule({ v: 1, cron: '@daily', missed: 'all' }, 'nightly')).toThrow('no option "missed"');
  });
});
