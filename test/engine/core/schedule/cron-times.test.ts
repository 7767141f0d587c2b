import { CronExpressionParser } from 'cron-parser';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { listRuns, nextRun, previousRun } from '../../../../src/engine/core/schedule/runs.ts';
import type { ScheduleOptions } from '../../../../src/engine/core/schedule/schedule-options.ts';
import { iso, made, utc } from './made.ts';

/** The next runs in UTC after the beginning of 2026, a Thursday. */
function runsOf(cron: NonNullable<ScheduleOptions['cron']>, limit: number): string[] {
  return listRuns(made({ cron }), { after: utc('2026-01-01T00:00Z') - 1, limit }).map((at) =>
    new Date(at).toISOString().slice(5, 19).replace(/:00$/, ''),
  );
}

const times: readonly (readonly [string, readonly string[]])[] = [
  ['0 3 * * *', ['01-01T03:00', '01-02T03:00']],
  ['  0   3 * * *  ', ['01-01T03:00', '01-02T03:00']],
  ['15 0 3 * * *', ['01-01T03:00:15', '01-02T03:00:15']],
  ['*/20 59 23 31 12 *', ['12-31T23:59', '12-31T23:59:20', '12-31T23:59:40', '12-31T23:59']],
  ['5/20 * * * *', ['01-01T00:05', '01-01T00:25', '01-01T00:45', '01-01T01:05']],
  ['0 22-2 * * *', ['01-01T00:00', '01-01T01:00', '01-01T02:00', '01-01T22:00', '01-01T23:00', '01-02T00:00']],
  ['0 22-2/2 * * *', ['01-01T00:00', '01-01T02:00', '01-01T22:00', '01-02T00:00']],
  ['0 0 * * fri-mon', ['01-02T00:00', '01-03T00:00', '01-04T00:00', '01-05T00:00', '01-09T00:00']],
  ['0 0 * * FRIDAY-Sun', ['01-02T00:00', '01-03T00:00', '01-04T00:00', '01-09T00:00']],
  ['0 0 * * 5-7', ['01-02T00:00', '01-03T00:00', '01-04T00:00', '01-09T00:00']],
  ['0 0 * * 5-7/2', ['01-02T00:00', '01-04T00:00', '01-09T00:00']],
  ['0 0 * * 7-1', ['01-04T00:00', '01-05T00:00', '01-11T00:00']],
  ['0 0 * * 0,7', ['01-04T00:00', '01-11T00:00']],
  ['0 0 1 nov-feb/2 *', ['01-01T00:00', '11-01T00:00', '01-01T00:00']],
  ['0 0 1 january,Jul *', ['01-01T00:00', '07-01T00:00']],
  ['0 0 L * *', ['01-31T00:00', '02-28T00:00', '03-31T00:00', '04-30T00:00']],
  ['0 0 L 2 ?', ['02-28T00:00', '02-28T00:00', '02-29T00:00', '02-28T00:00']],
  ['0 0 l,15 * *', ['01-15T00:00', '01-31T00:00', '02-15T00:00', '02-28T00:00']],
  ['0 0 31 * *', ['01-31T00:00', '03-31T00:00', '05-31T00:00', '07-31T00:00', '08-31T00:00']],
  ['0 0 30 2,4 *', ['04-30T00:00', '04-30T00:00']],
  ['0 0 ? * friL', ['01-30T00:00', '02-27T00:00', '03-27T00:00', '04-24T00:00']],
  ['0 0 * * 7L', ['01-25T00:00', '02-22T00:00']],
  ['0 0 * * mon#1', ['01-05T00:00', '02-02T00:00', '03-02T00:00']],
  ['0 0 * * thu#5', ['01-29T00:00', '04-30T00:00', '07-30T00:00']],
  ['0 0 * * mon#1,wed#3', ['01-05T00:00', '01-21T00:00', '02-02T00:00', '02-18T00:00']],
  // Both days given: either fits.
  ['0 0 13 * fri', ['01-02T00:00', '01-09T00:00', '01-13T00:00', '01-16T00:00']],
  ['0 0 L * mon#1', ['01-05T00:00', '01-31T00:00', '02-02T00:00']],
  // A field that begins with a star does not count as given: both must fit.
  ['0 0 */2 * fri', ['01-09T00:00', '01-23T00:00', '02-13T00:00']],
  ['0 0 13 * */5', ['02-13T00:00', '03-13T00:00', '09-13T00:00']],
  ['@hourly', ['01-01T00:00', '01-01T01:00']],
  ['@daily', ['01-01T00:00', '01-02T00:00']],
  ['@midnight', ['01-01T00:00', '01-02T00:00']],
  ['@weekly', ['01-04T00:00', '01-11T00:00']],
  ['@monthly', ['01-01T00:00', '02-01T00:00']],
  ['@Yearly', ['01-01T00:00', '01-01T00:00']],
  ['@annually', ['01-01T00:00', '01-01T00:00']],
];

describe('a cron text', () => {
  test.each(times)('%s fires as cron does', (cron, expected) => {
    expect(runsOf(cron, expected.length)).toEqual(expected);
  });

  test('fires on the leap day alone', () => {
    const runs = listRuns(made({ cron: '0 12 29 2 *' }), { after: utc('2091-01-01'), limit: 3 }).map(iso);
    expect(runs).toEqual(['2092-02-29T12:00Z', '2096-02-29T12:00Z', '2104-02-29T12:00Z']);
  });

  test('agrees with cron-parser on what that finds in UTC, forwards and backwards', () => {
    const number = (min: number, max: number) => fc.integer({ min, max });
    const field = (min: number, max: number) =>
      fc.oneof(
        fc.constant('*'),
        number(min, max).map(String),
        fc.uniqueArray(number(min, max), { minLength: 1, maxLength: 4 }).map((list) => list.join(',')),
        fc.tuple(number(min, max), number(min, max)).map((ends) => ends.sort((a, b) => a - b).join('-')),
        number(2, Math.floor((max - min) / 2)).map((step) => `*/${step}`),
      );
    const days = fc.oneof(
      fc.tuple(fc.oneof(field(1, 28), fc.constant('L')), fc.constant('*')),
      fc.tuple(fc.constant('*'), fc.oneof(field(0, 6), fc.constantFrom('1#2', 'fri#1', '5L', 'sunL'))),
    );
    const expression = fc
      .tuple(fc.constantFrom('', '30 ', '*/15 '), field(0, 59), field(0, 23), days, field(1, 12))
      .map(([second, minute, hour, [day, weekday], month]) => `${second}${minute} ${hour} ${day} ${month} ${weekday}`);
    const starts = number(utc('2020-01-01'), utc('2040-01-01'));
    fc.assert(
      fc.property(expression, starts, (cron, start) => {
        const other = CronExpressionParser.parse(cron, { tz: 'UTC', currentDate: new Date(start) });
        const schedule = made({ cron });
        expect(listRuns(schedule, { after: start, limit: 3 }).map(iso)).toEqual(
          other.take(3).map((date) => iso(date.getTime())),
        );
        other.reset(new Date(start));
        expect(iso(previousRun(schedule, start))).toBe(iso(other.prev().getTime()));
      }),
      { numRuns: 300, seed: 7 },
    );
  });
});

describe('a crontab', () => {
  test('fires on days that fit by number and by weekday', () => {
    expect(runsOf({ minute: 0, hour: 0, dayOfMonth: 13, dayOfWeek: 'fri' }, 3)).toEqual([
      '02-13T00:00',
      '03-13T00:00',
      '11-13T00:00',
    ]);
    const leap = made({ cron: { minute: 0, hour: 0, dayOfMonth: 29, monthOfYear: 2, dayOfWeek: 'mon' } });
    expect(iso(nextRun(leap, utc('2077-01-01')))).toBe('2112-02-29T00:00Z');
  });

  test('fires in every minute of an hour that is given alone', () => {
    expect(runsOf({ hour: 3 }, 2)).toEqual(['01-01T03:00', '01-01T03:01']);
  });

  test('takes lists of numbers and texts', () => {
    expect(runsOf({ minute: [0, '30-40/5'], hour: [3, '22-23'], dayOfWeek: ['mon', 3] }, 5)).toEqual([
      '01-05T03:00',
      '01-05T03:30',
      '01-05T03:35',
      '01-05T03:40',
      '01-05T22:00',
    ]);
  });
});
