import type { SqlValue } from './connection.ts';
import { isLocked, type JobChanges, type JobColumn, type JobHead, readJob } from './job-row.ts';
import type { OpenQueue } from './open-queue.ts';
import { lockMismatch, refusal } from './refusal.ts';

/** A worker's claim on a job that it took. */
export interface Claim {
  readonly jobId: string;
  /** `0` for whoever acts without a lock. */
  readonly token: string;
  /** BullMQ's name of the operation, for the error. */
  readonly command: string;
  readonly now: number;
}

/**
 * The job that a worker has taken and still owns.
 *
 * @throws the refusals missingJob, missingLock, lockMismatch and notInState
 */
export function getClaimedJob(queue: OpenQueue, { jobId, token, command, now }: Claim): JobHead {
  const job = readJob(queue, jobId);
  if (job === undefined) throw refusal('missingJob', { jobId, command });
  assertClaim(job, { jobId, token, command, now });
  return job;
}

/** @throws the refusals missingLock and lockMismatch */
export function assertLock(job: JobHead, { jobId, token, command, now }: Claim): void {
  if (token === '0' || (isLocked(job, now) && job.lockToken === token)) return;
  if (isLocked(job, now)) throw lockMismatch({ jobId, command, state: 'active' });
  throw refusal('missingLock', { jobId, command, state: 'active' });
}

/** @throws the refusals missingLock, lockMismatch and notInState */
export function assertClaim(job: JobHead, claim: Claim): void {
  assertLock(job, claim);
  const { jobId, command } = claim;
  if (job.state !== 'active') throw refusal('notInState', { jobId, command, state: 'active' });
}

/** What a job loses with its lock. Without a token the lock, if any, stays: it is another worker's. */
export function unlock(token: string): JobChanges {
  return token === '0' ? {} : { lock_token: null, lock_until: null, stalled_mark: 0 };
}

/** Names of BullMQ's job fields that callers may store along with a move. */
const FIELDS: Readonly<Record<string, JobColumn>> = {
  failedReason: 'failed_reason',
  stacktrace: 'stacktrace',
  returnvalue: 'return_value',
  progress: 'progress',
  data: 'data',
  delay: 'delay',
  priority: 'priority',
  atm: 'attempts_made',
  ats: 'attempts_started',
  stc: 'stalled_count',
  processedOn: 'processed_on',
  finishedOn: 'finished_on',
  pb: 'processed_by',
  defa: 'deferred_failure',
};

/** The columns of `fieldsToUpdate`. Fields that no reader of a job knows are left out, as are undefined ones. */
export function toChanges(fields: Readonly<Record<string, unknown>> | undefined): JobChanges {
  const changes: { [Column in JobColumn]?: SqlValue } = {};
  for (const [field, value] of Object.entries(fields ?? {})) {
    const column = FIELDS[field];
    if (column === undefined || value === undefined) continue;
    changes[column] = typeof value === 'number' || value === null ? value : String(value);
  }
  return changes;
}
