import type {
  FinishedStatus,
  IQueueBackend,
  JobJson,
  JobProgress,
  JobsOptions,
  KeepJobs,
  MinimalJob,
  MoveToDelayedOpts,
  MoveToWaitingChildrenOpts,
  ParentKeyOpts,
  RepeatableOptions,
  RetryJobOpts,
  RetryOptions,
} from 'bullmq';
import { addFlow, addJob, addJobs, type FlowNode } from './adding.ts';
import type { BackendSession, SessionOptions } from './backend-session.ts';
import { cleanJobs, type DrainExtent, drainStep, obliterateQueue, readDrainExtent, removeOrphans } from './cleaning.ts';
import { readHolder, removeHolder } from './deduplication.ts';
import { type Ending, finishJob, toKeepJobs } from './finishing.ts';
import { addLogLine, clearLog } from './job-log.ts';
import { lastRankDue } from './job-place.ts';
import { hasJob, type JobChanges, readJob, updateJob } from './job-row.ts';
import { extendLock } from './locking.ts';
import { openParent } from './parent-release.ts';
import { QueueReader } from './queue-reader.ts';
import { refusal } from './refusal.ts';
import { leaveParent, removeJob, removeOpenChildren } from './removing.ts';
import {
  changeDelay,
  changePriority,
  delayJob,
  handBackJob,
  promoteJob,
  reprocessJob,
  retryActiveJob,
  returnJobs,
  waitForChildren,
} from './retrying.ts';
import { advanceScheduler, putScheduler, removeScheduler } from './scheduling.ts';
import { moveStalledJobs } from './stalling.ts';
import { type Taken, type Taker, takeJob } from './taking.ts';

/** What BullMQ's classes set on the options of a queue or a worker, as far as a backend reads them. */
export interface QueueSettings {
  readonly name?: string;
  readonly lockDuration?: number;
  readonly stalledInterval?: number;
  readonly maxStalledCount?: number;
  readonly limiter?: { readonly max: number; readonly duration: number };
  readonly removeOnComplete?: KeepJobs;
  readonly removeOnFail?: KeepJobs;
  readonly metrics?: { readonly maxDataPoints?: number };
}

/** Jobs that one transaction of a drain removes. */
const DRAINED_AT_ONCE = 1000;

type Finished = { result: unknown[]; finishedOn: number };

/**
 * BullMQ's queue backend on SQLite: each method is one operation in a transaction. What an operation does stands in the
 * file that it comes from; what is promised about it, in BullMQ's IQueueBackend.
 */
export class SqliteQueueBackend extends QueueReader implements IQueueBackend {
  readonly #settings: QueueSettings;

  constructor(options: SessionOptions, settings: QueueSettings, owner?: BackendSession) {
    super(options, owner);
    this.#settings = settings;
  }

  forQueue(queueName: string, prefix?: string): SqliteQueueBackend {
    return new SqliteQueueBackend(this.siblingOptions(queueName, prefix), this.#settings, this);
  }

  addJob(job: JobJson, jobId: string, parentKeyOpts: ParentKeyOpts = {}): Promise<string> {
    return this.write((queue, now, transaction) => addJob(transaction, queue, { job, jobId, parentKeyOpts }, now));
  }

  addJobs(entries: { job: JobJson; jobId: string; parentKeyOpts?: ParentKeyOpts }[]): Promise<string[]> {
    const additions = entries.map(({ job, jobId, parentKeyOpts = {} }) => ({ job, jobId, parentKeyOpts }));
    return this.write((queue, now, transaction) => addJobs(transaction, queue, additions, now));
  }

  async addFlow(
    entries: { jobData: JobJson; jobId: string; parentKeyOpts: ParentKeyOpts; prefix: string; queueName: string }[],
  ): Promise<[Error | null, string | number][]> {
    const nodes: FlowNode[] = entries.map(({ jobData, ...entry }) => ({ ...entry, job: jobData }));
    const now = this.now();
    return this.database().write((transaction) => addFlow(transaction, nodes, now));
  }

  addJobScheduler(
    jobSchedulerId: string,
    nextMillis: number,
    templateData: string,
    templateOpts: JobsOptions,
    opts: RepeatableOptions,
    delayedJobOpts: JobsOptions,
    _producerId?: string,
  ): Promise<[string, number]> {
    const change = { id: jobSchedulerId, nextAt: nextMillis, templateData, templateOpts, options: opts };
    return this.write((queue, now, transaction) =>
      putScheduler(transaction, queue, { ...change, jobOpts: delayedJobOpts }, now),
    );
  }

  updateJobSchedulerNextMillis(
    jobSchedulerId: string,
    nextMillis: number,
    _templateData: string,
    delayedJobOpts: JobsOptions,
    producerId = '',
  ): Promise<string | null> {
    const request = { id: jobSchedulerId, nextAt: nextMillis, opts: delayedJobOpts, producerId };
    return this.write((queue, now) => advanceScheduler(queue, request, now));
  }

  async removeJobScheduler(jobSchedulerId: string): Promise<number> {
    return (await this.write((queue, now) => removeScheduler(queue, jobSchedulerId, now))) ? 0 : 1;
  }

  moveToActive(token: string, name?: string): Promise<unknown[]> {
    const taker = this.#taker(token, name);
    return this.paced(this.write((queue, now) => takeJob(queue, taker, now)));
  }

  async moveToCompleted(
    job: MinimalJob,
    returnValue: unknown,
    removeOnComplete: boolean | number | KeepJobs,
    token: string,
    fetchNext: boolean,
  ): Promise<Finished> {
    const value = JSON.stringify(returnValue) ?? 'null';
    const keep = toKeepJobs(removeOnComplete, this.#settings.removeOnComplete);
    return this.#finish(job, { target: 'completed', value, keep, token, fieldsToUpdate: undefined }, fetchNext);
  }

  async moveToFailed(
    job: MinimalJob,
    failedReason: string,
    removeOnFail: boolean | number | KeepJobs,
    token: string,
    fetchNext: boolean,
    fieldsToUpdate?: Record<string, unknown>,
  ): Promise<Finished> {
    const keep = toKeepJobs(removeOnFail, this.#settings.removeOnFail);
    return this.#finish(
      job,
      { target: 'failed', value: failedReason ?? 'null', keep, token, fieldsToUpdate },
      fetchNext,
    );
  }

  async #finish(
    job: MinimalJob,
    end: Pick<Ending, 'target' | 'value' | 'keep' | 'token' | 'fieldsToUpdate'>,
    fetchNext: boolean,
  ): Promise<Finished> {
    const ending: Ending = {
      ...end,
      jobId: job.id ?? '',
      attempts: job.opts.attempts,
      maxDataPoints: this.#settings.metrics?.maxDataPoints,
      taker: fetchNext && this.closing === undefined ? this.#taker(end.token, this.#settings.name) : undefined,
    };
    return this.write((queue, now, transaction) => ({
      result: toAnswer(finishJob(transaction, queue, ending, now)),
      finishedOn: now,
    }));
  }

  moveToDelayed(
    jobId: string,
    timestamp: number,
    delay: number,
    token = '0',
    { skipAttempt = false, fieldsToUpdate, fetchNext }: MoveToDelayedOpts = {},
  ): Promise<unknown[]> {
    const taker = fetchNext && this.closing === undefined ? this.#taker(token, this.#settings.name) : undefined;
    const delaying = { jobId, token, timestamp, delayMs: delay, skipAttempt, fieldsToUpdate, taker };
    return this.write((queue, now) => toAnswer(delayJob(queue, delaying, now)));
  }

  moveToWaitingChildren(jobId: string, token: string, { child }: MoveToWaitingChildrenOpts = {}): Promise<boolean> {
    const childKey = child === undefined ? '' : `${child.queue}:${child.id}`;
    return this.write((queue, now) => waitForChildren(queue, { jobId, token, childKey }, now));
  }

  moveJobFromActiveToWait(jobId: string, token = '0'): Promise<number> {
    return this.write((queue, now) => handBackJob(queue, jobId, token, now));
  }

  retryJob(jobId: string, lifo: boolean, token = '0', { fieldsToUpdate }: RetryJobOpts = {}): Promise<void> {
    return this.write((queue, now) => retryActiveJob(queue, { jobId, token, lifo, fieldsToUpdate }, now));
  }

  retryFinishedJob(job: MinimalJob, state: 'failed' | 'completed', opts: RetryOptions = {}): Promise<void> {
    const request = {
      jobId: job.id ?? '',
      from: state,
      lifo: job.opts.lifo === true,
      resetAttemptsMade: opts.resetAttemptsMade === true,
      resetAttemptsStarted: opts.resetAttemptsStarted === true,
    };
    return this.write((queue, now, transaction) => reprocessJob(transaction, queue, request, now));
  }

  promote(jobId: string): Promise<void> {
    return this.write((queue, now) => promoteJob(queue, jobId, now));
  }

  async moveStalledJobsToWait(): Promise<string[]> {
    const { maxStalledCount = 1, stalledInterval = 30_000 } = this.#settings;
    // A worker comes by here all its life, so it is also what tidies up the file.
    this.database().tidy();
    return this.write((queue, now) => moveStalledJobs(queue, { maxStalledCount, intervalMs: stalledInterval }, now));
  }

  async retryFinishedJobs(state: FinishedStatus = 'failed', count = 1000, timestamp = this.now()): Promise<number> {
    const request = { from: state, count, until: timestamp };
    return (await this.write((queue, now, transaction) => returnJobs(transaction, queue, request, now))) ? 1 : 0;
  }

  async promoteJobs(count = 1000): Promise<number> {
    const request = { from: 'delayed', count, until: lastRankDue(Number.MAX_SAFE_INTEGER) } as const;
    return (await this.write((queue, now, transaction) => returnJobs(transaction, queue, request, now))) ? 1 : 0;
  }

  pause(pause: boolean): Promise<void> {
    return this.write((queue, now) => {
      if (pause) queue.setMeta('paused', 1);
      else queue.removeMeta('paused');
      queue.notices.jobs = true;
      queue.emit(now, pause ? 'paused' : 'resumed');
    });
  }

  async drain(delayed: boolean): Promise<void> {
    let extent: DrainExtent | undefined = await this.read((queue) => readDrainExtent(queue, delayed));
    while (extent !== undefined) {
      const step: { extent: DrainExtent; limit: number } = { extent, limit: DRAINED_AT_ONCE };
      extent = await this.write<DrainExtent | undefined>((queue, now, transaction) =>
        drainStep(transaction, queue, step, now),
      );
    }
  }

  cleanJobsByState(state: string, timestamp: number, limit = 0): Promise<string[]> {
    const request = { state, olderThan: timestamp, limit };
    return this.write((queue, now, transaction) => cleanJobs(transaction, queue, request, now));
  }

  obliterate(opts: { force: boolean; count: number }): Promise<number> {
    return this.write((queue, now, transaction) => obliterateQueue(transaction, queue, opts, now));
  }

  removeOrphanedJobs(_count?: number, _limit?: number): Promise<number> {
    return this.write(removeOrphans);
  }

  async extendLock(jobId: string, token: string, duration: number): Promise<number> {
    return (await this.write((queue, now) => extendLock(queue, jobId, token, duration, now))) ? 1 : 0;
  }

  extendLocks(jobIds: string[], tokens: string[], duration: number): Promise<string[]> {
    return this.write((queue, now) =>
      jobIds.filter((jobId, index) => !extendLock(queue, jobId, tokens[index] ?? '', duration, now)),
    );
  }

  async updateData(job: MinimalJob, data: unknown): Promise<void> {
    await this.#update(job.id ?? '', 'updateData', { data: JSON.stringify(data) });
  }

  updateProgress(jobId: string, progress: JobProgress): Promise<void> {
    const text = JSON.stringify(progress);
    return this.write((queue, now) => {
      const job = readJob(queue, jobId);
      if (job === undefined) throw refusal('missingJob', { jobId, command: 'updateProgress' });
      updateJob(queue, job, { progress: text });
      queue.maxEvents();
      queue.emit(now, 'progress', 'jobId', jobId, 'data', text);
    });
  }

  #update(jobId: string, command: string, changes: JobChanges): Promise<void> {
    return this.write((queue) => {
      const job = readJob(queue, jobId);
      if (job === undefined) throw refusal('missingJob', { jobId, command });
      updateJob(queue, job, changes);
    });
  }

  addLog(jobId: string, logRow: string, keepLogs?: number): Promise<number> {
    return this.write((queue) => addLogLine(queue, jobId, logRow, keepLogs));
  }

  clearLogs(jobId: string, keepLogs?: number): Promise<void> {
    return this.write((queue) => clearLog(queue, jobId, keepLogs));
  }

  changeDelay(jobId: string, delay: number): Promise<void> {
    return this.write((queue, now) => changeDelay(queue, jobId, delay, now));
  }

  changePriority(jobId: string, priority = 0, lifo = false): Promise<void> {
    return this.write((queue) => changePriority(queue, { jobId, priority, lifo }));
  }

  async remove(jobId: string, removeChildren: boolean): Promise<number> {
    const withChildren = removeChildren;
    const isRemoved = await this.write((queue, now, transaction) =>
      removeJob(transaction, queue, jobId, { withChildren, now }),
    );
    return isRemoved ? 1 : 0;
  }

  removeUnprocessedChildren(jobId: string): Promise<void> {
    return this.write((queue, now, transaction) => removeOpenChildren(transaction, queue, jobId, now));
  }

  removeChildDependency(jobId: string, parentKey: string): Promise<boolean> {
    const command = 'removeChildDependency';
    return this.write((queue, now, transaction) => {
      const job = readJob(queue, jobId);
      if (job === undefined) throw refusal('missingJob', { jobId, parentKey, command });
      const parent = openParent(transaction, parentKey, job.parentKey === parentKey ? job.parent : null);
      if (!hasJob(parent.queue, parent.id)) throw refusal('missingParent', { jobId, parentKey, command });
      if (!leaveParent(transaction, queue, job, { hard: false, now, parent })) return false;
      updateJob(queue, job, { parent_key: null, parent: null });
      return true;
    });
  }

  removeDeduplicationKey(deduplicationId: string, jobId: string): Promise<number> {
    return this.write((queue, now) => {
      if (readHolder(queue, deduplicationId, now)?.jobId !== jobId) return 0;
      return removeHolder(queue, deduplicationId, now) ? 1 : 0;
    });
  }

  async deleteDeduplicationKey(deduplicationId: string): Promise<number> {
    return (await this.write((queue, now) => removeHolder(queue, deduplicationId, now))) ? 1 : 0;
  }

  setQueueMeta(values: Record<string, string | number>): Promise<number> {
    return this.write((queue) => Object.entries(values).filter(([field, value]) => queue.setMeta(field, value)).length);
  }

  removeQueueMetaFields(fields: string[]): Promise<number> {
    return this.write((queue) => {
      queue.notices.jobs = true;
      return fields.filter((field) => queue.removeMeta(field)).length;
    });
  }

  setRateLimit(expireTimeMs: number): Promise<void> {
    return this.write((queue, now) => {
      queue.limiterCount = Number.MAX_SAFE_INTEGER;
      queue.limiterUntil = now + expireTimeMs;
    });
  }

  removeRateLimitKey(): Promise<number> {
    return this.write((queue, now) => {
      const ran = queue.limiterUntil > now;
      queue.limiterCount = 0;
      queue.limiterUntil = 0;
      queue.notices.jobs = true;
      return ran ? 1 : 0;
    });
  }

  /** There never was such a key here. */
  async removeDeprecatedPriorityKey(): Promise<number> {
    return 0;
  }

  trimEvents(maxLength: number): Promise<number> {
    return this.write(({ connection, events, id }) => events.trim(connection, id, maxLength));
  }

  publishEvent(fields: Record<string, string | number>, maxEvents: number): Promise<string> {
    return this.write((queue, now) => {
      queue.events.trim(queue.connection, queue.id, maxEvents);
      queue.notices.events = true;
      return queue.events.append(now, Object.entries(fields).flat().map(String));
    });
  }

  #taker(token: string, name: string | undefined): Taker {
    const { lockDuration = 30_000, limiter } = this.#settings;
    return { token, lockDurationMs: lockDuration, name, limiter };
  }
}

/** BullMQ's worker takes an empty answer for "there was nothing to fetch". */
function toAnswer(taken: Taken | undefined): unknown[] {
  return taken ?? [];
}
