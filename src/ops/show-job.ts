import { strictObject } from 'valibot';
import { createError } from '../engine/core/errors.ts';
import type { StoredJob } from '../engine/core/job.ts';
import type { StoredRetry } from '../engine/core/retry-policy.ts';
import { readJobAnywhere } from './job-lookup.ts';
import { defineOperation } from './operation.ts';
import { jobId, jobQueue, queueFlag } from './read-result.ts';

/** Everything the broker holds about one job, with what its envelope carries laid flat. Absent is null. */
export interface JobDetails extends Omit<StoredJob, 'meta' | 'revoked'> {
  readonly requestId: string | null;
  readonly rootId: string | null;
  readonly parentId: string | null;
  /** The id of its workflow. */
  readonly workflow: string | null;
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

export const showJob = defineOperation({
  name: 'show-job',
  effect: 'read',
  summary: 'Show everything about one job',
  input: strictObject({ id: jobId, queue: jobQueue }),
  async run(session, { id, queue }): Promise<JobDetails> {
    const job = await readJobAnywhere(session, id, queue);
    if (job === undefined) throw createError('UNKNOWN_JOB', { id });
    const log = await (await session.broker()).queue(job.queue).readLog(id);
    return toDetails(job, log);
  },
  commandLine: ({ id, queue }) => ['jobs', 'show', id, ...queueFlag(queue)],
});

/** That it was revoked is said by its state and its reason. */
function toDetails({ meta, revoked: _, ...job }: StoredJob, log: readonly string[]): JobDetails {
  return {
    ...job,
    result: job.result ?? null,
    progress: job.progress ?? null,
    requestId: meta.requestId ?? null,
    rootId: meta.rootId ?? null,
    parentId: meta.parentId ?? null,
    workflow: meta.workflow?.id ?? null,
    expiresAt: meta.expiresAt ?? null,
    softTimeLimitMs: meta.softTimeLimitMs ?? null,
    timeLimitMs: meta.timeLimitMs ?? null,
    retry: meta.retry ?? null,
    headers: meta.headers ?? {},
    log,
  };
}
