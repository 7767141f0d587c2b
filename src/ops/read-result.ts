import { boolean, exactOptional, maxLength, minLength, minValue, number, pipe, strictObject, string } from 'valibot';
import type { StoredError, StoredJob } from '../engine/core/job.ts';
import { type Firing, readFiring } from '../engine/core/schedule/firing.ts';
import { isFinished, type JobState } from '../engine/core/state.ts';
import { readResultAnywhere } from './job-lookup.ts';
import { defineOperation } from './operation.ts';
import type { Session } from './session.ts';

/** A job as `tq result` shows it (cli.md). Instants are epoch milliseconds; absent is null. */
export interface JobResult {
  readonly id: string;
  readonly task: string | null;
  readonly queue: string | null;
  readonly state: JobState;
  readonly result: unknown;
  readonly error: StoredError | null;
  readonly attempts: number;
  readonly progress: unknown;
  readonly createdAt: number | null;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly worker: string | null;
  /** The schedule entry that it is a firing of, and when it was due. */
  readonly schedule: Firing | null;
}

export const jobId = pipe(
  string(),
  minLength(1, 'an id has at least one character'),
  maxLength(500, 'an id has at most 500 characters'),
);
/** The queue that holds the job; every queue is searched without it. */
export const jobQueue = exactOptional(pipe(string(), minLength(1, 'a queue has a name')));
export const waitMs = pipe(number(), minValue(0));

const input = strictObject({
  id: jobId,
  queue: jobQueue,
  /** Wait until the job has ended. An id that no queue holds is UNKNOWN at once: it may never come. */
  wait: exactOptional(boolean()),
  /** The longest wait; for ever without it. */
  timeoutMs: exactOptional(waitMs),
});

export const readResult = defineOperation({
  name: 'read-result',
  effect: 'read',
  summary: 'Show the state and the result of a job',
  input,
  async run(session, { id, queue, wait, timeoutMs }): Promise<JobResult> {
    const job = await readResultAnywhere(session, id, queue);
    if (job === undefined) return unknownResult(id);
    if (wait !== true || isFinished(job.state)) return toJobResult(job);
    return await waitForResult(session, job, timeoutMs);
  },
  commandLine: ({ id, queue, wait, timeoutMs }) => ['result', id, ...queueFlag(queue), ...waitFlags(wait, timeoutMs)],
});

/** The result of a job once it has ended, or as it is after `timeoutMs`. */
export async function waitForResult(
  session: Session,
  { id, queue }: { readonly id: string; readonly queue: string },
  timeoutMs: number | undefined,
): Promise<JobResult> {
  const store = (await session.broker()).queue(queue);
  for (;;) {
    const ended = await store.waitUntilFinished(id, timeoutMs);
    const job = await store.readJob(id);
    if (job === undefined) {
      const kept = await readResultAnywhere(session, id, queue);
      return kept === undefined ? unknownResult(id) : toJobResult(kept);
    }
    // A revoked job has ended for those who wait for it, and may be active for a moment when a worker files it away.
    if (!ended || isFinished(job.state)) return toJobResult(job);
  }
}

export function queueFlag(queue: string | undefined): string[] {
  return queue === undefined ? [] : ['--queue', queue];
}

export function waitFlags(wait: boolean | undefined, timeoutMs: number | undefined): string[] {
  return [...(wait === true ? ['--wait'] : []), ...(timeoutMs === undefined ? [] : ['--timeout', `${timeoutMs}ms`])];
}

function toJobResult(job: StoredJob): JobResult {
  return {
    id: job.id,
    task: job.task,
    queue: job.queue,
    state: job.state,
    result: job.result ?? null,
    error: job.error,
    attempts: job.attempts,
    progress: job.progress ?? null,
    createdAt: job.createdAt,
    startedAt: job.startedAt,
    finishedAt: job.finishedAt,
    worker: job.worker,
    schedule: readFiring(job) ?? null,
  };
}

function unknownResult(id: string): JobResult {
  return {
    id,
    task: null,
    queue: null,
    state: 'UNKNOWN',
    result: null,
    error: null,
    attempts: 0,
    progress: null,
    createdAt: null,
    startedAt: null,
    finishedAt: null,
    worker: null,
    schedule: null,
  };
}
