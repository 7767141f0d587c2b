import type { Clock } from '../core/clock.ts';
import { formatDuration } from '../core/duration.ts';
import { createError, type TqError } from '../core/errors.ts';
import { formatInstant } from '../core/instant.ts';
import { type Outcome, toStoredError } from '../core/job.ts';
import { revokedOutcome } from '../core/revocation.ts';
import { readExpiry } from '../core/schedule/firing.ts';
import type { AttemptJob } from './attempt-job.ts';

interface RefusalRules {
  readonly clock: Clock;
  readonly maxWorkerLost: number;
}

/** The outcome of a job that must not run: revoked, data that is not JSON, workers lost too often, expired. */
export function findRefusal(job: AttemptJob, { clock, maxWorkerLost }: RefusalRules): Outcome | undefined {
  if (job.revoked !== undefined) return revokedOutcome(job.revoked);
  if (job.unreadable !== null) {
    return dead(createError('INVALID_PAYLOAD', { problem: job.unreadable }));
  }
  if (job.workersLost > maxWorkerLost) {
    return dead(createError('WORKER_LOST', { task: job.task, times: job.workersLost }));
  }
  return findExpiry(job, clock.now());
}

/** Who puts a firing that died back to work wants it to run, however late; a call that says `expires` is held to it. */
function findExpiry(job: AttemptJob, now: number): Outcome | undefined {
  const { schedule, expiresAt } = job.meta;
  const until = schedule === undefined || job.isPutBack ? expiresAt : readExpiry(job);
  if (until === undefined || until > now) return undefined;
  const after = until === expiresAt ? '' : `, ${formatDuration(schedule?.expiresMs ?? 0)} after it was due`;
  return { kind: 'ended', state: 'REVOKED', reason: `expired at ${formatInstant(until)}${after}` };
}

function dead(error: TqError): Outcome {
  return { kind: 'dead', error: toStoredError(error) };
}
