import { describe, expect, test } from 'vitest';
import { type ChainRule, listSteps } from '../../../../src/engine/core/schedule/chain.ts';
import type { MissedRule } from '../../../../src/engine/core/schedule/entry.ts';
import type { ScheduleOptions } from '../../../../src/engine/core/schedule/schedule-options.ts';
import { iso, made, utc } from './made.ts';

const HOUR = 3_600_000;

interface Given extends Partial<Omit<ChainRule, 'schedule' | 'missed'>> {
  readonly missed?: Partial<MissedRule>;
  readonly schedule?: ScheduleOptions;
  readonly runs?: number;
}

/** The steps of an hourly entry, unless it is given otherwise, from one instant at another. */
function steps(from: string, now: string, given: Given = {}): (string | undefined)[] {
  const { schedule = { every: '1h' }, missed, overlap = 'allow', runs = 1 } = given;
  const rule = { policy: 'once', windowMs: null, atMost: 100, ...missed } as const;
  return listSteps({ schedule: made(schedule), missed: rule, overlap }, utc(from), utc(now), runs).map(iso);
}

describe('on time', () => {
  test('an entry goes on to its next due time', () => {
    expect(steps('2031-05-01T03:00Z', '2031-05-01T03:00:00.020Z')).toEqual(['2031-05-01T04:00Z']);
  });

  test('a firing that is taken before its time leads to the due time after it, not to itself', () => {
    expect(steps('2031-05-01T03:00Z', '2031-05-01T00:30Z')).toEqual(['2031-05-01T04:00Z']);
  });

  test('a due time of exactly now is the next one, and not missed', () => {
    expect(steps('2031-05-01T03:00Z', '2031-05-01T04:00Z')).toEqual(['2031-05-01T04:00Z']);
    expect(steps('2031-05-01T03:00Z', '2031-05-01T05:00Z', { missed: { policy: 'all' } })).toEqual([
      '2031-05-01T04:00Z',
      '2031-05-01T05:00Z',
    ]);
  });

  test('a cron time that the clock skips is passed by, and one that it shows twice is met once', () => {
    const schedule = { cron: '30 2 * * *', timezone: 'Europe/Berlin' };
    const days = steps('2026-03-28T01:30Z', '2026-03-31T12:00Z', { schedule, missed: { policy: 'all' } });
    expect(days[0]).toBe(iso(utc('2026-03-29T01:00Z')));
    expect(days.slice(1)).toEqual(['2026-03-30T00:30Z', '2026-03-31T00:30Z', '2026-04-01T00:30Z']);
    expect(steps('2026-10-25T00:30Z', '2026-10-25T01:30Z', { schedule })).toEqual(['2026-10-26T01:30Z']);
  });
});

describe('late', () => {
  const late = ['2031-05-01T03:00Z', '2031-05-01T06:20Z'] as const;

  test('once: the firing that is there runs for those that passed, and the next is to come', () => {
    expect(steps(...late)).toEqual(['2031-05-01T07:00Z']);
  });

  test('once: a firing that is too late itself is made up for by the latest that is not', () => {
    expect(steps(...late, { missed: { windowMs: HOUR } })).toEqual(['2031-05-01T06:00Z', '2031-05-01T07:00Z']);
    expect(steps(...late, { missed: { windowMs: 600_000 } })).toEqual(['2031-05-01T07:00Z']);
  });

  test('once: so it is where firings must not overlap, since the one that is too late does not run', () => {
    for (const overlap of ['skip', 'replace'] as const) {
      expect(steps(...late, { overlap, missed: { windowMs: HOUR } })).toEqual([
        '2031-05-01T06:00Z',
        '2031-05-01T07:00Z',
      ]);
    }
  });

  test('skip: what passed is let go, within the window too', () => {
    expect(steps(...late, { missed: { policy: 'skip', windowMs: 2 * HOUR } })).toEqual(['2031-05-01T07:00Z']);
  });

  test('all: every due time that passed is a step, and the one to come is the last', () => {
    expect(steps(...late, { missed: { policy: 'all' } })).toEqual([
      '2031-05-01T04:00Z',
      '2031-05-01T05:00Z',
      '2031-05-01T06:00Z',
      '2031-05-01T07:00Z',
    ]);
  });

  test('all: the latest that the cap and the window leave', () => {
    const two = ['2031-05-01T05:00Z', '2031-05-01T06:00Z', '2031-05-01T07:00Z'];
    expect(steps(...late, { missed: { policy: 'all', atMost: 2 } })).toEqual(two);
    expect(steps(...late, { missed: { policy: 'all', windowMs: 1.5 * HOUR } })).toEqual(two);
  });

  test('all, where firings must not overlap, is once', () => {
    for (const overlap of ['skip', 'replace'] as const) {
      expect(steps(...late, { overlap, missed: { policy: 'all' } })).toEqual(['2031-05-01T07:00Z']);
    }
  });

  test('a time of every second that passed for a year is not counted through', () => {
    const schedule = { cron: '* * * * * *' };
    expect(steps('2030-05-01T00:00Z', '2031-05-01T00:00Z', { schedule, missed: { policy: 'all', atMost: 2 } })).toEqual(
      ['2031-04-30T23:59:58Z', '2031-04-30T23:59:59Z', '2031-05-01T00:00Z'],
    );
  });
});

describe('an end', () => {
  test('after the last run there is no step', () => {
    expect(steps('2031-05-01T03:00Z', '2031-05-01T03:00Z', { schedule: { every: '1h', maxRuns: 3 }, runs: 3 })).toEqual(
      [],
    );
    const until = { every: '1h', endAt: '2031-05-01T03:30Z' } as const;
    expect(steps('2031-05-01T03:00Z', '2031-05-01T03:00Z', { schedule: until })).toEqual([]);
    expect(steps('2031-05-01T03:00Z', '2031-05-01T03:00Z', { schedule: { at: '2031-05-01T03:00Z' } })).toEqual([]);
  });

  test('runs that are left are given to what is made up for first, the latest of it', () => {
    const given = { schedule: { every: '1h', maxRuns: 3 }, missed: { policy: 'all' } } as const;
    const late = ['2031-05-01T03:00Z', '2031-05-01T06:20Z'] as const;
    expect(steps(...late, { ...given, runs: 1 })).toEqual(['2031-05-01T05:00Z', '2031-05-01T06:00Z']);
    expect(steps(...late, { ...given, runs: 2 })).toEqual(['2031-05-01T06:00Z']);
  });

  test('an end that passed leaves what was due before it to be made up for', () => {
    const schedule = { every: '1h', endAt: '2031-05-01T05:30Z' } as const;
    expect(steps('2031-05-01T03:00Z', '2031-05-02T00:00Z', { schedule, missed: { policy: 'all' } })).toEqual([
      '2031-05-01T04:00Z',
      '2031-05-01T05:00Z',
    ]);
    expect(steps('2031-05-01T03:00Z', '2031-05-02T00:00Z', { schedule })).toEqual([]);
  });
});
