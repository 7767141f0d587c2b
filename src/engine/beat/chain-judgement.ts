/**
 * What a beat has to do for an entry, from what its scheduler is at this moment. Pure: who does it is in chain-keeping.ts.
 *
 * The order of the questions is the protocol:
 *
 * 1. A paused entry has no scheduler.
 * 2. An entry without a scheduler gets one, for its next due time, if it has one.
 * 3. A scheduler that plain BullMQ has put in its place is left alone; it was done on purpose, and goes on as BullMQ lets it.
 * 4. A scheduler that is not made of the entry as it is now is made anew.
 * 5. A firing that is not due yet, but has been deleted, is put back.
 * 6. When the firing ahead is due, the chain goes on by `listSteps`. With the overlap `skip` or `replace` one that still waits is left
 *    to the worker that takes it: until then the entry has its one firing. One that is gone although the chain has not gone on from it
 *    was never taken by a worker. If it was gone when it came due, what passed is made up for by its missed rule, as if it had never been armed; if it had
 *    been there, somebody has taken it away after that, and the chain goes on without it.
 *
 * What is wrong with a scheduler (1, 2, 4) is left for a moment to whoever changed the entry: they write the entry first and its
 * scheduler next, and a beat that came in between would do the same twice.
 */
import type { SchedulerState } from '../broker/schedule-port.ts';
import { listSteps } from '../core/schedule/chain.ts';
import type { ScheduleEntry } from '../core/schedule/entry.ts';
import { nextRun } from '../core/schedule/runs.ts';
import { formatDefinition } from '../schedule/stored-entry.ts';

export type ChainVerdict =
  /** Nothing to do before something changes: paused, ended, or not ours. */
  | { readonly kind: 'rest' }
  /** The firing ahead is there, and due then. */
  | { readonly kind: 'ahead'; readonly dueAt: number }
  /** The firing ahead is due, and waits for a worker, which goes on from there. */
  | { readonly kind: 'waits'; readonly dueAt: number }
  /** To be done, when whoever changed the entry had the time to do it. */
  | { readonly kind: 'unsettled' }
  | { readonly kind: 'go-on'; readonly from: number; readonly steps: readonly number[] }
  /** For the next due time; with `since` also for those that passed after it, by the missed rule. */
  | { readonly kind: 'arm'; readonly since?: number; readonly why: ArmReason }
  | { readonly kind: 'disarm' };

export type ArmReason = 'it had no job scheduler' | 'its next job was missing' | 'its job scheduler was an older one';

export interface ChainFacts {
  readonly entry: ScheduleEntry;
  readonly state: SchedulerState | undefined;
  readonly now: number;
  /** The firing ahead was seen when it was due already. */
  readonly wasThere: boolean;
  /** The scheduler is known to be made of this version of the entry. */
  readonly isVerified: boolean;
  /** The entry has been as it is for long enough. */
  readonly isSettled: boolean;
}

export function judgeChain(facts: ChainFacts): ChainVerdict {
  const { entry, state, now, isVerified, isSettled } = facts;
  const settled = (verdict: ChainVerdict): ChainVerdict => (isSettled ? verdict : { kind: 'unsettled' });
  const { schedule } = entry.definition;
  if (entry.isPaused) return state?.rule === undefined ? { kind: 'rest' } : settled({ kind: 'disarm' });
  if (state === undefined) {
    const fires = nextRun(schedule, now, entry.runsBefore) !== undefined;
    return fires ? settled({ kind: 'arm', why: 'it had no job scheduler' }) : { kind: 'rest' };
  }
  const { rule, ahead } = state;
  if (rule === undefined) return { kind: 'rest' };
  const isDue = state.dueAt <= now;
  const runs = state.runsBefore + state.made;
  if (!isVerified && !isMadeOf(entry, state)) {
    const fires = nextRun(schedule, now, isDue ? runs : runs - 1) !== undefined;
    return settled(fires ? { kind: 'arm', why: 'its job scheduler was an older one' } : { kind: 'disarm' });
  }
  const missing = { kind: 'arm', why: 'its next job was missing' } as const;
  if (!isDue) return ahead === 'missing' ? settled(missing) : { kind: 'ahead', dueAt: state.dueAt };
  if (rule.overlap !== 'allow' && ahead !== 'finished' && ahead !== 'missing')
    return { kind: 'waits', dueAt: state.dueAt };
  const steps = listSteps(rule, state.dueAt, now, runs);
  // That a chain has ended looks the same as that its last firing is gone.
  if (ahead === 'missing' && !facts.wasThere && steps.length > 0) return { ...missing, since: state.dueAt - 1 };
  return steps.length === 0 ? { kind: 'rest' } : { kind: 'go-on', from: state.dueAt, steps };
}

/** Whether the scheduler says what the entry says, as far as a scheduler can be asked. */
function isMadeOf({ definition }: ScheduleEntry, { rule, task }: SchedulerState): boolean {
  if (rule === undefined || task !== definition.task) return false;
  return formatDefinition({ ...definition, ...rule }) === formatDefinition(definition);
}
