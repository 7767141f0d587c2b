import type { BulkJobs, DeadJob, JobChange, JobScan, Restored, ScanPlace } from '../../src/engine/broker/bulk-port.ts';
import { BULK_PAGE } from '../../src/engine/broker/bulk-port.ts';
import type { JobSummary, StoredJob } from '../../src/engine/core/job.ts';
import type { JobRecord } from '../../src/engine/core/job-record.ts';
import { createStoredJob, type FakeBroker, type FakeQueue } from './fake-broker.ts';

/** Many jobs of a double: the promises of `BulkJobs` as far as jobs in memory can keep them. Flows are not known here. */
export class FakeBulk implements BulkJobs {
  readonly #queue: FakeQueue;
  readonly #broker: FakeBroker;

  constructor(queue: FakeQueue, broker: FakeBroker) {
    this.#queue = queue;
    this.#broker = broker;
  }

  async *scan({ places, from = 'first', pageSize = BULK_PAGE }: JobScan): AsyncIterable<readonly StoredJob[]> {
    this.#broker.assertUp();
    for (const place of places) {
      const jobs = [...this.#queue.jobs.values()].filter((job) => placeOf(job) === place);
      if (from === 'last') jobs.reverse();
      for (let at = 0; at < jobs.length; at += pageSize) yield jobs.slice(at, at + pageSize);
    }
  }

  async *scanIds(scan: JobScan): AsyncIterable<readonly string[]> {
    for await (const jobs of this.scan(scan)) yield jobs.map(({ id }) => id);
  }

  async *scanSummaries(scan: JobScan): AsyncIterable<readonly JobSummary[]> {
    for await (const jobs of this.scan(scan)) yield await this.#queue.listSummaries(jobs.map(({ id }) => id));
  }

  async readJobs(ids: readonly string[]): Promise<StoredJob[]> {
    this.#broker.assertUp();
    return ids.flatMap((id) => this.#queue.jobs.get(id) ?? []);
  }

  async readRecords(ids: readonly string[]): Promise<JobRecord[]> {
    this.#broker.assertUp();
    return ids.flatMap((id) => {
      const job = this.#queue.jobs.get(id);
      if (job === undefined) return [];
      return [{ ...toRecord(job, this.#queue.logs.get(id) ?? []), ...this.#queue.records.get(id) }];
    });
  }

  async restore(records: readonly JobRecord[]): Promise<Restored[]> {
    this.#broker.assertUp();
    this.#broker.changes.push(`restore ${records.length} into ${this.#queue.name}`);
    this.#broker.queues.set(this.#queue.name, this.#queue);
    return records.map((record) => {
      const { id } = record;
      if (this.#queue.jobs.has(id)) return { id, kind: 'present' };
      this.#queue.put(fromRecord(record, this.#queue.name));
      this.#queue.logs.set(id, [...record.log]);
      return { id, kind: 'restored' };
    });
  }

  async remove(ids: readonly string[], from: readonly ScanPlace[]): Promise<string[]> {
    const gone = this.#those(ids, from);
    this.#broker.changes.push(`remove ${gone.length} of ${this.#queue.name}`);
    for (const id of gone) this.#queue.jobs.delete(id);
    return gone;
  }

  async move(ids: readonly string[], target: string, from: readonly ScanPlace[]): Promise<string[]> {
    const going = this.#those(ids, from);
    this.#broker.changes.push(`move ${going.length} of ${this.#queue.name} to ${target}`);
    const other = this.#broker.queue(target);
    this.#broker.queues.set(target, other);
    for (const id of going) {
      other.put({ ...(this.#queue.jobs.get(id) as StoredJob), queue: target });
      this.#queue.jobs.delete(id);
    }
    return going;
  }

  async rewrite(changes: readonly JobChange[]): Promise<string[]> {
    const able = this.#those(
      changes.map(({ id }) => id),
      ['waiting', 'scheduled', 'blocked', 'dead'],
    );
    this.#broker.changes.push(`rewrite ${able.length} of ${this.#queue.name}`);
    return changes.flatMap(({ id, data, priority, dueAt }) => {
      const job = this.#queue.jobs.get(id);
      if (job === undefined || !able.includes(id)) return [];
      if (data !== undefined && data.seen !== toData(job)) return [];
      const { args, meta } = data === undefined ? job : fromData(data.next);
      const next = { ...job, args, meta };
      this.#queue.put({ ...next, priority: priority ?? job.priority, dueAt: dueAt ?? job.dueAt });
      return [id];
    });
  }

  async reprocess(jobs: readonly DeadJob[]): Promise<string[]> {
    this.#broker.assertUp();
    const done: string[] = [];
    for (const { id, finishedAt, data, note } of jobs) {
      const job = this.#queue.jobs.get(id);
      if (job?.state !== 'FAILURE') continue;
      if (finishedAt !== undefined && finishedAt !== job.finishedAt) continue;
      if (data !== undefined) this.#queue.put({ ...job, ...fromData(data) });
      if (note !== undefined) this.#queue.logs.set(id, [...(this.#queue.logs.get(id) ?? []), note]);
      if (await this.#queue.reprocess(id)) done.push(id);
    }
    return done;
  }

  async promote(ids: readonly string[]): Promise<string[]> {
    return await this.#queue.promoteToHead(ids);
  }

  #those(ids: readonly string[], from: readonly ScanPlace[]): string[] {
    this.#broker.assertUp();
    return ids.filter((id) => {
      const job = this.#queue.jobs.get(id);
      return job !== undefined && from.includes(placeOf(job));
    });
  }
}

function placeOf({ state, dueAt }: StoredJob): ScanPlace {
  switch (state) {
    case 'SCHEDULED':
      return 'scheduled';
    case 'RETRY':
      return dueAt === null ? 'waiting' : 'scheduled';
    case 'BLOCKED':
      return 'blocked';
    case 'STARTED':
      return 'active';
    case 'FAILURE':
      return 'dead';
    case 'PENDING':
      return 'waiting';
    default:
      return 'completed';
  }
}

function toData({ args, meta }: StoredJob): string {
  return JSON.stringify({ args, meta });
}

function fromData(data: string): Pick<StoredJob, 'args' | 'meta'> {
  const { args, meta } = JSON.parse(data) as Pick<StoredJob, 'args' | 'meta'>;
  return { args, meta };
}

function toRecord(job: StoredJob, log: readonly string[]): JobRecord {
  const { id, task, queue, createdAt, dueAt, startedAt, finishedAt, worker, workersLost, stacks, unique } = job;
  return {
    ...{ id, task, queue, createdAt, dueAt, startedAt, finishedAt, worker, workersLost, stacks, unique, log },
    place: placeOf(job),
    data: toData(job),
    options: {},
    priority: job.priority === null ? 0 : 10 - job.priority,
    delayMs: 0,
    attemptsMade: job.attempts,
    attemptsStarted: job.attempts,
    failure: job.error?.message ?? null,
    result: job.result === null ? null : JSON.stringify(job.result),
    progress: job.progress === null ? null : JSON.stringify(job.progress),
    deferredFailure: null,
    schedulerId: null,
    parent: null,
    children: [],
  };
}

const STATES = {
  waiting: 'PENDING',
  active: 'PENDING',
  scheduled: 'SCHEDULED',
  blocked: 'BLOCKED',
  dead: 'FAILURE',
  completed: 'SUCCESS',
} as const;

function fromRecord(record: JobRecord, queue: string): StoredJob {
  const { id, task, createdAt, dueAt, startedAt, finishedAt, worker, workersLost, stacks, unique, failure } = record;
  return createStoredJob({
    ...{ id, task, queue, createdAt, dueAt, startedAt, finishedAt, worker, workersLost, stacks, unique },
    ...fromData(record.data),
    state: STATES[record.place],
    priority: record.priority === 0 ? null : 10 - record.priority,
    attempts: record.attemptsMade,
    error: failure === null ? null : { name: 'Error', message: failure, code: null, stack: null },
    result: record.result === null ? null : JSON.parse(record.result),
  });
}
