import { describe, expect, test } from 'vitest';
import { TqError } from '../../../../src/engine/core/errors.ts';
import { crontab } from '../../../../src/engine/core/schedule/crontab.ts';
import { parseSchedule, type ScheduleOptions } from '../../../../src/engine/core/schedule/schedule-options.ts';
import { solar } from '../../../../src/engine/core/schedule/sun-events.ts';
import { made, utc } from './made.ts';

function faultOf(options: unknown): TqError {
  try {
    parseSchedule(options as ScheduleOptions, 'nightly');
  } catch (error) {
    if (error instanceof TqError) return error;
    throw error;
  }
  throw new Error(`${JSON.stringify(options)} was taken`);
}

const place = { latitude: 52.52, longitude: 13.405 };

/** What is given, and what the message says after the name of the entry. */
const refused: readonly (readonly [unknown, string])[] = [
  ['5m', 'schedule: "5m" is no object'],
  [{}, 'schedule: nothing says when it fires'],
  [{ every: '1h', cron: '@daily' }, 'every and cron: only one of them can say when it fires'],
  [{ every: 999 }, 'every: 999 ms is shorter than 1s'],
  [{ cron: 5 }, 'cron: 5 is neither a text nor an object'],
  [{ cron: null }, 'cron: null is neither a text nor an object'],
  [{ cron: '' }, 'cron: "" has no fields'],
  [{ cron: '0 3 * *' }, 'cron: "0 3 * *" has 4 fields'],
  [{ cron: '0 0 3 * * * 2031' }, 'cron: "0 0 3 * * * 2031" has 7 fields'],
  [{ cron: '@reboot' }, 'cron: "@reboot" is not known'],
  [{ cron: '60 3 * * *' }, 'cron.minute: 60 is not between 0 and 59'],
  [{ cron: '61 0 3 * * *' }, 'cron.second: 61 is not between 0 and 59'],
  [{ cron: '0 24 * * *' }, 'cron.hour: 24 is not between 0 and 23'],
  [{ cron: '0 3 0 * *' }, 'cron.dayOfMonth: 0 is not between 1 and 31'],
  [{ cron: '0 3 * 13 *' }, 'cron.monthOfYear: 13 is not between 1 and 12'],
  [{ cron: '0 3 * * 8' }, 'cron.dayOfWeek: 8 is not between 0 and 7'],
  [{ cron: '0 3 * * frday' }, 'cron.dayOfWeek: "frday" is no name of a value, did you mean "friday"?'],
  [{ cron: '0 3 * xyz *' }, 'cron.monthOfYear: "xyz" is no name of a value'],
  [{ cron: '0 3 mon * *' }, 'cron.dayOfMonth: "mon" is not understood'],
  [{ cron: '0 -3 * * *' }, 'cron.hour: a value is missing'],
  [{ cron: '0 3- * * *' }, 'cron.hour: a value is missing'],
  [{ cron: '0 1-2-3 * * *' }, 'cron.hour: "1-2-3" is no range'],
  [{ cron: '0 3,,4 * * *' }, 'cron.hour: a value is missing'],
  [{ cron: '*/0 * * * *' }, 'cron.minute: /0 is no step'],
  [{ cron: '*/x * * * *' }, 'cron.minute: /x is no step'],
  [{ cron: '*/5/2 * * * *' }, 'cron.minute: "*/5/2" has two steps'],
  [{ cron: '*/90 * * * *' }, 'cron.minute: the step of "*/90" is longer than its range'],
  [{ cron: '? * * * *' }, 'cron.minute: "?" is not understood'],
  [{ cron: 'L * * * *' }, 'cron.minute: "l" is not understood'],
  [{ cron: '0 3 15W * *' }, 'cron.dayOfMonth: "15w" is not understood'],
  [{ cron: '0 3 * * mon#6' }, 'cron.dayOfWeek: #6 is not one of #1 to #5'],
  [{ cron: '0 3 * * mon-fri#1' }, 'cron.dayOfWeek: "mon-fri" is not understood'],
  [{ cron: '0 3 31 2 *' }, 'cron.dayOfMonth: February has no day 31'],
  [{ cron: '0 3 30 2 mon' }, 'cron.dayOfMonth: February has no day 30'],
  [{ cron: '0 3 31 2,4,jun *' }, 'cron.dayOfMonth: February and April and June have no day 31'],
  [{ cron: '0 3 */5 2 mon#5' }, 'cron: no day of the calendar fits it'],
  [{ cron: { dayOfMonth: 31, monthOfYear: 'feb' } }, 'cron.dayOfMonth: February has no day 31'],
  [{ cron: { hour: 24 } }, 'cron.hour: 24 is not between 0 and 23'],
  [{ cron: { hour: 1.5 } }, 'cron.hour: 1.5 is neither a whole number from 0 nor a text'],
  [{ cron: { hour: -1 } }, 'cron.hour: -1 is neither a whole number from 0 nor a text'],
  [{ cron: { hour: [] } }, 'cron.hour: the list is empty'],
  [{ cron: { hour: '' } }, 'cron.hour: a value is missing'],
  [{ cron: { dayOfWeek: 7 } }, 'cron.dayOfWeek: 7 is not between 0 and 6'],
  [{ cron: { dayOfWeek: 'fri#1' } }, 'cron.dayOfWeek: "fri#1" is not understood'],
  [{ cron: { dayOfMonth: 'L' } }, 'cron.dayOfMonth: "l" is not understood'],
  [{ at: 'tomorrow' }, 'at: "tomorrow" is no date'],
  [{ at: '2031-02-31T12:00' }, 'at: "2031-02-31T12:00" is no date'],
  [{ at: '2031-02-01T25:00' }, 'at: "2031-02-01T25:00" is no date'],
  [{ at: new Date(Number.NaN) }, 'at: an invalid date is no date'],
  [{ at: -1 }, 'at: -1 is no date'],
  [{ at: 1.5 }, 'at: 1.5 is no date'],
  [{ solar: 'sunset' }, 'solar: "sunset" is no event and place'],
  [{ solar: { event: 'sunst', ...place } }, 'solar.event: "sunst" is no event, did you mean "sunset"?'],
  [{ solar: { event: 'sunset', latitude: 91, longitude: 0 } }, 'solar.latitude: 91 is not between -90 and 90'],
  [{ solar: { event: 'sunset', latitude: Number.NaN, longitude: 0 } }, 'solar.latitude: NaN is not between -90 and 90'],
  [{ solar: { event: 'sunset', latitude: 9, longitude: -181 } }, 'solar.longitude: -181 is not between -180 and 180'],
  [{ solar: { event: 'sunset', latitude: 9 } }, 'solar.longitude: undefined is not between -180 and 180'],
  [{ solar: { event: 'sunset', latitude: 90, longitude: 0 } }, 'solar: there is no sunset at latitude 90'],
  [
    { cron: '@daily', timezone: 'Europe/Berln' },
    'timezone: "Europe/Berln" is no time zone; did you mean "Europe/Berlin"',
  ],
  [{ cron: '@daily', timezone: '+02:00' }, 'timezone: "+02:00" is no time zone'],
  [{ cron: '@daily', timezone: 5 }, 'timezone: 5 is no time zone'],
  [{ cron: '@daily', startAt: 'x' }, 'startAt: "x" is no date'],
  [{ cron: '@daily', startAt: '2031-05-02', endAt: '2031-05-01' }, 'endAt: it is before startAt'],
  [{ cron: '@yearly', startAt: '2031-05-01', endAt: '2031-06-01' }, 'endAt: no run is due between startAt and endAt'],
  [{ at: '2031-05-01', endAt: '2031-04-01' }, 'endAt: no run is due between 1970 and endAt'],
  [{ at: '2031-05-01', startAt: '2031-06-01' }, 'at: it is before startAt'],
  [{ cron: '@daily', maxRuns: 0 }, 'maxRuns: 0 is no whole number from 1'],
  [{ cron: '@daily', maxRuns: '3' }, 'maxRuns: "3" is no whole number from 1'],
  [{ every: '1m', jitter: '1m' }, 'jitter: it is not shorter than `every`'],
];

describe('a schedule that is declared wrongly', () => {
  test.each(refused)('is refused with its entry and field: %j', (options, says) => {
    const error = faultOf(options);
    expect(error.code).toBe('INVALID_SCHEDULE');
    expect(error.message).toContain(`schedule entry "nightly": ${says}`);
    expect(error.next).not.toBe('');
  });

  test('is told of options that do not exist, and of near ones', () => {
    expect(faultOf({ cron: '@daily', timeZone: 'UTC' }).message).toContain('did you mean "timezone"?');
    expect(faultOf({ cron: { day_of_week: 1 } }).message).toContain('did you mean "dayOfWeek"?');
    expect(faultOf({ solar: { event: 'sunset', lat: 5, longitude: 5 } }).code).toBe('UNKNOWN_OPTION');
  });

  test('is told of durations that are none', () => {
    expect(faultOf({ every: 'often' }).message).toContain('every of schedule entry "nightly"');
    expect(faultOf({ every: '5m', jitter: -1 }).message).toContain('jitter of schedule entry "nightly"');
  });
});

describe('a schedule', () => {
  test('has the time zone of its entry, else that of the app, else UTC', () => {
    expect(parseSchedule({ cron: '@daily', timezone: 'Asia/Kolkata' }, 'x', 'Europe/Berlin').timezone).toBe(
      'Asia/Kolkata',
    );
    expect(parseSchedule({ cron: '@daily' }, 'x', 'Europe/Berlin').timezone).toBe('Europe/Berlin');
    expect(made({ cron: '@daily' }).timezone).toBe('UTC');
  });

  test('takes an option that is undefined as one that is left out', () => {
    const options = { every: '5m', cron: undefined, maxRuns: undefined } as unknown as ScheduleOptions;
    expect(made(options)).toEqual(made({ every: 300_000 }));
  });

  test('takes dates, epoch milliseconds and texts', () => {
    const at = utc('2031-05-01T12:00:00.250Z');
    const given = [
      new Date(at),
      at,
      '2031-05-01T12:00:00.250Z',
      '2031-05-01T14:00:00.25+02:00',
      '2031-05-01 06:30:00.25-0530',
    ];
    expect(given.map((one) => made({ at: one }).rule)).toEqual(given.map(() => ({ kind: 'at', at })));
  });

  test('reads a date without an offset in its time zone', () => {
    const atOf = (at: string) => made({ at, timezone: 'Europe/Berlin' }).rule;
    expect(atOf('2031-07-01T12:00')).toEqual({ kind: 'at', at: utc('2031-07-01T10:00Z') });
    expect(atOf('2031-01-01')).toEqual({ kind: 'at', at: utc('2030-12-31T23:00Z') });
    // Skipped, so the end of the gap; shown twice, so the first time.
    expect(atOf('2026-03-29T02:30')).toEqual({ kind: 'at', at: utc('2026-03-29T01:00Z') });
    expect(atOf('2026-10-25T02:30')).toEqual({ kind: 'at', at: utc('2026-10-25T00:30Z') });
    expect(made({ at: '2026-12-31T23:59', timezone: 'Pacific/Kiritimati' }).rule).toEqual({
      kind: 'at',
      at: utc('2026-12-31T09:59Z'),
    });
  });

  test('has the defaults of Celery where a crontab leaves a field out', () => {
    expect(made({ cron: crontab({ hour: 3 }) })).toEqual(made({ cron: { hour: 3 } }));
    expect(crontab({ hour: 3 })).toEqual({ minute: '*', hour: 3, dayOfWeek: '*', dayOfMonth: '*', monthOfYear: '*' });
  });

  test('takes the event and place that solar makes', () => {
    expect(made({ solar: solar('sunset', 52.52, 13.405) }).rule).toEqual({ kind: 'solar', event: 'sunset', ...place });
  });
});
