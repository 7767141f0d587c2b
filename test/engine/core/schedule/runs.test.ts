import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { startOfRun } from '../../../../src/engine/core/schedule/jitter.ts';
import { listRuns, nextRun, previousRun } from '../../../../src/engine/core/schedule/runs.ts';
import type { ScheduleOptions } from '../../../../src/engine/core/schedule/schedule-options.ts';
import { iso, made, utc } from './made.ts';

const NOON = utc('2026-05-01T12:00Z');

describe('an interval', () => {
  test('is due at multiples of its length since the epoch', () => {
    expect(listRuns(made({ every: '5m' }), { after: NOON, limit: 2 }).map(iso)).toEqual([
      '2026-05-01T12:05Z',
      '2026-05-01T12:10Z',
    ]);
    expect(iso(nextRun(made({ every: '1d', timezone: 'Asia/Kolkata' }), NOON))).toBe('2026-05-02T00:00Z');
  });

  test('counts from startAt, which is its first run', () => {
    const schedule = made({ every: '90m', startAt: '2026-05-01T12:10Z' });
    expect(listRuns(schedule, { after: 0, limit: 2 }).map(iso)).toEqual(['2026-05-01T12:10Z', '2026-05-01T13:40Z']);
    expect(iso(previousRun(schedule, utc('2026-05-01T13:40Z')))).toBe('2026-05-01T12:10Z');
    expect(previousRun(schedule, utc('2026-05-01T12:10Z'))).toBeUndefined();
  });

  test('does not depend on the moment from which it is asked', () => {
    const schedule = made({ every: 7000 });
    expect(nextRun(schedule, NOON + 1)).toBe(nextRun(schedule, NOON));
  });
});

describe('a time', () => {
  const schedule = made({ at: '2026-05-01T12:00Z' });

  test('is due once', () => {
    expect(nextRun(schedule, NOON - 1)).toBe(NOON);
    expect(nextRun(schedule, NOON)).toBeUndefined();
  });

  test('is the last run from then on', () => {
    expect(previousRun(schedule, NOON)).toBeUndefined();
    expect(previousRun(schedule, NOON + 1)).toBe(NOON);
  });
});

describe('the bounds of an entry', () => {
  const schedule = made({ cron: '0 12 * * *', startAt: '2026-05-01T12:00Z', endAt: '2026-05-03T12:00Z' });

  test('belong to it', () => {
    const all = ['2026-05-01T12:00Z', '2026-05-02T12:00Z', '2026-05-03T12:00Z'];
    expect(listRuns(schedule, { after: 0, limit: 10 }).map(iso)).toEqual(all);
    expect(iso(previousRun(schedule, utc('2030-01-01')))).toBe(all[2]);
    expect(previousRun(schedule, NOON)).toBeUndefined();
  });

  test('end a list before the time that is given, and after as many as are wanted', () => {
    expect(listRuns(schedule, { after: NOON, before: utc('2026-05-03T12:00Z'), limit: 10 })).toHaveLength(1);
    expect(listRuns(schedule, { after: 0, limit: 2 })).toHaveLength(2);
    expect(listRuns(schedule, { after: 0, limit: 0 })).toEqual([]);
  });

  test('let as many runs be as maxRuns says, those before counted', () => {
    const thrice = made({ every: '1h', maxRuns: 3 });
    expect(listRuns(thrice, { after: NOON, limit: 10 })).toHaveLength(3);
    expect(listRuns(thrice, { after: NOON, limit: 10, runs: 2 })).toEqual([NOON + 3_600_000]);
    expect(nextRun(thrice, NOON, 2)).toBe(NOON + 3_600_000);
    expect(nextRun(thrice, NOON, 3)).toBeUndefined();
  });
});

describe('jitter', () => {
  const schedule = made({ every: '1h', jitter: '10s' });
  const startsOf = (entry: string): number[] =>
    listRuns(schedule, { after: NOON, limit: 200 }).map((dueAt) => startOfRun(schedule, entry, dueAt) - dueAt);

  test('is the same for whoever asks', () => {
    expect(startsOf('a')).toEqual(startsOf('a'));
  });

  test('is another for another entry and another due time, within its length', () => {
    expect(startsOf('a')).not.toEqual(startsOf('b'));
    expect(new Set(startsOf('a')).size).toBeGreaterThan(150);
    expect(Math.min(...startsOf('a'))).toBeGreaterThanOrEqual(0);
    expect(Math.max(...startsOf('a'))).toBeLessThanOrEqual(10_000);
    expect(Math.max(...startsOf('a'))).toBeGreaterThan(9000);
  });

  test('leaves due times as they are, and is none where none is given', () => {
    expect(nextRun(schedule, NOON)).toBe(NOON + 3_600_000);
    expect(startOfRun(made({ every: '1h' }), 'a', NOON)).toBe(NOON);
  });
});

describe('every schedule', () => {
  const options: fc.Arbitrary<ScheduleOptions> = fc.oneof(
    fc.integer({ min: 1000, max: 10 ** 9 }).map((every) => ({ every })),
    fc
      .constantFrom(
        '* * * * *',
        '*/7 1-3 * * *',
        '30 2 * * *',
        '0 22-2 * * fri-mon',
        '15 1 L * *',
        '0 0 * * mon#1,wed#3',
        '0 0 29 2 *',
        '*/20 45 1 * * *',
        '0 0 13 * fri',
      )
      .map((cron) => ({ cron })),
    fc
      .constantFrom({ minute: '*/13', hour: '1-3' }, { minute: 0, hour: 0, dayOfMonth: 13, dayOfWeek: 5 })
      .map((cron) => ({ cron })),
    fc
      .tuple(
        fc.constantFrom('sunrise', 'dusk_nautical', 'solar_noon' as const),
        fc.integer({ min: -75, max: 75 }),
        fc.integer({ min: -180, max: 180 }),
      )
      .map(([event, latitude, longitude]) => ({ solar: { event, latitude, longitude } }) as ScheduleOptions),
  );
  const zones = fc.constantFrom(
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Australia/Lord_Howe',
    'Asia/Kolkata',
    'Pacific/Apia',
    'Africa/Casablanca',
  );
  const instants = fc.integer({ min: utc('2005-01-01'), max: utc('2035-01-01') });

  test('goes forwards, and back by the same steps', () => {
    fc.assert(
      fc.property(options, zones, instants, (given, timezone, start) => {
        const schedule = made({ ...given, timezone });
        const runs = listRuns(schedule, { after: start, limit: 12 });
        expect(runs).toHaveLength(12);
        let at = start;
        for (const run of runs) {
          expect(run).toBeGreaterThan(at);
          expect(nextRun(schedule, at)).toBe(run);
          expect(nextRun(schedule, run - 1)).toBe(run);
          at = run;
        }
        const [first = 0] = runs;
        expect(previousRun(schedule, first)).toBeLessThanOrEqual(start);
        expect(runs.slice(1).map((run) => previousRun(schedule, run))).toEqual(runs.slice(0, -1));
      }),
      { numRuns: 300, seed: 11 },
    );
  });
});
