import { type Duration, parseDuration } from '../duration.ts';
import { isRecord } from '../envelope.ts';
import { formatGiven } from '../given.ts';
import { assertKnownOptions } from '../known-options.ts';
import { nearestNames } from '../nearest.ts';
import { parseCronText } from './cron-text.ts';
import { type CrontabOptions, parseCrontab } from './crontab.ts';
import { nextRun } from './runs.ts';
import type { Schedule, ScheduleRule } from './schedule.ts';
import { createScheduleFault, type ScheduleFault } from './schedule-fault.ts';
import { type Instant, parseInstant } from './schedule-instant.ts';
import { type SolarOptions, SUN_EVENTS } from './sun-events.ts';
import { assertTimeZone } from './time-zone.ts';

/** When an entry fires: one of `every`, `cron`, `at` and `solar`, and its bounds. */
export interface ScheduleOptions {
  /** A fixed span, 1 s or more, counted from `startAt`, or without it from the epoch: `5m` is due at :00, :05, :10. */
  readonly every?: Duration;
  /** A cron expression, `@daily` and the like, or Celery's form: `crontab({ hour: 3, minute: 0 })`. */
  readonly cron?: string | CrontabOptions;
  /** Once, at this time. */
  readonly at?: Instant;
  /** With an event of the sun: `solar('sunset', 52.52, 13.405)`. */
  readonly solar?: SolarOptions;
  /** What cron times, and dates without an offset, are read in: an IANA name. Default that of the app. */
  readonly timezone?: string;
  /** No run before it. */
  readonly startAt?: Instant;
  /** No run after it. */
  readonly endAt?: Instant;
  /** No more runs than this. */
  readonly maxRuns?: number;
  /** A run starts up to this long after it is due, each at its own moment. Default 0. */
  readonly jitter?: Duration;
}

const KEYS: readonly (keyof ScheduleOptions)[] = [
  ...(['every', 'cron', 'at', 'solar', 'timezone', 'startAt', 'endAt', 'maxRuns', 'jitter'] as const),
];

/** Shorter spans are for a loop in a task: the way through a broker alone takes part of a second. */
const MINIMUM_EVERY_MS = 1000;

/**
 * Checks when an entry fires.
 *
 * @param entry its name, for errors
 * @param timezone what an entry without one of its own is in. Default UTC
 * @throws INVALID_SCHEDULE with the field named: what cannot be read, and what can but never fires; INVALID_DURATION, UNKNOWN_OPTION
 */
export function parseSchedule(options: ScheduleOptions, entry: string, timezone = 'UTC'): Schedule {
  const fault = createScheduleFault(entry);
  if (!isRecord(options))
    throw fault('schedule', `${formatGiven(options)} is no object`, "write for example { every: '5m' }");
  assertKnownOptions(options, KEYS, `schedule entry "${entry}"`);
  const given = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as ScheduleOptions;
  const zone = given.timezone ?? timezone;
  assertTimeZone(zone, fault);
  const instant = (field: 'startAt' | 'endAt'): number | null =>
    given[field] === undefined ? null : parseInstant(given[field], field, zone, fault);
  const schedule: Schedule = {
    rule: parseRule(given, entry, zone, fault),
    timezone: zone,
    startAt: instant('startAt'),
    endAt: instant('endAt'),
    maxRuns: parseMaxRuns(given.maxRuns, fault),
    jitterMs: given.jitter === undefined ? 0 : parseDuration(given.jitter, `jitter of schedule entry "${entry}"`),
  };
  assertFires(schedule, fault);
  return schedule;
}

function parseRule(options: ScheduleOptions, entry: string, zone: string, fault: ScheduleFault): ScheduleRule {
  const kinds = (['every', 'cron', 'at', 'solar'] as const).filter((key) => options[key] !== undefined);
  if (kinds.length > 1)
    throw fault(kinds.join(' and '), 'only one of them can say when it fires', 'make an entry of each');
  if (options.every !== undefined) return parseEvery(options.every, entry, fault);
  if (options.at !== undefined) return { kind: 'at', at: parseInstant(options.at, 'at', zone, fault) };
  if (options.solar !== undefined) return parseSolar(options.solar, entry, fault);
  if (typeof options.cron === 'string') return { kind: 'cron', ...parseCronText(options.cron, fault) };
  if (isRecord(options.cron)) return { kind: 'crontab', ...parseCrontab(options.cron, entry, fault) };
  if (options.cron === undefined)
    throw fault('schedule', 'nothing says when it fires', 'give one of every, cron, at and solar');
  throw fault('cron', `${formatGiven(options.cron)} is neither a text nor an object`, 'write for example "0 3 * * *"');
}

function parseEvery(every: Duration, entry: string, fault: ScheduleFault): ScheduleRule {
  const everyMs = parseDuration(every, `every of schedule entry "${entry}"`);
  if (everyMs >= MINIMUM_EVERY_MS) return { kind: 'every', everyMs };
  throw fault(
    'every',
    `${typeof every === 'number' ? `${every} ms` : formatGiven(every)} is shorter than 1s`,
    'give 1s or more, as milliseconds or a text such as 5m',
  );
}

function parseSolar(given: unknown, entry: string, fault: ScheduleFault): ScheduleRule {
  const example = "write for example solar('sunset', 52.52, 13.405)";
  if (!isRecord(given)) throw fault('solar', `${formatGiven(given)} is no event and place`, example);
  assertKnownOptions(given, ['event', 'latitude', 'longitude'], `solar of schedule entry "${entry}"`);
  const event = SUN_EVENTS.find((one) => one === given.event);
  if (event === undefined) {
    const [near] = nearestNames(String(given.event), SUN_EVENTS);
    const hint = near === undefined ? '' : `, did you mean "${near}"?`;
    throw fault(
      'solar.event',
      `${formatGiven(given.event)} is no event${hint}`,
      `give one of ${SUN_EVENTS.join(', ')}`,
    );
  }
  const degrees = (field: 'latitude' | 'longitude', limit: number): number => {
    const value = given[field];
    if (typeof value === 'number' && Math.abs(value) <= limit) return value;
    throw fault(
      `solar.${field}`,
      `${formatGiven(value)} is not between -${limit} and ${limit}`,
      `${example}, in degrees`,
    );
  };
  return { kind: 'solar', event, latitude: degrees('latitude', 90), longitude: degrees('longitude', 180) };
}

function parseMaxRuns(value: unknown, fault: ScheduleFault): number | null {
  if (value === undefined) return null;
  if (Number.isSafeInteger(value) && (value as number) >= 1) return value as number;
  throw fault('maxRuns', `${formatGiven(value)} is no whole number from 1`, 'give 1 or more, or leave it out');
}

/** Refuses what can be read but makes no sense together. */
function assertFires(schedule: Schedule, fault: ScheduleFault): void {
  const { rule, startAt, endAt, jitterMs } = schedule;
  if (startAt !== null && endAt !== null && endAt < startAt) throw fault('endAt', 'it is before startAt');
  if (rule.kind === 'every' && jitterMs >= rule.everyMs) {
    throw fault('jitter', 'it is not shorter than `every`, so runs could overtake each other');
  }
  if (nextRun({ ...schedule, endAt: null }, (startAt ?? 0) - 1) === undefined) {
    if (rule.kind === 'solar') throw fault('solar', `there is no ${rule.event} at latitude ${rule.latitude}`);
    if (rule.kind === 'at') throw fault('at', 'it is before startAt');
    throw fault('cron', 'no day of the calendar fits it');
  }
  if (endAt !== null && nextRun(schedule, (startAt ?? 0) - 1) === undefined) {
    throw fault('endAt', `no run is due between ${startAt === null ? '1970' : 'startAt'} and endAt`);
  }
}
