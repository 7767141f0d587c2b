import type { MissedRule, Overlap } from './entry.ts';
import { listMissed } from './missed-runs.ts';
import { nextRun } from './runs.ts';
import type { Schedule } from './schedule.ts';

/** What decides how an entry goes on from one due time to the next. It travels with the job of each firing. */
export interface ChainRule {
  readonly schedule: Schedule;
  readonly missed: MissedRule;
  readonly overlap: Overlap;
}

/**
 * How an entry goes on from the firing that it has ahead.
 *
 * An entry is a chain: it has exactly one firing ahead, and who comes to its due time (the worker that takes it, or a beat) adds the next.
 * Adding is one atomic step of the broker that only the firing ahead can be the source of, so a due time is decided once, by whoever
 * is first: no firing is doubled, and none is lost without a decision. Due times that passed meanwhile are decided here, by the
 * policy of the entry: those that are made up for are steps of the chain as any other.
 *
 * @param from the due time of the firing that is ahead, epoch ms
 * @param now epoch ms; nothing to do before `from`
 * @param runs how often the entry has fired, the one at `from` included, for `maxRuns`
 * @returns the due times to step to, one after the other; the last is the new firing ahead. Empty: the entry does not fire again
 */
export function listSteps(rule: ChainRule, from: number, now: number, runs: number): number[] {
  const { schedule, missed, overlap } = rule;
  const { windowMs, atMost } = missed;
  const isLateItself = windowMs !== null && from < now - windowMs;
  // Several at once would overlap.
  const wanted = missed.policy === 'all' && overlap !== 'allow' ? 'once' : missed.policy;
  // The firing at `from` is there, and runs: it is the one that `once` makes up for, unless it is too late to run itself.
  const policy = wanted === 'once' && !isLateItself ? 'skip' : wanted;
  const fire = listMissed(schedule, { lastDueAt: from, now, policy, windowMs, cap: atMost, runs });
  const next = nextRun(schedule, Math.max(from, fire.at(-1) ?? from, now - 1), runs + fire.length);
  return next === undefined ? fire : [...fire, next];
}
