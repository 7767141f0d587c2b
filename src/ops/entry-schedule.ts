import {
  exactOptional,
  type InferOutput,
  integer,
  minValue,
  nonEmpty,
  number,
  pipe,
  record,
  strictObject,
  string,
  union,
  unknown,
} from 'valibot';
import type { CrontabOptions } from '../engine/core/schedule/crontab.ts';
import type { Schedule } from '../engine/core/schedule/schedule.ts';
import type { ScheduleOptions } from '../engine/core/schedule/schedule-options.ts';
import type { SolarOptions } from '../engine/core/schedule/sun-events.ts';

const text = pipe(string(), nonEmpty());
const durationMs = pipe(number(), integer(), minValue(0));

/** When an entry fires, as an operation is given it. Dates are texts: without an offset they are read in the zone of the entry. */
export const scheduleFields = {
  everyMs: exactOptional(durationMs),
  /** A cron expression, or Celery's form: `{ hour: 3, minute: 0 }`. */
  cron: exactOptional(union([text, record(string(), unknown())])),
  at: exactOptional(text),
  solar: exactOptional(strictObject({ event: text, latitude: number(), longitude: number() })),
  timezone: exactOptional(text),
  startAt: exactOptional(text),
  endAt: exactOptional(text),
  maxRuns: exactOptional(pipe(number(), integer(), minValue(1))),
  jitterMs: exactOptional(durationMs),
};

const fields = strictObject(scheduleFields);

export type ScheduleInput = InferOutput<typeof fields>;

/** What `parseSchedule` reads; it says what is wrong with any of it. */
export function toScheduleOptions(given: ScheduleInput): ScheduleOptions {
  const { everyMs, cron, at, solar, timezone, startAt, endAt, maxRuns, jitterMs } = given;
  return {
    ...(everyMs !== undefined && { every: everyMs }),
    ...(cron !== undefined && { cron: cron as string | CrontabOptions }),
    ...(at !== undefined && { at }),
    ...(solar !== undefined && { solar: solar as SolarOptions }),
    ...(timezone !== undefined && { timezone }),
    ...(startAt !== undefined && { startAt }),
    ...(endAt !== undefined && { endAt }),
    ...(maxRuns !== undefined && { maxRuns }),
    ...(jitterMs !== undefined && { jitter: jitterMs }),
  };
}

/** What would be given to have this schedule. */
export function toScheduleInput({ rule, timezone, startAt, endAt, maxRuns, jitterMs }: Schedule): ScheduleInput {
  return {
    ...(rule.kind === 'every' && { everyMs: rule.everyMs }),
    ...(rule.kind === 'cron' && { cron: rule.text }),
    ...(rule.kind === 'crontab' && { cron: { ...rule.given } }),
    ...(rule.kind === 'at' && { at: formatDate(rule.at) }),
    ...(rule.kind === 'solar' && {
      solar: { event: rule.event, latitude: rule.latitude, longitude: rule.longitude },
    }),
    timezone,
    ...(startAt !== null && { startAt: formatDate(startAt) }),
    ...(endAt !== null && { endAt: formatDate(endAt) }),
    ...(maxRuns !== null && { maxRuns }),
    ...(jitterMs !== 0 && { jitterMs }),
  };
}

export function scheduleFlags(given: ScheduleInput): string[] {
  const { everyMs, cron, at, solar, timezone, startAt, endAt, maxRuns, jitterMs } = given;
  return [
    ...flag('--every', formatMs(everyMs)),
    ...flag('--cron', typeof cron === 'object' ? JSON.stringify(cron) : cron),
    ...flag('--at', at),
    // A value that begins with a minus would be read as an option.
    ...(solar === undefined ? [] : ['--solar', solar.event, `--lat=${solar.latitude}`, `--lon=${solar.longitude}`]),
    ...flag('--timezone', timezone),
    ...flag('--start', startAt),
    ...flag('--end', endAt),
    ...flag('--max-runs', maxRuns?.toString()),
    ...flag('--jitter', formatMs(jitterMs)),
  ];
}

export function flag(name: string, value: string | undefined): string[] {
  return value === undefined ? [] : [name, value];
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;

/** `5m`, `90s`, `1500ms`: as a person would type it, and exact. */
export function formatMs(ms: number | undefined): string | undefined {
  if (ms === undefined) return undefined;
  const [unit, size] = UNITS.find(([, one]) => ms > 0 && ms % one === 0) ?? ['ms', 1];
  return `${ms / size}${unit}`;
}

function formatDate(at: number): string {
  return new Date(at).toISOString();
}
