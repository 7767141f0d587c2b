import type { JobSummary, StoredJob } from '../core/job.ts';
import type { JobRecord } from '../core/job-record.ts';
import { EXACT_NUMBERS } from '../core/query/query-path.ts';
import { announceQueue } from './announcing.ts';
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
import { readExactNumbers } from './exact-numbers.ts';
import { toJobSummary } from './job-summary.ts';
import type { Store, WholeRecord } from './store.ts';
import { toStoredJob } from './stored-job.ts';

/** Bytes of data and results that are read at once. */
const MAX_BYTES = 4 * 1024 * 1024;
/** What is read at once and dropped before the next is read dies young: with 500 at once twice the memory and twice the time were measured. */
const WHOLE_AT_ONCE = 50;
const SUMMARIES_AT_ONCE = 100;

/** What BullMQ calls the state of the jobs of a place. */
const STATES: Readonly<Record<ScanPlace, readonly string[]>> = {
  waiting: ['waiting', 'wait', 'paused', 'prioritized'],
  active: ['active'],
  scheduled: ['delayed'],
  blocked: ['waiting-children'],
  dead: ['failed'],
  completed: ['completed'],
};

/** Many jobs of one queue over BullMQ and its store. */
export class BullBulk implements BulkJobs {
  readonly #queue: string;
  readonly #store: Store;

  /** Queues that this process has made known to others. */
  readonly #announced = new Set<string>();

  constructor(queue: string, store: Store) {
    this.#queue = queue;
    this.#store = store;
  }

  /** Its pages are smaller where jobs are large, so that the memory that they take has a bound too. */
  async *scan(scan: JobScan): AsyncIterable<readonly StoredJob[]> {
    for await (const { ids, place } of this.#scanIds(scan)) {
      for await (const records of this.#readWhole(ids)) {
        const jobs = records.flatMap((record) => (isAt(record, place) ? [this.#toJob(record)] : []));
        if (jobs.length > 0) yield jobs;
      }
    }
  }

  async *scanSummaries(scan: JobScan): AsyncIterable<readonly JobSummary[]> {
    for await (const { ids, place } of this.#scanIds(scan)) {
      for (let at = 0; at < ids.length; at += SUMMARIES_AT_ONCE) {
        const page = ids.slice(at, at + SUMMARIES_AT_ONCE);
        const records = await this.#attempt('reading', () => this.#store.listSummaries(this.#queue, page));
        const jobs = records.flatMap((record, index) =>
          isAt(record, place) ? [toJobSummary(record, { id: page[index] as string, queue: this.#queue })] : [],
        );
        if (jobs.length > 0) yield jobs;
      }
    }
  }

  async *scanIds(scan: JobScan): AsyncIterable<readonly string[]> {
    for await (const { ids } of this.#scanIds(scan)) yield ids;
  }

  async readJobs(ids: readonly string[]): Promise<StoredJob[]> {
    const jobs: StoredJob[] = [];
    for await (const records of this.#readWhole(ids)) {
      for (const record of records) if (record !== null) jobs.push(this.#toJob(record));
    }
    return jobs;
  }

  async *#readWhole(ids: readonly string[]): AsyncIterable<readonly (WholeRecord | null)[]> {
    for (let at = 0; at < ids.length; ) {
      const records = await this.#attempt('reading', () =>
        this.#store.readWhole(this.#queue, ids.slice(at, at + WHOLE_AT_ONCE), MAX_BYTES),
      );
      at += records.length;
      yield records;
    }
  }

  async *#scanIds(scan: JobScan): AsyncIterable<{ readonly ids: readonly string[]; readonly place: ScanPlace }> {
    const { places, from = 'first', filter } = scan;
    const limit = Math.min(scan.pageSize ?? BULK_PAGE, BULK_PAGE);
    for (const place of places) {
      let after: unknown;
      do {
        const page = await this.#attempt('listing', () =>
          this.#store.scanIds(this.#queue, { place, from, limit, after, filter }),
        );
        after = page.next;
        for (let at = 0; at < page.ids.length; at += limit) yield { ids: page.ids.slice(at, at + limit), place };
      } while (after !== undefined);
    }
  }

  #toJob({ json, state, dueAt }: WholeRecord): StoredJob {
    const numbers = readExactNumbers(json.data);
    const job = toStoredJob(json, this.#queue, state, dueAt);
    return numbers === undefined ? job : { ...job, [EXACT_NUMBERS]: numbers };
  }

  readRecords(ids: readonly string[]): Promise<JobRecord[]> {
    return this.#attempt('reading', () => this.#store.bulk.readRecords(this.#queue, ids));
  }

  restore(records: readonly JobRecord[]): Promise<Restored[]> {
    return this.#attempt('putting back', async () => {
      await this.#announce(this.#queue);
      return await this.#store.bulk.restore(this.#queue, records);
    });
  }

  remove(ids: readonly string[], from: readonly ScanPlace[]): Promise<string[]> {
    return this.#attempt('removing', () => this.#store.bulk.remove(this.#queue, ids, from));
  }

  move(ids: readonly string[], target: string, from: readonly ScanPlace[]): Promise<string[]> {
    return this.#attempt('moving', async () => {
      await this.#announce(target);
      return await this.#store.bulk.move(this.#queue, ids, target, from);
    });
  }

  rewrite(changes: readonly JobChange[]): Promise<string[]> {
    return this.#attempt('changing', () => this.#store.bulk.rewrite(this.#queue, changes));
  }

  reprocess(jobs: readonly DeadJob[]): Promise<string[]> {
    return this.#attempt('reprocessing', () => this.#store.bulk.reprocess(this.#queue, jobs));
  }

  promote(ids: readonly string[]): Promise<string[]> {
    return this.#attempt('promoting', () => this.#store.bulk.promote(this.#queue, ids));
  }

  async #announce(queue: string): Promise<void> {
    if (this.#announced.has(queue)) return;
    await announceQueue(queue, this.#store, this.#store.queueBackend(queue));
    this.#announced.add(queue);
  }

  #attempt<Result>(doing: string, operation: () => Promise<Result>): Promise<Result> {
    return attempt(this.#store, `${doing} jobs of queue "${this.#queue}"`, operation);
  }
}

/** A job that has left its place since its id was read is not met there any more. */
function isAt<Kind extends { readonly state: string }>(record: Kind | null, place: ScanPlace): record is Kind {
  return record !== null && STATES[place].includes(record.state);
}
