import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CrontabOptions } from '../../../../src/engine/core/schedule/crontab.ts';
import { listRuns, nextRun } from '../../../../src/engine/core/schedule/runs.ts';
import type { ScheduleOptions } from '../../../../src/engine/core/schedule/schedule-options.ts';
import type { SunEvent } from '../../../../src/engine/core/schedule/sun-events.ts';
import { iso, made, utc } from './made.ts';
import { differences } from './oracle/differences.ts';

interface CrontabCase {
  readonly crontab: CrontabOptions;
  readonly timezone: string;
  readonly after: string;
  readonly runs: readonly string[];
}

interface SolarCase {
  readonly place: string;
  readonly event: SunEvent;
  readonly latitude: number;
  readonly longitude: number;
  readonly after: string;
  readonly next: string | null;
}

function readCases<Case>(file: string): readonly Case[] {
  return JSON.parse(readFileSync(join(import.meta.dirname, 'oracle', file), 'utf8')).cases;
}

const crontabs = readCases<CrontabCase>('celery-crontab.json');
const suns = readCases<SolarCase>('celery-solar.json');
const nameOf = ({ timezone, after, crontab }: CrontabCase): string => `${timezone} ${after} ${JSON.stringify(crontab)}`;

/** The cases whose runs are not Celery's. */
function findDifferences(cases: readonly CrontabCase[], write: (crontab: CrontabOptions) => ScheduleOptions): string[] {
  return cases
    .filter(({ crontab, timezone, after, runs }) => {
      const schedule = made({ ...write(crontab), timezone });
      const ours = listRuns(schedule, { after: utc(after), limit: runs.length }).map(iso);
      return ours.join() !== runs.map((run) => iso(utc(run))).join();
    })
    .map(nameOf);
}

function textOf({ minute = '*', hour = '*', dayOfMonth = '*', monthOfYear = '*', dayOfWeek = '*' }: CrontabOptions) {
  return [minute, hour, dayOfMonth, monthOfYear, dayOfWeek].map(String).join(' ');
}

describe("Celery's crontab", () => {
  const known = Object.values(differences).flat();

  test('is there in all kinds, with the days on which clocks are changed', () => {
    expect(new Set(crontabs.map(({ crontab }) => JSON.stringify(crontab))).size).toBeGreaterThanOrEqual(150);
    expect(new Set(crontabs.map(({ timezone }) => timezone)).size).toBe(5);
    expect(crontabs.every(({ runs }) => runs.length > 0)).toBe(true);
  });

  test('has the same next runs as the object form, but for the differences that are listed with their reasons', () => {
    expect(findDifferences(crontabs, (cron) => ({ cron })).sort()).toEqual(known.toSorted());
  });

  test('has the same next runs as the text form where only one kind of day is given', () => {
    const cases = crontabs.filter(({ crontab }) => crontab.dayOfMonth === undefined || crontab.dayOfWeek === undefined);
    const names = cases.map(nameOf);
    expect(cases.length).toBeGreaterThan(500);
    expect(findDifferences(cases, (cron) => ({ cron: textOf(cron) })).sort()).toEqual(
      known.filter((name) => names.includes(name)).toSorted(),
    );
  });
});

describe("Celery's solar", () => {
  const TOLERANCE_S = 30;
  const next = ({ event, latitude, longitude, after }: SolarCase): number =>
    nextRun(made({ solar: { event, latitude, longitude } }), utc(after)) ?? Number.NaN;

  test('is there with all nine events', () => {
    expect(new Set(suns.map(({ event }) => event)).size).toBe(9);
  });

  test('has the same times to half a minute', () => {
    const far = suns
      .filter((row) => row.next !== null && !(Math.abs(next(row) - utc(row.next)) <= TOLERANCE_S * 1000))
      .map((row) => `${row.place} ${row.event}: ${row.next}, ours ${iso(next(row))}`);
    expect(far).toEqual([]);
  });

  test('has none on days on which ours has none', () => {
    const without = suns.filter((row) => row.next === null);
    expect(without.length).toBeGreaterThan(10);
    expect(without.filter((row) => !(next(row) > utc(row.after) + 86_400_000))).toEqual([]);
  });
});
