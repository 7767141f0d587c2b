import { describe, expect, test } from 'vitest';
import { listRuns, nextRun, previousRun } from '../../../../src/engine/core/schedule/runs.ts';
import { SUN_EVENTS, type SunEvent, solar } from '../../../../src/engine/core/schedule/sun-events.ts';
import { made, utc } from './made.ts';

const DAY = 86_400_000;
const at = (event: SunEvent, latitude: number, longitude: number) => made({ solar: solar(event, latitude, longitude) });

describe('an event of the sun', () => {
  test('comes in the order of the day', () => {
    const morning = utc('2026-03-20T00:00Z');
    const times = SUN_EVENTS.map((event) => nextRun(at(event, 52.52, 13.405), morning) ?? Number.NaN);
    expect(times.toSorted((a, b) => a - b)).toEqual(times);
    expect((times.at(-1) ?? Number.NaN) - morning).toBeLessThan(DAY);
  });

  test.each([
    ['far east', 178.44],
    ['Greenwich', 0],
    ['far west', -179.9],
  ])('comes once a day %s, whenever it is asked for', (_, longitude) => {
    const schedule = at('sunset', 20, longitude);
    const start = utc('2026-01-01T00:00Z');
    const runs = listRuns(schedule, { after: start, before: start + 365 * DAY, limit: 1000 });
    expect(runs).toHaveLength(365);
    for (let hour = 0; hour < 48; hour += 1) {
      const moment = start + hour * 3_600_000;
      expect(nextRun(schedule, moment)).toBe(runs.find((run) => run > moment));
    }
  });

  test('passes over the days that do not have it', () => {
    const tromso = at('sunset', 69.6492, 18.9553);
    const july = nextRun(tromso, utc('2026-06-01T00:00Z')) ?? Number.NaN;
    expect(july).toBeGreaterThan(utc('2026-07-20T00:00Z'));
    expect(july).toBeLessThan(utc('2026-07-31T00:00Z'));
    const may = previousRun(tromso, july) ?? Number.NaN;
    expect(may).toBeGreaterThan(utc('2026-05-10T00:00Z'));
    expect(may).toBeLessThan(utc('2026-05-25T00:00Z'));
    expect(nextRun(tromso, may)).toBe(july);
  });

  test('is found when it falls beyond the midnight of the sun', () => {
    const sunset = at('sunset', 65.75, 0);
    const late = utc('2026-06-19T00:02:50Z');
    expect(nextRun(sunset, late - 1000)).toBe(late);
    expect(previousRun(sunset, late + 1000)).toBe(late);
    const dawn = at('dawn_astronomical', 48.6, 178);
    const early = utc('2026-06-24T12:06:21Z');
    expect(previousRun(dawn, early + 1000)).toBe(early);
    expect(nextRun(dawn, early - 1000)).toBe(early);
  });

  test('is noon at the pole too', () => {
    expect(listRuns(at('solar_noon', 90, 0), { after: 0, limit: 3 })).toHaveLength(3);
  });

  test('falls on a whole second', () => {
    const runs = listRuns(at('dawn_civil', -33.87, 151.21), { after: utc('2026-01-01T00:00Z'), limit: 50 });
    expect(runs.filter((run) => run % 1000 !== 0)).toEqual([]);
  });
});
