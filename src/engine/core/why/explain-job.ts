/**
 * Why a job does not run, or what happened to it: a pure decision over facts that were gathered before.
 *
 * All reasons that hold are given, the one first that must go first: what the job itself waits for (children, its time, what holds
 * it back), then what stops its queue and its task, then whose turn it is.
 */
import { formatInstant } from '../instant.ts';
import { readExpiry } from '../schedule/firing.ts';
import { isFinished } from '../state.ts';
import { explainChildren } from './blocked-reasons.ts';
import { explainEnd, explainRevocation } from './ended-reasons.ts';
import { explainStops, explainTurn } from './gate-reasons.ts';
import type { WhyFacts } from './job-facts.ts';
import { type Reason, reason } from './reason.ts';
import { explainRunning } from './running-reasons.ts';
import { describeFailure, explainTime } from './time-reasons.ts';

/** @returns at least one reason */
export function explainJob(facts: WhyFacts): Reason[] {
  const { job } = facts;
  if (job.state === 'REVOKED' && job.finishedAt === null) return [explainRevocation(job)];
  if (isFinished(job.state)) return explainEnd(job);
  if (job.state === 'UNKNOWN') return [explainOrphan(facts)];
  if (job.state === 'STARTED') return explainRunning(facts);
  const expired = explainExpiry(facts);
  if (job.state === 'BLOCKED') return [...expired, ...explainChildren(facts), ...explainStops(facts)];
  if (job.dueAt === null) return [...expired, ...explainWaiting(facts)];
  const time = explainTime(facts);
  const isOver = job.dueAt <= facts.now && facts.held === null;
  const all = [...expired, ...time, ...explainStops(facts), ...(isOver ? explainTurn(facts) : [])];
  return all.length > 0 ? all : [explainReady(facts)];
}

function explainWaiting(facts: WhyFacts): Reason[] {
  const { job } = facts;
  const reasons = [...explainStops(facts), ...explainTurn(facts)];
  const ready = reasons.length === 0 ? [explainReady(facts)] : reasons;
  if (job.state !== 'RETRY') return ready;
  return [
    ...ready,
    reason('RETRY_DUE', `${describeFailure(job)}; attempt ${job.attempts + 1} is due now`, {
      next: `\`tq jobs show ${job.id}\` has the stacks of its attempts`,
    }),
  ];
}

function explainReady({ job }: WhyFacts): Reason {
  const message = `nothing holds it back: it is the next of queue "${job.queue}", and workers serve that`;
  return reason('READY', message, {
    next: 'ask again; a worker that serves several queues may take jobs of another one first',
  });
}

function explainExpiry({ job, now }: WhyFacts): Reason[] {
  const isPutBack = job.failures.some(({ isEarlier }) => isEarlier);
  const expiresAt = isPutBack ? job.meta.expiresAt : readExpiry(job);
  if (expiresAt === undefined || expiresAt > now) return [];
  const message = `it expired at ${formatInstant(expiresAt)}: the next worker that takes it up files it away and does not run it`;
  return [reason('EXPIRED', message, { next: 'to run it, call its task again' })];
}

/** BullMQ's record of it is there, and no list of the queue holds its id. */
function explainOrphan({ job }: WhyFacts): Reason {
  const message = `its record is stored, but it stands in no list of queue "${job.queue}", so no worker will find it`;
  return reason('ORPHANED', message, {
    next: '`tq doctor` counts such jobs and removes them with --fix; call its task again',
  });
}

export interface UnknownFacts {
  /** The result store was asked for it too. */
  readonly resultsAsked: boolean;
  /** A schedule entry has this name. Default false. */
  readonly isEntry?: boolean;
}

/** An id that neither a queue nor the result store holds. */
export function explainUnknown(id: string, { resultsAsked, isEntry = false }: UnknownFacts): Reason {
  if (isEntry) {
    const next = `\`tq schedule show ${id}\` says when it fires next and how its last firing ended, with the ids of its jobs`;
    return reason('UNKNOWN', `"${id}" is a schedule entry and no job`, { next });
  }
  const where = resultsAsked
    ? 'no queue of the broker and no row of the result store has'
    : 'no queue of the broker holds';
  return reason(
    'UNKNOWN',
    `${where} a job with the id "${id}": there never was one here, it was removed, or its result has expired`,
    {
      next: 'check the id and the broker; results are removed after their expiry (24 h by default)',
    },
  );
}
