import type { IQueueBackend, JobType } from 'bullmq';
import type { JobSummary, StoredJob } from '../core/job.ts';
import type { JobRecord } from '../core/job-record.ts';
import { attempt } from './attempt.ts';
import {
  BULK_PAGE,
  type BulkJobs,
  type DeadJob,
  type JobChange,
  type JobScan,
  type Restored,
  type ScanPlace,
} from './bulk-port.ts';
import type { BrokerQueue } from './port.ts';
import type { Store } from './store.ts';

/** Where BullMQ keeps the jobs of a place. */
const SETS: Readonly<Record<ScanPlace, readonly string[]>> = {
  waiting: ['wait', 'paused', 'prioritized'],
  active: ['active'],
  scheduled: ['delayed'],
  blocked: ['waiting-children'],
  dead: ['failed'],
  completed: ['completed'],
};

type Reading = Pick<BrokerQueue, 'name' | 'readJob' | 'listSummaries'>;

/** Many jobs of one queue over BullMQ and its store. */
export class BullBulk implements BulkJobs {
  readonly #queue: Reading;
  readonly #store: Store;
  readonly #backend: () => IQueueBackend;

  constructor(queue: Reading, store: Store, backend: () => IQueueBackend) {
    this.#queue = queue;
    this.#store = store;
    this.#backend = backend;
  }

  async *scan(scan: JobScan): AsyncIterable<readonly StoredJob[]> {
    for await (const ids of this.#scanIds(scan)) {
      const jobs = await Promise.all(ids.map((id) => this.#queue.readJob(id)));
      yield jobs.filter((job) => job !== undefined);
    }
  }

  async *scanSummaries(scan: JobScan): AsyncIterable<readonly JobSummary[]> {
    for await (const ids of this.#scanIds(scan)) yield await this.#queue.listSummaries(ids);
  }

  async *#scanIds({ places, from = 'first', pageSize = BULK_PAGE }: JobScan): AsyncIterable<readonly string[]> {
    for (const set of places.flatMap((place) => SETS[place])) {
      let offset = 0;
      let seen = new Set<string>();
      for (;;) {
        const [ids = []] = await this.#attempt('listing', () =>
          this.#backend().getRanges([set as JobType], offset, offset + 2 * pageSize - 1, from === 'first'),
        );
        const fresh = ids.filter((id) => !seen.has(id)).slice(0, pageSize);
        if (fresh.length === 0) break;
        offset += ids.findIndex((id) => id === fresh[0]);
        seen = new Set(fresh);
        yield fresh;
      }
    }
  }

  readRecords(ids: readonly string[]): Promise<JobRecord[]> {
    return this.#attempt('reading', () => this.#store.bulk.readRecords(this.#queue.name, ids));
  }

  restore(records: readonly JobRecord[]): Promise<Restored[]> {
    return this.#attempt('putting back', () => this.#store.bulk.restore(this.#queue.name, records));
  }

  remove(ids: readonly string[], from: readonly ScanPlace[]): Promise<string[]> {
    return this.#attempt('removing', () => this.#store.bulk.remove(this.#queue.name, ids, from));
  }

  move(ids: readonly string[], target: string, from: readonly ScanPlace[]): Promise<string[]> {
    return this.#attempt('moving', () => this.#store.bulk.move(this.#queue.name, ids, target, from));
  }

  rewrite(changes: readonly JobChange[]): Promise<string[]> {
    return this.#attempt('changing', () => this.#store.bulk.rewrite(this.#queue.name, changes));
  }

  reprocess(jobs: readonly DeadJob[]): Promise<string[]> {
    return this.#attempt('reprocessing', () => this.#store.bulk.reprocess(this.#queue.name, jobs));
  }

  promote(ids: readonly string[]): Promise<string[]> {
    return this.#attempt('promoting', () => this.#store.bulk.promote(this.#queue.name, ids));
  }

  #attempt<Result>(doing: string, operation: () => Promise<Result>): Promise<Result> {
    return attempt(this.#store, `${doing} jobs of queue "${this.#queue.name}"`, operation);
  }
}
