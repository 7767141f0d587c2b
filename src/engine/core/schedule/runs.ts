import { nextCronRun, previousCronRun } from './cron-runs.ts';
import type { Schedule } from './schedule.ts';
import { nextSunEvent, previousSunEvent } from './sun-events.ts';

/**
 * When an entry is due. Due times follow from the schedule alone, not from when it ran last or who asks: `every` counts from `startAt`,
 * or from the epoch without it (so `every: '1d'` is due at midnight UTC). They have no jitter; see `jitter.ts`.
 */

/** Where a list of runs begins and ends. */
export interface RunSpan {
  /** Only runs after it. */
  readonly after: number;
  /** Only runs before it. */
  readonly before?: number;
  /** At most so many. */
  readonly limit: number;
  /** How often the entry has fired, for `maxRuns`. Default 0. */
  readonly runs?: number;
}

/**
 * The first due time strictly after an instant.
 *
 * @param after epoch ms
 * @param runs how often the entry has fired: with `maxRuns` of them there is no next
 * @returns epoch ms; undefined if the entry does not fire again
 */
export function nextRun(schedule: Schedule, after: number, runs = 0): number | undefined {
  const { startAt, endAt, maxRuns } = schedule;
  if (maxRuns !== null && runs >= maxRuns) return undefined;
  const at = nextOfRule(schedule, startAt === null ? after : Math.max(after, startAt - 1));
  return at === undefined || (endAt !== null && at > endAt) ? undefined : at;
}

/** The last due time strictly before an instant; `maxRuns` is not looked at, since it is not a matter of time. */
export function previousRun(schedule: Schedule, before: number): number | undefined {
  const { startAt, endAt } = schedule;
  const at = previousOfRule(schedule, endAt === null ? before : Math.min(before, endAt + 1));
  return at === undefined || (startAt !== null && at < startAt) ? undefined : at;
}

/** The due times of a span, the earliest first. */
export function listRuns(schedule: Schedule, { after, before = Infinity, limit, runs = 0 }: RunSpan): number[] {
  const listed: number[] = [];
  let at = nextRun(schedule, after, runs);
  while (at !== undefined && at < before && listed.length < limit) {
    listed.push(at);
    at = nextRun(schedule, at, runs + listed.length);
  }
  return listed;
}

function nextOfRule({ rule, timezone, startAt }: Schedule, after: number): number | undefined {
  switch (rule.kind) {
    case 'every':
      return (startAt ?? 0) + (Math.floor((after - (startAt ?? 0)) / rule.everyMs) + 1) * rule.everyMs;
    case 'at':
      return rule.at > after ? rule.at : undefined;
    case 'solar':
      return nextSunEvent(rule, after);
    case 'cron':
    case 'crontab':
      return nextCronRun(rule.fields, timezone, after);
  }
}

function previousOfRule({ rule, timezone, startAt }: Schedule, before: number): number | undefined {
  switch (rule.kind) {
    case 'every':
      return (startAt ?? 0) + (Math.ceil((before - (startAt ?? 0)) / rule.everyMs) - 1) * rule.everyMs;
    case 'at':
      return rule.at < before ? rule.at : undefined;
    case 'solar':
      return previousSunEvent(rule, before);
    case 'cron':
    case 'crontab':
      return previousCronRun(rule.fields, timezone, before);
  }
}
