import { listRuns, previousRun } from './runs.ts';
import type { Schedule } from './schedule.ts';

/** What to do with due times that passed while no beat ran: none, the latest, or all of them. */
export type MissedPolicy = 'skip' | 'once' | 'all';

export interface MissedSpan {
  /** The due time of the last firing; for an entry that never fired, when it was added. */
  readonly lastDueAt: number;
  /** A due time of exactly now is not missed. */
  readonly now: number;
  readonly policy: MissedPolicy;
  /** Due times longer ago are not made up for. Null: however long ago. */
  readonly windowMs: number | null;
  /** With `all`, at most so many: the latest. */
  readonly cap: number;
  /** How often the entry has fired, for `maxRuns`. Default 0. */
  readonly runs?: number;
}

export interface MissedRuns {
  /** The due times to fire now, the earliest first. */
  readonly fire: readonly number[];
  /** How many due times are let go. */
  readonly leftOut: number;
  /** False: there are more than `leftOut`, and they were not counted to the end. */
  readonly isLeftOutExact: boolean;
}

/** Counting goes on no further: a cron time of every second has thirty million a year. */
const COUNT_LIMIT = 10_000;

/**
 * Which of the due times between the last firing and now to fire, and how many are let go.
 *
 * Those of `maxRuns` that are left are given to the latest.
 */
export function missedRuns(schedule: Schedule, span: MissedSpan): MissedRuns {
  const { lastDueAt, now, runs = 0 } = span;
  if (runsLeft(schedule, runs) === 0) return { fire: [], leftOut: 0, isLeftOutExact: true };
  const fire = listMissed(schedule, span);
  return { fire, ...countRuns(schedule, lastDueAt, fire[0] ?? now) };
}

/** Those of the due times between the last firing and now that are to fire, without counting the others. */
export function listMissed(schedule: Schedule, span: MissedSpan): number[] {
  const { lastDueAt, now, policy, windowMs, cap, runs = 0 } = span;
  const left = runsLeft(schedule, runs);
  const oldest = Math.max(lastDueAt, windowMs === null ? -Infinity : now - windowMs - 1);
  const wanted = Math.min({ skip: 0, once: 1, all: cap }[policy], left);
  const fire: number[] = [];
  let at = previousRun(schedule, now);
  while (at !== undefined && at > oldest && fire.length < wanted) {
    fire.unshift(at);
    at = previousRun(schedule, at);
  }
  return fire;
}

function runsLeft({ maxRuns }: Schedule, runs: number): number {
  return maxRuns === null ? Infinity : Math.max(0, maxRuns - runs);
}

/** The due times after one instant and before another. */
function countRuns(schedule: Schedule, after: number, before: number) {
  const { rule, startAt, endAt } = schedule;
  if (rule.kind === 'every') {
    const anchor = startAt ?? 0;
    const first = Math.max(Math.floor((after - anchor) / rule.everyMs) + 1, startAt === null ? -Infinity : 0);
    const last = Math.ceil((Math.min(before, endAt === null ? Infinity : endAt + 1) - anchor) / rule.everyMs) - 1;
    return { leftOut: Math.max(0, last - first + 1), isLeftOutExact: true };
  }
  const counted = listRuns({ ...schedule, maxRuns: null }, { after, before, limit: COUNT_LIMIT + 1 }).length;
  return { leftOut: Math.min(counted, COUNT_LIMIT), isLeftOutExact: counted <= COUNT_LIMIT };
}
