import { strictObject } from 'valibot';
import { decodeEnvelope } from '../engine/core/envelope.ts';
import { createError } from '../engine/core/errors.ts';
import { readExactJson } from '../engine/core/exact-json.ts';
import { fingerprintOf } from '../engine/core/fingerprint.ts';
import type { StoredJob } from '../engine/core/job.ts';
import type { JobRecord, RecordChild } from '../engine/core/job-record.ts';
import { parseReprocessNote, type ReprocessNote } from '../engine/core/reprocess-note.ts';
import type { StoredRetry } from '../engine/core/retry-policy.ts';
import { type Firing, readExpiry, readFiring } from '../engine/core/schedule/firing.ts';
import { type JobAttempt, listAttempts } from './job-attempts.ts';
import { readJobAnywhere } from './job-lookup.ts';
import { defineOperation } from './operation.ts';
import { jobId, jobQueue, queueFlag } from './read-result.ts';
import type { Session } from './session.ts';

/** Everything the broker holds about one job, with what its envelope carries laid flat. Absent is null. */
export interface JobDetails extends Omit<StoredJob, 'meta' | 'revoked' | 'failures'> {
  /** Of its error: `tq dlq list --fingerprint` lists others with the same. */
  readonly fingerprint: string | null;
  readonly attemptHistory: readonly JobAttempt[];
  readonly requestId: string | null;
  readonly rootId: string | null;
  /** The job that called it. */
  readonly parentId: string | null;
  /** The schedule entry that made it. */
  readonly scheduleEntry: string | null;
  /** The schedule entry that it is a firing of, and when it was due. */
  readonly schedule: Firing | null;
  /** When it went back to work, and by which run; oldest first. */
  readonly reprocessed: readonly ReprocessNote[];
  /** The id of its workflow. */
  readonly workflow: string | null;
  /** Its step in the graph of the workflow. */
  readonly step: number | null;
  /** The job that waits for it. */
  readonly waitedForBy: { readonly queue: string; readonly id: string } | null;
  /** The jobs that it waits for, or has waited for; at most a hundred, those that have not ended first. */
  readonly waitsFor: readonly Pick<RecordChild, 'queue' | 'id' | 'end'>[];
  /** How many there are in all. */
  readonly waitsForCount: number;
  /** Epoch milliseconds. */
  readonly expiresAt: number | null;
  readonly softTimeLimitMs: number | null;
  readonly timeLimitMs: number | null;
  /** The retry policy of this call, when it replaces that of its task. */
  readonly retry: StoredRetry | false | null;
  readonly headers: Readonly<Record<string, string>>;
  /** What workers and the task wrote to the job's log, oldest first. */
  readonly log: readonly string[];
}

const MAX_CHILDREN = 100;

export const showJob = defineOperation({
  name: 'show-job',
  effect: 'read',
  summary: 'Show everything about one job',
  input: strictObject({ id: jobId, queue: jobQueue }),
  async run(session, { id, queue }): Promise<JobDetails> {
    return (await readDetails(session, id, queue)).details;
  },
  commandLine: ({ id, queue }) => ['jobs', 'show', id, ...queueFlag(queue)],
});

/** @throws UNKNOWN_JOB, AMBIGUOUS_JOB */
export async function readDetails(
  session: Session,
  id: string,
  queue?: string,
): Promise<{ details: JobDetails; isDead: boolean }> {
  const job = await readJobAnywhere(session, id, queue);
  if (job === undefined) throw createError('UNKNOWN_JOB', { id });
  const [record] = await (await session.broker()).queue(job.queue).bulk.readRecords([id]);
  // Without its record it was removed just now.
  const log = record?.log ?? [];
  return { details: toDetails(job, record, log), isDead: record?.place === 'dead' };
}

/** That it was revoked is said by its state and its reason. */
function toDetails(
  { meta, revoked: _, failures, ...job }: StoredJob,
  record: JobRecord | undefined,
  log: readonly string[],
): JobDetails {
  const children = record?.children ?? [];
  return {
    ...job,
    args: record === undefined || job.unreadable !== null ? job.args : readExactArgs(record.data),
    result: job.result ?? null,
    progress: job.progress ?? null,
    fingerprint: job.error === null ? null : fingerprintOf(job.error),
    attemptHistory: listAttempts({ ...job, failures, meta }, record?.place === 'dead'),
    requestId: meta.requestId ?? null,
    rootId: meta.rootId ?? null,
    parentId: meta.parentId ?? null,
    scheduleEntry: record?.schedulerId ?? null,
    schedule: readFiring({ id: job.id, meta }) ?? null,
    reprocessed: log.map((row) => parseReprocessNote(row)).filter((note) => note !== undefined),
    workflow: meta.workflow?.id ?? null,
    step: meta.workflow?.node ?? null,
    waitedForBy: record?.parent == null ? null : { queue: record.parent.queue, id: record.parent.id },
    waitsFor: children
      .toSorted((one, other) => Number(other.end === 'pending') - Number(one.end === 'pending'))
      .slice(0, MAX_CHILDREN)
      .map(({ queue, id, end }) => ({ queue, id, end })),
    waitsForCount: children.length,
    expiresAt: readExpiry({ id: job.id, meta }) ?? null,
    softTimeLimitMs: meta.softTimeLimitMs ?? null,
    timeLimitMs: meta.timeLimitMs ?? null,
    retry: meta.retry ?? null,
    headers: meta.headers ?? {},
    log,
  };
}

/** As they are stored: integers beyond 2^53 keep their digits. */
function readExactArgs(data: string): readonly unknown[] {
  return decodeEnvelope(readExactJson(data)).args;
}
