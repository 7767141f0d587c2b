import { describe, expect, test } from 'vitest';
import { type MissedSpan, missedRuns } from '../../../../src/engine/core/schedule/missed-runs.ts';
import { iso, made, utc } from './made.ts';

const hourly = made({ cron: '0 * * * *' });
const span = (given: Partial<MissedSpan>): MissedSpan => ({
  lastDueAt: utc('2026-05-01T08:00Z'),
  now: utc('2026-05-01T12:30Z'),
  policy: 'all',
  windowMs: null,
  cap: 10,
  ...given,
});
const shown = (given: Partial<MissedSpan>, schedule = hourly) => {
  const { fire, leftOut, isLeftOutExact } = missedRuns(schedule, span(given));
  return { fire: fire.map((at) => iso(at)?.slice(11)), leftOut, ...(!isLeftOutExact && { isLeftOutExact }) };
};

describe('due times that passed while no beat ran', () => {
  test('are let go and counted when they are skipped', () => {
    expect(shown({ policy: 'skip' })).toEqual({ fire: [], leftOut: 4 });
  });

  test('fire once, for the latest', () => {
    expect(shown({ policy: 'once' })).toEqual({ fire: ['12:00Z'], leftOut: 3 });
  });

  test('fire all, the earliest first', () => {
    expect(shown({})).toEqual({ fire: ['09:00Z', '10:00Z', '11:00Z', '12:00Z'], leftOut: 0 });
  });

  test('fire up to the cap, the latest of them', () => {
    expect(shown({ cap: 2 })).toEqual({ fire: ['11:00Z', '12:00Z'], leftOut: 2 });
    expect(shown({ cap: 0 })).toEqual({ fire: [], leftOut: 4 });
  });

  test('fire within the window, its beginning included', () => {
    const windowMs = 90 * 60_000;
    expect(shown({ windowMs })).toEqual({ fire: ['11:00Z', '12:00Z'], leftOut: 2 });
    expect(shown({ windowMs: windowMs - 1 })).toEqual({ fire: ['12:00Z'], leftOut: 3 });
    expect(shown({ windowMs: 0, policy: 'once' })).toEqual({ fire: [], leftOut: 4 });
  });

  test('do not hold the one that is due now', () => {
    expect(shown({ now: utc('2026-05-01T12:00Z'), policy: 'once' })).toEqual({ fire: ['11:00Z'], leftOut: 2 });
    expect(shown({ now: utc('2026-05-01T09:00Z') })).toEqual({ fire: [], leftOut: 0 });
  });

  test('are none when the clock was set back', () => {
    expect(shown({ now: utc('2026-05-01T07:00Z') })).toEqual({ fire: [], leftOut: 0 });
  });

  test('fire as often as maxRuns leaves', () => {
    const thrice = made({ cron: '0 * * * *', maxRuns: 3 });
    expect(shown({ runs: 1 }, thrice)).toEqual({ fire: ['11:00Z', '12:00Z'], leftOut: 2 });
    expect(shown({ runs: 3 }, thrice)).toEqual({ fire: [], leftOut: 0 });
  });

  test('keep to startAt and endAt', () => {
    const bounded = { startAt: '2026-05-01T10:00Z', endAt: '2026-05-01T11:00Z' };
    expect(shown({ cap: 1 }, made({ cron: '0 * * * *', ...bounded }))).toEqual({ fire: ['11:00Z'], leftOut: 1 });
    expect(shown({ policy: 'skip' }, made({ every: '30m', ...bounded }))).toEqual({ fire: [], leftOut: 3 });
  });

  test('of one time fire once', () => {
    expect(shown({}, made({ at: '2026-05-01T10:00Z' }))).toEqual({ fire: ['10:00Z'], leftOut: 0 });
  });

  test('of an interval are counted however many they are', () => {
    const since = { lastDueAt: utc('2016-05-01T00:00Z'), now: utc('2026-05-01T00:00Z') };
    const { fire, leftOut } = shown({ ...since, policy: 'once' }, made({ every: '1s' }));
    expect(fire).toEqual(['23:59:59Z']);
    expect(leftOut).toBe((since.now - since.lastDueAt) / 1000 - 2);
  });

  test('of a cron time are counted to ten thousand', () => {
    const since = { lastDueAt: utc('2016-05-01T00:00Z'), now: utc('2026-05-01T00:00Z') };
    expect(shown({ ...since, policy: 'skip' }, made({ cron: '* * * * *' }))).toEqual({
      fire: [],
      leftOut: 10_000,
      isLeftOutExact: false,
    });
  });
});
