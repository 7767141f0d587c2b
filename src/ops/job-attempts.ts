import type { AttemptEnd } from '../engine/core/attempt-line.ts';
import type { StoredError, StoredJob } from '../engine/core/job.ts';

/** One attempt of a job, as far as the broker tells. */
export interface JobAttempt {
  /** From 1, and from 1 again after the job was reprocessed; null where it is not known. */
  readonly attempt: number | null;
  /** `retry`, `dead` and `lost` failed; the others are of the latest attempt: it runs, or has ended the job. */
  readonly outcome: AttemptEnd | 'running' | 'succeeded' | 'failed' | 'ignored' | 'revoked';
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly durationMs: number | null;
  readonly worker: string | null;
  readonly error: StoredError | null;
  /** The job has been reprocessed since. */
  readonly isEarlier: boolean;
}

const OUTCOMES: Readonly<Partial<Record<StoredJob['state'], JobAttempt['outcome']>>> = {
  STARTED: 'running',
  SUCCESS: 'succeeded',
  FAILURE: 'failed',
  IGNORED: 'ignored',
  REVOKED: 'revoked',
};

/** Every attempt that is known, the first one first: the failed ones of the ledger, and the one that runs or has ended the job. */
export function listAttempts(job: StoredJob, isDead: boolean): JobAttempt[] {
  const attempts = job.failures.map(({ number, end, startedAt, endedAt, ...failed }) => ({
    ...{ attempt: number, outcome: end, startedAt, endedAt },
    durationMs: durationOf(startedAt, endedAt),
    ...failed,
  }));
  const latest = OUTCOMES[job.state];
  const hasBegun = job.startedAt !== null && (job.state === 'STARTED' || job.finishedAt !== null);
  if (latest === undefined || !hasBegun || isDead) return attempts;
  const { startedAt, finishedAt: endedAt, worker, error } = job;
  const times = { startedAt, endedAt, durationMs: durationOf(startedAt, endedAt) };
  return [...attempts, { attempt: job.attempts, outcome: latest, ...times, worker, error, isEarlier: false }];
}

function durationOf(startedAt: number | null, endedAt: number | null): number | null {
  return startedAt === null || endedAt === null ? null : Math.max(0, endedAt - startedAt);
}

/** What the ledger does not hold of a job since it was last put to work: sentences for a person. */
export function describeUntold(
  job: Pick<StoredJob, 'attempts' | 'workersLost'>,
  attempts: readonly JobAttempt[],
): string[] {
  const recent = attempts.filter(({ isEarlier }) => !isEarlier);
  const lost = recent.filter(({ outcome }) => outcome === 'lost').length;
  const untold = Math.max(0, job.workersLost - lost);
  const dropped = Math.max(0, job.attempts - (recent.length - lost));
  return [
    ...(untold > 0 ? [`${countMore(untold)} ended with a lost worker`] : []),
    ...(dropped > 0 ? [`${countMore(dropped)} ${dropped === 1 ? 'is' : 'are'} not kept`] : []),
  ];
}

function countMore(count: number): string {
  return count === 1 ? '1 more attempt' : `${count} more attempts`;
}
