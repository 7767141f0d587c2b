import type { Broker, BrokerQueue } from '../broker/port.ts';
import type { ResultStore } from '../broker/result-store/result-port.ts';
import { type Duration, parseDuration } from '../core/duration.ts';
import { createError } from '../core/errors.ts';
import type { StoredError, StoredJob } from '../core/job.ts';
import type { RevokedJob } from '../core/revocation.ts';
import { isFinished, type JobState } from '../core/state.ts';
import { WORKFLOW_TASK } from '../core/workflow/graph.ts';
import type { AsyncResult, GroupResult, Lineage, OpenBroker, RevokeJob, WorkflowResult } from './async-result.ts';
import { toFinishedJob } from './stored-result.ts';

interface JobResultOptions {
  readonly openBroker: OpenBroker;
  /** Where results are that the broker knows no more. */
  readonly openResults?: () => Promise<ResultStore | undefined>;
  readonly revoke: RevokeJob;
  /** Without it, a job knows nothing of workflows. */
  readonly lineage: Lineage;
  readonly task?: string;
  /** Where to look; every queue of the broker without it. */
  readonly queue?: string | undefined;
  readonly isDuplicate?: boolean;
  /** Queues to look into first. */
  readonly likelyQueues?: readonly string[];
}

/** Builds the result of the job with this id; nothing is asked of the broker yet. */
export function createJobResult<Result>(id: string, options: JobResultOptions): AsyncResult<Result> {
  return new JobResult<Result>(id, options);
}

class JobResult<Result> implements AsyncResult<Result> {
  readonly id: string;
  readonly task: string | undefined;
  readonly isDuplicate: boolean;
  readonly #options: JobResultOptions;
  #queue: string | undefined;

  constructor(id: string, options: JobResultOptions) {
    this.id = id;
    this.task = options.task;
    this.isDuplicate = options.isDuplicate ?? false;
    this.#options = options;
    this.#queue = options.queue;
  }

  get queue(): string | undefined {
    return this.#queue;
  }

  async state(): Promise<JobState> {
    return (await this.job())?.state ?? 'UNKNOWN';
  }

  async job(): Promise<StoredJob | undefined> {
    return (await this.#find())?.job ?? (await this.#findStored());
  }

  async get({ timeout }: { timeout?: Duration } = {}): Promise<Result> {
    const { id } = this;
    const timeoutMs = timeout === undefined ? undefined : parseDuration(timeout, 'timeout of get()');
    const found = await this.#find();
    if (found === undefined) return toResult<Result>(await this.#getStored());
    let job: StoredJob | undefined;
    do {
      // Also for a job that looked finished: a store reads the state and the record of a job apart, so only a record that
      // is read once the end is known is sure to hold the result.
      const ended = await found.in.waitUntilFinished(id, timeoutMs);
      job = await found.in.readJob(id);
      if (job === undefined || job.state === 'UNKNOWN') return toResult<Result>(await this.#getStored());
      if (!ended && !isFinished(job.state)) {
        throw createError('RESULT_TIMEOUT', { id, waitedMs: timeoutMs ?? 0, state: job.state });
      }
      // It ended and is not finished: a dead letter that was sent back to work meanwhile.
    } while (!isFinished(job.state));
    return toResult<Result>(job);
  }

  async error(): Promise<StoredError | null> {
    return (await this.job())?.error ?? null;
  }

  async attempts(): Promise<number> {
    return (await this.job())?.attempts ?? 0;
  }

  async progress(): Promise<unknown> {
    return (await this.job())?.progress ?? null;
  }

  async revoke({ terminate = false, timeout }: { terminate?: boolean; timeout?: Duration } = {}): Promise<RevokedJob> {
    const timeoutMs = timeout === undefined ? undefined : parseDuration(timeout, 'timeout of revoke()');
    return await this.#options.revoke(this.id, { queue: this.#queue, terminate, timeoutMs });
  }

  async forget(): Promise<boolean> {
    const found = await this.#find();
    if (found !== undefined && !isFinished(found.job.state)) return false;
    const store = await this.#options.openResults?.();
    const [isRemoved, rows] = await Promise.all([found?.in.removeJob(this.id), store?.remove(this.id, this.#queue)]);
    return isRemoved === true || (rows ?? 0) > 0;
  }

  /** The job as the result store holds it. */
  async #findStored(): Promise<StoredJob | undefined> {
    const store = await this.#options.openResults?.();
    const [row] = (await store?.read(this.id, this.#queue)) ?? [];
    return row && toFinishedJob(row);
  }

  async #getStored(): Promise<StoredJob> {
    const job = await this.#findStored();
    if (job === undefined) throw createError('UNKNOWN_JOB', { id: this.id });
    return job;
  }

  async ready(): Promise<boolean> {
    return isFinished(await this.state());
  }

  async successful(): Promise<boolean> {
    return (await this.state()) === 'SUCCESS';
  }

  async failed(): Promise<boolean> {
    return (await this.state()) === 'FAILURE';
  }

  async children(): Promise<AsyncResult[]> {
    const { lineage } = this.#options;
    const job = await this.job();
    if (job === undefined) return [];
    if (job.task === WORKFLOW_TASK) return await lineage.workflowOf(job.id).children();
    const following = await lineage.listFollowing(job);
    return following.map(({ id, task, queue }) => this.#other(id, { task, queue }));
  }

  async parent(): Promise<AsyncResult | undefined> {
    const parentId = (await this.job())?.meta.parentId;
    return parentId === undefined ? undefined : this.#other(parentId, {});
  }

  async workflow(): Promise<WorkflowResult | undefined> {
    const id = (await this.job())?.meta.workflow?.id;
    return id === undefined ? undefined : this.#options.lineage.workflowOf(id);
  }

  group(): GroupResult<Result extends readonly unknown[] ? Result : readonly unknown[]> {
    return this.#options.lineage.groupOf(this.id) as GroupResult as GroupResult<
      Result extends readonly unknown[] ? Result : readonly unknown[]
    >;
  }

  #other(id: string, place: Pick<JobResultOptions, 'task' | 'queue'>): AsyncResult {
    const { task: _, queue: __, isDuplicate: ___, ...parts } = this.#options;
    return createJobResult(id, { ...parts, ...place });
  }

  /** The queue that holds the job, and the job; remembered, because a job does not change its queue while it lives. */
  async #find(): Promise<{ job: StoredJob; in: BrokerQueue } | undefined> {
    const broker = await this.#options.openBroker();
    const queue = this.#queue;
    const likely = queue === undefined ? this.#options.likelyQueues : [queue];
    const found = await findJob(broker, this.id, likely, queue !== undefined);
    this.#queue ??= found?.in.name;
    return found;
  }
}

/** The result of a finished job; throws what `get()` throws for one that did not succeed. */
function toResult<Result>(job: StoredJob): Result {
  const { id, task } = job;
  if (job.state === 'REVOKED') throw createError('TASK_REVOKED', { id, task, reason: job.reason ?? 'no reason given' });
  if (job.state === 'FAILURE') {
    const cause = toCause(job.error);
    throw createError('TASK_FAILED', { id, task, error: `${cause.name}: ${cause.message}` }, cause);
  }
  return (job.state === 'SUCCESS' ? job.result : null) as Result;
}

/** The error as the worker stored it, as an Error of this process: name, message, code and stack. */
function toCause(stored: StoredError | null): Error {
  const error = new Error(stored?.message ?? 'no error was stored');
  return Object.assign(error, {
    name: stored?.name ?? 'Error',
    ...(stored?.code != null && { code: stored.code }),
    ...(stored?.stack != null && { stack: stored.stack }),
  });
}

/**
 * Looks for a job by its id: first in the likely queues, then in all queues of the broker.
 *
 * @param onlyLikely stops after the likely queues
 */
export async function findJob(
  broker: Broker,
  id: string,
  likely: readonly string[] = [],
  onlyLikely = false,
): Promise<{ job: StoredJob; in: BrokerQueue } | undefined> {
  const found = await findIn(broker, id, likely);
  if (found !== undefined || onlyLikely) return found;
  const others = (await broker.listQueues()).filter((name) => !likely.includes(name));
  return findIn(broker, id, others);
}

async function findIn(
  broker: Broker,
  id: string,
  names: readonly string[],
): Promise<{ job: StoredJob; in: BrokerQueue } | undefined> {
  const queues = names.map((name) => broker.queue(name));
  const jobs = await Promise.all(queues.map((queue) => queue.readJob(id)));
  const index = jobs.findIndex((job) => job !== undefined);
  const [job, queue] = [jobs[index], queues[index]];
  return job === undefined || queue === undefined ? undefined : { job, in: queue };
}
