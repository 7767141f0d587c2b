import { describe, expect, test } from 'vitest';
import { listRuns, nextRun, previousRun } from '../../../../src/engine/core/schedule/runs.ts';
import { iso, made, utc } from './made.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;

interface Row {
  readonly zone: string;
  readonly cron: string;
  readonly after: string;
  /** What the clock shows, with the offset that it has then. */
  readonly runs: readonly string[];
}

const rows: readonly Row[] = [
  // Berlin: on 29 March 2026 02:00 becomes 03:00, on 25 October 03:00 becomes 02:00.
  ...[
    { cron: '30 2 * * *', after: '03-28', runs: ['03-28 02:30+1', '03-29 03:00+2', '03-30 02:30+2'] },
    { cron: '0,20,40 2 * * *', after: '03-29', runs: ['03-29 03:00+2', '03-30 02:00+2'] },
    { cron: '0 1-4 * * *', after: '03-29', runs: ['03-29 01:00+1', '03-29 03:00+2', '03-29 04:00+2', '03-30 01:00+2'] },
    { cron: '*/30 2 * * *', after: '03-29', runs: ['03-29 03:00+2', '03-30 02:00+2'] },
    { cron: '30 * * * *', after: '03-29', runs: ['03-29 00:30+1', '03-29 01:30+1', '03-29 03:30+2'] },
    { cron: '0 0 29 3 *', after: '03-28', runs: ['03-29 00:00+1'] },
    { cron: '30 2 * * *', after: '10-25', runs: ['10-25 02:30+2', '10-26 02:30+1'] },
    { cron: '0,30 2 * * *', after: '10-25', runs: ['10-25 02:00+2', '10-25 02:30+2', '10-26 02:00+1'] },
    { cron: '0 1-4 * * *', after: '10-25', runs: ['10-25 01:00+2', '10-25 02:00+2', '10-25 03:00+1', '10-25 04:00+1'] },
    { cron: '0 3 * * *', after: '10-24', runs: ['10-24 03:00+2', '10-25 03:00+1'] },
    { cron: '30 * * * *', after: '10-25', runs: ['10-25 00:30+2', '10-25 01:30+2', '10-25 02:30+2', '10-25 02:30+1'] },
    {
      cron: '*/30 2 * * *',
      after: '10-25',
      runs: ['10-25 02:00+2', '10-25 02:30+2', '10-25 02:00+1', '10-25 02:30+1'],
    },
  ].map((row) => ({ zone: 'Europe/Berlin', ...row })),
  // New York: on 8 March 2026 02:00 becomes 03:00, on 1 November 02:00 becomes 01:00.
  ...[
    { cron: '30 2 * * *', after: '03-07', runs: ['03-07 02:30-5', '03-08 03:00-4', '03-09 02:30-4'] },
    { cron: '0 0 * * sun', after: '03-07', runs: ['03-08 00:00-5', '03-15 00:00-4'] },
    { cron: '30 1 * * *', after: '11-01', runs: ['11-01 01:30-4', '11-02 01:30-5'] },
    { cron: '0 * * * *', after: '11-01', runs: ['11-01 00:00-4', '11-01 01:00-4', '11-01 01:00-5', '11-01 02:00-5'] },
  ].map((row) => ({ zone: 'America/New_York', ...row })),
  // Lord Howe: on 5 April 2026 02:00 becomes 01:30, on 4 October 02:00 becomes 02:30.
  ...[
    { cron: '15 2 * * *', after: '10-04', runs: ['10-04 02:30+11', '10-05 02:15+11'] },
    {
      cron: '0 * * * *',
      after: '10-04',
      runs: ['10-04 00:00+10.5', '10-04 01:00+10.5', '10-04 02:30+11', '10-04 03:00+11'],
    },
    { cron: '45 1 * * *', after: '04-05', runs: ['04-05 01:45+11', '04-06 01:45+10.5'] },
    { cron: '15,45 1 * * *', after: '04-05', runs: ['04-05 01:15+11', '04-05 01:45+11', '04-06 01:15+10.5'] },
    {
      cron: '45 * * * *',
      after: '04-05',
      runs: ['04-05 00:45+11', '04-05 01:45+11', '04-05 01:45+10.5', '04-05 02:45+10.5'],
    },
  ].map((row) => ({ zone: 'Australia/Lord_Howe', ...row })),
  // Kolkata: never changed.
  { zone: 'Asia/Kolkata', cron: '30 2 * * *', after: '03-28', runs: ['03-28 02:30+5.5', '03-29 02:30+5.5'] },
];

/** `03-29 03:00+2` of 2026. */
function instantOf(text: string): number {
  const [, day, time, offset] = /^(\S+) (\d\d:\d\d)([+-].+)$/.exec(text) ?? [];
  return utc(`2026-${day}T${time}Z`) - Number(offset) * 60 * MINUTE;
}

describe('on the days on which clocks are changed', () => {
  test.each(rows)('$cron in $zone after $after fires at $runs', ({ zone, cron, after, runs }) => {
    const [, offset] = /([+-][^:]+)$/.exec(runs[0] ?? '') ?? [];
    const midnight = instantOf(`${after} 00:00${offset}`);
    const found = listRuns(made({ cron, timezone: zone }), { after: midnight - 1, limit: runs.length });
    expect(found.map(iso)).toEqual(runs.map((run) => iso(instantOf(run))));
  });

  test('an entry of every minute fires in every minute, whatever the clock shows', () => {
    for (const timezone of ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe']) {
      const schedule = made({ cron: '* * * * *', timezone });
      let at = utc('2026-01-01T00:00Z');
      while (at < utc('2027-01-01T00:00Z')) {
        const next = nextRun(schedule, at);
        if (next !== at + MINUTE) expect(`${timezone} ${iso(next)}`).toBe(`${timezone} ${iso(at + MINUTE)}`);
        at = next ?? Infinity;
      }
    }
  });

  test('an interval is as long as ever', () => {
    const schedule = made({ every: '1h', timezone: 'Europe/Berlin' });
    const runs = listRuns(schedule, { after: utc('2026-10-24T12:00Z'), limit: 40 });
    expect(new Set(runs.slice(1).map((at, index) => at - (runs[index] ?? 0)))).toEqual(new Set([3_600_000]));
  });

  test('a day that a place leaves out is made up for at its end', () => {
    // Samoa had no 30 December 2011.
    const schedule = made({ cron: '0 3 * * *', timezone: 'Pacific/Apia' });
    expect(listRuns(schedule, { after: utc('2011-12-29T00:00Z'), limit: 3 }).map(iso)).toEqual([
      '2011-12-29T13:00Z',
      '2011-12-30T10:00Z',
      '2011-12-30T13:00Z',
    ]);
  });
});

/** The same rules, told minute by minute with the clock of `Intl`: slow, and with nothing of how the runs are found. */
function runsByTheMinute(
  zone: string,
  fits: (wall: Date) => boolean,
  isRepeated: boolean,
  isHourly: boolean,
  from: number,
  to: number,
) {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' });
  const wallOf = (at: number): number => Date.parse(`${format.format(at).replace(' ', 'T')}Z`);
  const runs: number[] = [];
  let latest = wallOf(from);
  for (let at = from + MINUTE, before = latest; at < to; at += MINUTE) {
    const wall = wallOf(at);
    let isDue = fits(new Date(wall)) && (isRepeated || wall > latest);
    const gap = wall - before - MINUTE;
    if (gap > 0 && (!isHourly || gap < 60 * MINUTE)) {
      for (let skipped = before + MINUTE; skipped < wall; skipped += MINUTE) isDue ||= fits(new Date(skipped));
    }
    if (isDue) runs.push(at);
    latest = Math.max(latest, wall);
    before = wall;
  }
  return runs;
}

describe('forwards, backwards and minute by minute', () => {
  const crons: readonly (readonly [
    cron: string,
    isRepeated: boolean,
    isHourly: boolean,
    fits: (wall: Date) => boolean,
  ])[] = [
    ['30 2 * * *', false, false, (wall) => wall.getUTCHours() === 2 && wall.getUTCMinutes() === 30],
    [
      '15,45 1-3 * * *',
      false,
      false,
      (wall) => [1, 2, 3].includes(wall.getUTCHours()) && wall.getUTCMinutes() % 30 === 15,
    ],
    ['*/10 0-2 * * *', true, false, (wall) => wall.getUTCHours() <= 2 && wall.getUTCMinutes() % 10 === 0],
    ['5,20 * * * *', true, true, (wall) => [5, 20].includes(wall.getUTCMinutes())],
    ['*/7 * * * *', true, true, (wall) => wall.getUTCMinutes() % 7 === 0],
    ['0 2 L * *', false, false, (wall) => isLastDay(wall) && wall.getUTCHours() === 2 && wall.getUTCMinutes() === 0],
    [
      '30 22-2 * * fri-sun',
      false,
      false,
      (wall) =>
        [0, 5, 6].includes(wall.getUTCDay()) &&
        [22, 23, 0, 1, 2].includes(wall.getUTCHours()) &&
        wall.getUTCMinutes() === 30,
    ],
  ];
  const isLastDay = (wall: Date): boolean => new Date(wall.getTime() + DAY).getUTCDate() === 1;
  const spans = [
    ['Europe/Berlin', '2026-03-29', '2026-10-25'],
    ['America/New_York', '2026-03-08', '2026-11-01'],
    ['Australia/Lord_Howe', '2026-04-05', '2026-10-04'],
    ['UTC', '2028-02-29', '2026-12-31'],
    ['Asia/Kolkata', '2028-02-29', '2026-12-31'],
  ].flatMap(([zone = '', ...days]) => days.map((day) => [zone, day] as const));

  test.each(spans)('the runs in %s around %s are the same', (zone, day) => {
    const [from, to] = [utc(`${day}T00:00Z`) - 2 * DAY, utc(`${day}T00:00Z`) + 2 * DAY];
    for (const [cron, isRepeated, isHourly, fits] of crons) {
      const schedule = made({ cron, timezone: zone });
      const expected = runsByTheMinute(zone, fits, isRepeated, isHourly, from, to);
      const forwards = listRuns(schedule, { after: from, before: to, limit: 10_000 });
      expect([cron, ...forwards.map(iso)]).toEqual([cron, ...expected.map(iso)]);
      const backwards: number[] = [];
      for (let at = previousRun(schedule, to); at !== undefined && at > from; at = previousRun(schedule, at)) {
        backwards.unshift(at);
      }
      expect([cron, ...backwards.map(iso)]).toEqual([cron, ...expected.map(iso)]);
    }
  });
});
