import { expect, test } from 'vitest';
import type { ScheduleOptions } from '../../../../src/engine/core/schedule/schedule-options.ts';
import { formatOffset, listUpcoming } from '../../../../src/engine/core/schedule/upcoming-runs.ts';
import { made, utc } from './made.ts';

/** Local time, offset and note of each. */
function preview(options: ScheduleOptions, after: string, count: number): string[] {
  return listUpcoming(made(options), { after: utc(after), count }).map(({ local, offset, note }) =>
    [local, offset, ...(note === null ? [] : [note])].join(' | '),
  );
}

test('a time that the clock skips is shown where it fires instead, with the new offset', () => {
  expect(preview({ cron: '30 2 * * *', timezone: 'Europe/Berlin' }, '2026-03-28T00:00Z', 3)).toEqual([
    '2026-03-28 02:30 | +01:00',
    '2026-03-29 03:00 | +02:00 | the clock has gone forward by 1h; the clock skips 02:30, so it fires after the gap',
    '2026-03-30 02:30 | +02:00',
  ]);
});

test('a time after the gap that is due by itself stands for no other', () => {
  expect(preview({ cron: '0,30 2,3 * * *', timezone: 'Europe/Berlin' }, '2026-03-29T00:00Z', 2)).toEqual([
    '2026-03-29 03:00 | +02:00 | the clock has gone forward by 1h',
    '2026-03-29 03:30 | +02:00',
  ]);
});

test('a time that the clock shows twice fires the first time', () => {
  expect(preview({ cron: '30 2 * * *', timezone: 'Europe/Berlin' }, '2026-10-24T12:00Z', 2)).toEqual([
    '2026-10-25 02:30 | +02:00 | the clock shows 02:30 twice, and it fires the first time',
    '2026-10-26 02:30 | +01:00 | the clock has gone back by 1h',
  ]);
});

test('an entry of every hour fires in both of two equal hours', () => {
  expect(preview({ cron: '30 * * * *', timezone: 'America/New_York' }, '2026-11-01T04:00Z', 4)).toEqual([
    '2026-11-01 00:30 | -04:00',
    '2026-11-01 01:30 | -04:00 | the clock shows 01:30 twice, and it fires both times',
    '2026-11-01 01:30 | -05:00 | the clock has gone back by 1h; the second 01:30 of this night',
    '2026-11-01 02:30 | -05:00',
  ]);
});

test('half an hour is a change too', () => {
  expect(preview({ cron: '15 2 * * *', timezone: 'Australia/Lord_Howe' }, '2026-10-03T00:00Z', 1)).toEqual([
    '2026-10-04 02:30 | +11:00 | the clock has gone forward by 30m; the clock skips 02:15, so it fires after the gap',
  ]);
});

test('an interval keeps its pace through a change, and says that the clock has changed', () => {
  expect(preview({ every: '6h', timezone: 'Europe/Berlin' }, '2026-03-28T19:00Z', 2)).toEqual([
    '2026-03-29 01:00 | +01:00',
    '2026-03-29 08:00 | +02:00 | the clock has gone forward by 1h',
  ]);
  expect(preview({ cron: '0 0 * * *' }, '2026-12-30T12:00Z', 2)).toEqual([
    '2026-12-31 00:00 | +00:00',
    '2027-01-01 00:00 | +00:00',
  ]);
});

test('no more are listed than there are runs left', () => {
  const schedule = made({ every: '1h', maxRuns: 5 });
  expect(listUpcoming(schedule, { after: 0, count: 10, runs: 3 })).toHaveLength(2);
});

test('offsets are written as in ISO 8601', () => {
  expect([0, -12_600_000, 20_700_000].map(formatOffset)).toEqual(['+00:00', '-03:30', '+05:45']);
});
