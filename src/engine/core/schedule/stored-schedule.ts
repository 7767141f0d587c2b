import { isRecord } from '../envelope.ts';
import { formatGiven } from '../given.ts';
import type { CrontabOptions } from './crontab.ts';
import type { Schedule } from './schedule.ts';
import { createScheduleFault } from './schedule-fault.ts';
import { parseSchedule, type ScheduleOptions } from './schedule-options.ts';
import type { SolarOptions } from './sun-events.ts';

/** When an entry fires, as JSON. Instants are epoch ms, spans ms; what is not set is left out. */
export interface StoredSchedule {
  /** The version of this form. */
  readonly v: 1;
  readonly every?: number;
  readonly cron?: string | CrontabOptions;
  readonly at?: number;
  readonly solar?: SolarOptions;
  readonly timezone: string;
  readonly startAt?: number;
  readonly endAt?: number;
  readonly maxRuns?: number;
  readonly jitter?: number;
}

/** The form in which a schedule is stored; two schedules are equal when their forms are, key by key. */
export function formatStoredSchedule({ rule, timezone, startAt, endAt, maxRuns, jitterMs }: Schedule): StoredSchedule {
  return {
    v: 1,
    ...(rule.kind === 'every' && { every: rule.everyMs }),
    ...(rule.kind === 'cron' && { cron: rule.text }),
    ...(rule.kind === 'crontab' && { cron: rule.given }),
    ...(rule.kind === 'at' && { at: rule.at }),
    ...(rule.kind === 'solar' && {
      solar: { event: rule.event, latitude: rule.latitude, longitude: rule.longitude },
    }),
    timezone,
    ...(startAt !== null && { startAt }),
    ...(endAt !== null && { endAt }),
    ...(maxRuns !== null && { maxRuns }),
    ...(jitterMs !== 0 && { jitter: jitterMs }),
  };
}

/**
 * Reads a stored schedule back, with the same checks as one that is declared: it may come from another version, or another hand.
 *
 * @throws INVALID_SCHEDULE also for a version that is not known
 */
export function parseStoredSchedule(stored: unknown, entry: string): Schedule {
  if (!isRecord(stored) || stored.v !== 1) {
    const version = isRecord(stored) ? `version ${formatGiven(stored.v)}` : formatGiven(stored);
    throw createScheduleFault(entry)(
      'v',
      `${version} is not known`,
      'use a version of tq not older than the one that stored the entry',
    );
  }
  const { v, ...options } = stored;
  return parseSchedule(options as ScheduleOptions, entry);
}
