import type { Clock } from '../core/clock.ts';
import { createError, type TqError } from '../core/errors.ts';
import { formatInstant } from '../core/instant.ts';
import { type Outcome, toStoredError } from '../core/job.ts';
import { revokedOutcome } from '../core/revocation.ts';
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
  const { expiresAt } = job.meta;
  if (expiresAt !== undefined && expiresAt <= clock.now()) {
    return { kind: 'ended', state: 'REVOKED', reason: `expired at ${formatInstant(expiresAt)}` };
  }
  return undefined;
}

function dead(error: TqError): Outcome {
  return { kind: 'dead', error: toStoredError(error) };
}
