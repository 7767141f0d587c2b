import type { JobJson, JobState, JobType } from 'bullmq';
import { BackendSession } from './backend-session.ts';
import { listChildren, splitJobKey } from './child-ledger.ts';
import { listClients } from './client-registry.ts';
import { readHolder } from './deduplication.ts';
import type { EventPosition } from './event-log.ts';
import { readLog } from './job-log.ts';
import { readJobJson } from './job-row.ts';
import { type MetricKind, readMetrics, toSlice } from './metrics.ts';
import { readEventTail, waitForEvents, waitForReadyJob } from './queue-wait.ts';
import {
  countDependencies,
  countPriorities,
  countStates,
  type Dependencies,
  type DependencyPages,
  isInState,
  listDependencies,
  listIds,
  readFinish,
  readState,
  toReasons,
} from './reading.ts';
import { countSchedulers, listSchedulers, readScheduler } from './scheduler-row.ts';
import { limitTtlMs } from './taking.ts';
import type { Transaction } from './transaction.ts';

/** A page of a parent's children, as BullMQ's getters for a dashboard take it. */
export interface Page {
  cursor: string;
  items: { id: string; v?: unknown; err?: string }[];
  total: number;
  jobs?: JobJson[];
}

/** What BullMQ's classes read of a queue: the half of IQueueBackend that changes nothing. Docstrings are the interface's. */
export class QueueReader extends BackendSession {
  /** Where a reader that asked for "new events only" has got to, so that nothing falls between two waits. */
  #eventTail: EventPosition | undefined;

  parseNodeKey(key: string): { prefix: string; queueName: string; id: string } {
    const { queueKey, id } = splitJobKey(key);
    const colon = queueKey.lastIndexOf(':');
    return { prefix: queueKey.slice(0, Math.max(0, colon)), queueName: queueKey.slice(colon + 1), id };
  }

  getState(jobId: string): Promise<JobState | 'unknown'> {
    return this.read((queue) => readState(queue, jobId));
  }

  getJobData(jobId: string): Promise<JobJson | undefined> {
    return this.read((queue) => readJobJson(queue, jobId));
  }

  isFinished(jobId: string, returnValue = false): Promise<number | [number, string]> {
    return this.read((queue) => readFinish(queue, jobId, returnValue));
  }

  isMaxed(): Promise<boolean> {
    return this.read((queue) => queue.isMaxed);
  }

  isJobInState(state: string, jobId: string): Promise<boolean> {
    return this.read((queue) => isInState(queue, state, jobId));
  }

  getDeduplicationJobId(deduplicationId: string): Promise<string | null> {
    return this.read((queue, now) => readHolder(queue, deduplicationId, now)?.jobId ?? null);
  }

  getJobLogs(jobId: string, start: number, end: number, asc: boolean): Promise<{ logs: string[]; count: number }> {
    return this.read((queue) => readLog(queue, jobId, { start, end, asc }));
  }

  getRateLimitTtl(maxJobs?: number): Promise<number> {
    return this.read((queue, now) => {
      const max = maxJobs || queue.meta.get('max');
      if (max !== undefined) return limitTtlMs(queue, Number(max), now);
      // As Redis answers for a key that is not there.
      return queue.limiterUntil > now ? queue.limiterUntil - now : -2;
    });
  }

  getCounts(types: JobType[], delayedTimestamp?: number): Promise<number[]> {
    return this.read((queue) => countStates(queue, types, delayedTimestamp));
  }

  getCountsPerPriority(priorities: number[]): Promise<number[]> {
    return this.read((queue) => countPriorities(queue, priorities));
  }

  getRanges(types: JobType[], start = 0, end = 1, asc = false): Promise<[string][]> {
    return this.read((queue) => listIds(queue, types, { start, end, asc }) as [string][]);
  }

  getDependencyCounts(jobId: string, types: string[]): Promise<number[]> {
    return this.read((queue) => countDependencies(queue, jobId, types));
  }

  getDependencies(
    jobId: string,
    opts: DependencyPages = {},
  ): Promise<Dependencies & { ignored?: Record<string, never> }> {
    return this.read(
      (queue) => listDependencies(queue, jobId, opts) as Dependencies & { ignored?: Record<string, never> },
    );
  }

  getProcessedChildrenValues(jobId: string): Promise<Record<string, string>> {
    return this.read((queue) => toReasons(listChildren(queue, jobId, 'processed')));
  }

  getIgnoredChildrenFailures(jobId: string): Promise<Record<string, string>> {
    return this.read((queue) => toReasons(listChildren(queue, jobId, 'ignored')));
  }

  getMetrics(type: MetricKind, start = 0, end = -1): Promise<[string[], string[], number]> {
    return this.read((queue) => readMetrics(queue, type, start, end));
  }

  getClientList(): Promise<string[]> {
    return this.read((_queue, now, { connection }) => [listClients(connection, now)]);
  }

  /** @param key a job's `…:processed` or `…:dependencies` */
  paginate(key: string, opts: { start: number; end: number; fetchJobs?: boolean }): Promise<Page> {
    return this.read((queue, _now, transaction) => {
      const jobId = key.slice(queue.key.length + 1, key.lastIndexOf(':'));
      const kind = key.endsWith(':processed') ? 'processed' : 'unprocessed';
      const total = countDependencies(queue, jobId, [kind])[0] ?? 0;
      const children = listChildren(queue, jobId, kind, toSlice(opts.start, opts.end, total));
      const items = children.map(({ childKey, value }) =>
        kind === 'processed' ? { id: childKey, v: JSON.parse(value ?? 'null') } : { id: childKey },
      );
      const jobs = opts.fetchJobs ? children.flatMap(({ childKey }) => readByKey(transaction, childKey)) : [];
      return { cursor: '0', items, total, jobs };
    });
  }

  getQueueMetaField(field: string): Promise<string | null> {
    return this.read((queue) => queue.meta.get(field) ?? null);
  }

  getQueueMetaFields(fields: string[]): Promise<(string | null)[]> {
    return this.read((queue) => fields.map((field) => queue.meta.get(field) ?? null));
  }

  getQueueMeta(): Promise<Record<string, string>> {
    return this.read((queue) => Object.fromEntries(queue.meta));
  }

  hasQueueMetaField(field: string): Promise<boolean> {
    return this.read((queue) => queue.meta.has(field));
  }

  /** As Redis' HGETALL and ZSCORE give them: fields and values in turn, and the next instant as text. */
  getJobScheduler(id: string): Promise<[string[] | null, string | null]> {
    return this.read((queue) => {
      const scheduler = readScheduler(queue, id);
      return scheduler === undefined
        ? [null, null]
        : [Object.entries(scheduler.fields).flat(), String(scheduler.nextAt)];
    });
  }

  isJobScheduler(id: string): Promise<boolean> {
    return this.read((queue) => readScheduler(queue, id) !== undefined);
  }

  getJobSchedulerData(key: string): Promise<Record<string, string>> {
    return this.read((queue) => ({ ...readScheduler(queue, key)?.fields }));
  }

  getJobSchedulersRange(start: number, end: number, asc: boolean): Promise<string[]> {
    return this.read((queue) => {
      const page = toSlice(start, end, countSchedulers(queue));
      return listSchedulers(queue, { ...page, down: !asc }).flatMap(({ id, nextAt }) => [id, String(nextAt)]);
    });
  }

  getJobSchedulersCount(): Promise<number> {
    return this.read(countSchedulers);
  }

  async waitForJob(blockTimeout: number): Promise<{ member: string; score: number } | null> {
    const isReady = await waitForReadyJob(await this.opened(), this, {
      timeoutMs: blockTimeout > 0 ? blockTimeout * 1000 : Number.POSITIVE_INFINITY,
      signal: this.waitSignal,
    });
    return isReady ? { member: '0', score: 0 } : null;
  }

  /** A reader of `$` that asks again after a timeout goes on where it was: unlike with Redis nothing is missed between. */
  async readEvents(id: string, blockTimeout: number): Promise<[string, [string, string[]][]][] | null> {
    const database = await this.opened();
    if (id === '$') this.#eventTail ??= readEventTail(database, this);
    const events = await waitForEvents(database, this, {
      after: id === '$' && this.#eventTail !== undefined ? this.#eventTail : id,
      timeoutMs: blockTimeout > 0 ? blockTimeout : Number.POSITIVE_INFINITY,
      signal: this.waitSignal,
    });
    if (events === undefined) return null;
    this.#eventTail = undefined;
    return [[this.keys['events'] as string, events]];
  }
}

function readByKey(transaction: Transaction, key: string): JobJson[] {
  const { queueKey, id } = splitJobKey(key);
  const json = readJobJson(transaction.queueByKey(queueKey), id);
  if (json === undefined) return [];
  // As BullMQ gives them: the id of a job stands beside it, in the page's item of the same index.
  const { id: _, ...rest } = json;
  return [rest as JobJson];
}
