import type { IQueueBackend, JobJson, JobType } from 'bullmq';
import type { JobChildren, JobSummary, NewJob, StoredJob } from '../core/job.ts';
import type { JobStanding } from '../core/job-standing.ts';
import { formatMark, type Revocation } from '../core/revocation.ts';
import { announceQueue } from './announcing.ts';
import { attempt } from './attempt.ts';
import type { BulkJobs } from './bulk-port.ts';
import { BullBulk } from './bull-bulk.ts';
import { BullSchedules } from './bull-schedules.ts';
import { FinishWatch, REVOKED_EVENT } from './finish-watch.ts';
import { isEarly, isMarked, toJobBrief } from './job-brief.ts';
import { readJobChildren } from './job-children.ts';
import { toFlowEntry, toJobJson } from './job-json.ts';
import { toJobSummary } from './job-summary.ts';
import type { ActiveStoredJob, BrokerQueue, JobBrief, QueueCounts, QueueStatus } from './port.ts';
import { assertQueueName } from './queue-name.ts';
import { readStanding } from './read-standing.ts';
import type { QueueSchedules } from './schedule-port.ts';
import type { MarkRecord, Store } from './store.ts';
import { toStoredJob } from './stored-job.ts';
import { isTrouble } from './trouble.ts';

/** The field of BullMQ's queue metadata that says whether jobs have priorities. */
const PRIORITIES = 'tq.priorities';
/** A producer that runs for long learns within this time that another one switched priorities on. */
const META_MAX_AGE_MS = 60_000;
const PURGE_BATCH = 1000;
/** What BullMQ keeps of a queue's events by default. */
const MAX_EVENTS = 10_000;

/** `paused` holds what waits in a paused queue: on PostgreSQL, and on Redis what BullMQ 5 left there. */
const WAITING = ['wait', 'paused', 'prioritized'] as JobType[];
const COUNTED: JobType[] = [...WAITING, 'active', 'delayed', 'waiting-children', 'failed', 'completed'];

/** One queue over BullMQ. Reading never writes; the queue's metadata is written by the first job that is added. */
export class BullQueue implements BrokerQueue {
  readonly name: string;
  readonly bulk: BulkJobs;
  readonly schedules: QueueSchedules;
  readonly #store: Store;
  #reader: IQueueBackend | undefined;
  #producing: IQueueBackend | undefined;
  #announcing: Promise<IQueueBackend> | undefined;
  #watch: FinishWatch | undefined;
  #priorities: { on: boolean; readAt: number } | undefined;

  constructor(name: string, store: Store) {
    assertQueueName(name);
    this.name = name;
    this.#store = store;
    this.bulk = new BullBulk(name, store);
    this.schedules = new BullSchedules(name, store);
  }

  async add(job: NewJob): Promise<string> {
    if (job.parent !== undefined) return (await this.addBulk([job]))[0] ?? job.id;
    const json = toJobJson(job, this.#store.prefix);
    return this.#attempt(`sending task "${job.task}" to queue "${this.name}"`, async () => {
      const backend = this.#producing ?? (await this.#produce());
      return await backend.addJob(json, job.id);
    });
  }

  async addBulk(jobs: readonly NewJob[]): Promise<readonly string[]> {
    if (jobs.length === 0) return [];
    const { prefix } = this.#store;
    const hasParents = jobs.some(({ parent }) => parent !== undefined);
    const entries = hasParents ? [] : jobs.map((job) => ({ job: toJobJson(job, prefix), jobId: job.id }));
    const flow = hasParents
      ? jobs.map((job) => toFlowEntry({ queue: this.name, job, hasChildren: false }, prefix))
      : [];
    return this.#attempt(`sending ${jobs.length} jobs to queue "${this.name}"`, async () => {
      const backend = this.#producing ?? (await this.#produce());
      if (hasParents) return await this.#store.addFlow(flow);
      return await backend.addJobs(entries);
    });
  }

  async hasPriorities(fresh = false): Promise<boolean> {
    const now = this.#store.clock.monotonic();
    if (fresh || this.#priorities === undefined || now - this.#priorities.readAt > META_MAX_AGE_MS) {
      const value = await this.#attempt(`reading the settings of queue "${this.name}"`, () =>
        this.#reading().getQueueMetaField(PRIORITIES),
      );
      this.#priorities = { on: value === '1', readAt: now };
    }
    return this.#priorities.on;
  }

  async enablePriorities(): Promise<void> {
    await this.#attempt(`switching on the priorities of queue "${this.name}"`, () =>
      this.#reading().setQueueMeta({ [PRIORITIES]: '1' }),
    );
    this.#priorities = { on: true, readAt: this.#store.clock.monotonic() };
  }

  async readJob(id: string): Promise<StoredJob | undefined> {
    const backend = this.#reading();
    return this.#attempt(`reading job ${id} of queue "${this.name}"`, async () => {
      // The state first: a job that ends in between is then seen with its result and an older state, never the other way.
      const state = await backend.getState(id);
      const json = await backend.getJobData(id);
      if (json === undefined) return undefined;
      const [dueAt = null] = state === 'delayed' ? await this.#store.listDueAt(this.name, [id]) : [];
      const job = toStoredJob({ ...json, id }, this.name, state, dueAt);
      return state === 'completed' && isExpired(job, this.#store.clock.now()) ? undefined : job;
    });
  }

  async readLog(id: string): Promise<string[]> {
    const { logs } = await this.#attempt(`reading the log of job ${id}`, () =>
      this.#reading().getJobLogs(id, 0, -1, true),
    );
    return logs;
  }

  async waitUntilFinished(id: string, timeoutMs?: number): Promise<boolean> {
    this.#watch ??= new FinishWatch(this.name, this.#store);
    const watch = this.#watch;
    const { clock } = this.#store;
    const deadline = timeoutMs === undefined ? undefined : clock.monotonic() + timeoutMs;
    const leftMs = (): number | undefined =>
      deadline === undefined ? undefined : Math.max(0, deadline - clock.monotonic());
    return this.#attempt(`waiting for job ${id}`, () =>
      watch.wait(id, leftMs(), async () => {
        const state = await this.#reading().getState(id);
        if (state === 'completed' || state === 'failed' || state === 'unknown') return true;
        if (state === 'active') return false;
        const [record] = await this.#store.listMarks(this.name, [id]);
        return record != null && isMarked(record);
      }),
    );
  }

  async removeJob(id: string): Promise<boolean> {
    const backend = this.#reading();
    const removed = await this.#attempt(`removing job ${id}`, async () =>
      // BullMQ's Redis backend answers that it removed a job that is not there.
      (await backend.getState(id)) === 'unknown' ? 0 : backend.remove(id, true),
    );
    return removed === 1;
  }

  async readChildren(id: string): Promise<JobChildren> {
    return this.#attempt(`reading the children of job ${id}`, () => readJobChildren(this.#reading(), id));
  }

  async reprocess(id: string, { onlyDead = false }: { readonly onlyDead?: boolean } = {}): Promise<boolean> {
    return this.#attempt(`putting job ${id} back into queue "${this.name}"`, () =>
      this.#store.reprocess(this.name, id, onlyDead ? ['failed'] : ['failed', 'completed']),
    );
  }

  async listBriefs(ids: readonly string[]): Promise<JobBrief[]> {
    if (ids.length === 0) return [];
    const records = await this.#attempt(`reading ${ids.length} jobs of queue "${this.name}"`, () =>
      this.#store.listMarks(this.name, ids),
    );
    return this.#toBriefs(ids, records);
  }

  async listSummaries(ids: readonly string[]): Promise<JobSummary[]> {
    if (ids.length === 0) return [];
    const records = await this.#attempt(`reading ${ids.length} jobs of queue "${this.name}"`, () =>
      this.#store.listSummaries(this.name, ids),
    );
    return records.flatMap((record, index) =>
      record === null ? [] : [toJobSummary(record, { id: ids[index] as string, queue: this.name })],
    );
  }

  async revoke(ids: readonly string[], revocation: Revocation): Promise<JobBrief[]> {
    if (ids.length === 0) return [];
    return await this.#attempt(`revoking ${ids.length} jobs of queue "${this.name}"`, async () => {
      const records = await this.#store.listMarks(this.name, ids, formatMark(revocation));
      const scheduled = ids.filter((_, index) => isEarly(records[index] ?? null));
      // First, so that whoever sees it as revoked can call again.
      await Promise.all(ids.map((id, index) => this.#releaseUnique(id, records[index] ?? null)));
      await Promise.all(scheduled.map((id) => this.#bringForward(id)));
      // Those who wait for a result of this queue look again now, not at their next look.
      if (records.some((record) => record !== null && isMarked(record))) {
        await this.#reading().publishEvent({ event: REVOKED_EVENT, by: 'tq' }, MAX_EVENTS);
      }
      return this.#toBriefs(ids, records);
    });
  }

  /** A job that no worker will run keeps no other call from being stored; that of a running one is held until it has ended. */
  async #releaseUnique(id: string, record: MarkRecord | null): Promise<void> {
    if (record === null || record.deduplicationId === null || !isMarked(record)) return;
    await this.#reading().removeDeduplicationKey(record.deduplicationId, id);
  }

  /** A revoked job waits for nothing: the next worker files it away. It may have left the scheduled ones meanwhile. */
  async #bringForward(id: string): Promise<void> {
    await this.#reading()
      .promote(id)
      .catch((error) => {
        if (isTrouble(error)) throw error;
      });
  }

  #toBriefs(ids: readonly string[], records: readonly (MarkRecord | null)[]): JobBrief[] {
    return records.flatMap((record, index) =>
      record === null ? [] : [toJobBrief(record, { id: ids[index] as string, queue: this.name })],
    );
  }

  async counts(): Promise<QueueCounts> {
    const [wait = 0, paused = 0, prioritized = 0, active = 0, scheduled = 0, blocked = 0, dead = 0, completed = 0] =
      await this.#attempt(`counting the jobs of queue "${this.name}"`, () => this.#reading().getCounts(COUNTED));
    return { waiting: wait + paused + prioritized, active, scheduled, blocked, dead, completed };
  }

  async hasWork(now: number): Promise<boolean> {
    const counts = await this.#attempt(`counting the jobs of queue "${this.name}"`, () =>
      this.#reading().getCounts([...WAITING, 'delayed'], now + 1),
    );
    return counts.some((count) => count > 0);
  }

  async isHeldBack(): Promise<boolean> {
    const backend = this.#reading();
    const [isPaused, isMaxed, limitMs] = await this.#attempt(`reading queue "${this.name}"`, () =>
      Promise.all([backend.hasQueueMetaField('paused'), backend.isMaxed(), backend.getRateLimitTtl()]),
    );
    return isPaused || isMaxed || limitMs > 0;
  }

  async status(now: number): Promise<QueueStatus> {
    const backend = this.#reading();
    const [counts, paused, clients, oldestAt] = await this.#attempt(`reading queue "${this.name}"`, () =>
      Promise.all([
        this.counts(),
        backend.hasQueueMetaField('paused'),
        backend.getClientList(),
        this.#store.readOldestWaitingAt(this.name),
      ]),
    );
    return {
      queue: this.name,
      ...counts,
      paused,
      consumers: countConsumers(clients, backend.clientName()),
      oldestWaitingMs: oldestAt === null ? null : Math.max(0, now - oldestAt),
    };
  }

  async readStanding(id: string, now: number): Promise<JobStanding> {
    const status = await this.status(now);
    return this.#attempt(`reading how job ${id} stands in queue "${this.name}"`, () =>
      readStanding({ backend: this.#reading(), store: this.#store, status }, id),
    );
  }

  async listScheduled(offset: number, limit: number): Promise<StoredJob[]> {
    const backend = this.#reading();
    return this.#attempt(`listing the scheduled jobs of queue "${this.name}"`, async () => {
      const [ids = []] = await backend.getRanges(['delayed'], offset, offset + limit - 1, true);
      const [records, dueAts] = await Promise.all([
        Promise.all(ids.map((id) => backend.getJobData(id))),
        this.#store.listDueAt(this.name, ids),
      ]);
      return records.flatMap((json: JobJson | undefined, index) =>
        json === undefined
          ? []
          : [toStoredJob({ ...json, id: ids[index] as string }, this.name, 'delayed', dueAts[index])],
      );
    });
  }

  async listActive(offset: number, limit: number): Promise<ActiveStoredJob[]> {
    const backend = this.#reading();
    return this.#attempt(`listing the active jobs of queue "${this.name}"`, async () => {
      // Of a list, BullMQ's backends give the right range with its last one first; its own getters turn it round too.
      const [range = []] = await backend.getRanges(['active'], offset, offset + limit - 1, true);
      const ids = range.toReversed();
      const [records, lockLeftMs] = await Promise.all([
        Promise.all(ids.map((id) => backend.getJobData(id))),
        this.#store.listLockLeftMs(this.name, ids),
      ]);
      return records.flatMap((json: JobJson | undefined, index) =>
        json === undefined
          ? []
          : [
              {
                ...toStoredJob({ ...json, id: ids[index] as string }, this.name, 'active'),
                lockLeftMs: lockLeftMs[index] ?? null,
              },
            ],
      );
    });
  }

  async purge(onProgress?: (removed: number) => void): Promise<number> {
    const backend = this.#reading();
    // Jobs that are added while the purge runs are younger than this and stay.
    const now = this.#store.clock.now();
    let removed = 0;
    await this.#attempt(`purging queue "${this.name}"`, async () => {
      for (const state of ['wait', 'paused', 'prioritized', 'delayed']) {
        for (;;) {
          const ids = await backend.cleanJobsByState(state, now, PURGE_BATCH);
          removed += ids.length;
          if (ids.length > 0) onProgress?.(removed);
          if (ids.length < PURGE_BATCH) break;
        }
      }
    });
    return removed;
  }

  async pause(): Promise<void> {
    await this.#attempt(`pausing queue "${this.name}"`, () => this.#reading().pause(true));
  }

  async resume(): Promise<void> {
    await this.#attempt(`resuming queue "${this.name}"`, () => this.#reading().pause(false));
  }

  async promoteToHead(ids: readonly string[]): Promise<string[]> {
    if (ids.length === 0) return [];
    return await this.#attempt(`letting go ${ids.length} jobs of queue "${this.name}"`, () =>
      this.#store.promoteToHead(this.name, ids),
    );
  }

  async close(): Promise<void> {
    await this.#watch?.close();
  }

  #attempt<Result>(doing: string, operation: () => Promise<Result>): Promise<Result> {
    return attempt(this.#store, doing, operation);
  }

  #reading(): IQueueBackend {
    this.#reader ??= this.#store.queueBackend(this.name);
    return this.#reader;
  }

  /** Lets a job go that was held until its flow is whole. It may be gone, or somebody else has done it. */
  async letGo(id: string, dueAt: number | undefined): Promise<void> {
    const backend = this.#reading();
    const delayMs = dueAt === undefined ? 0 : dueAt - this.#store.clock.now();
    await this.#attempt(`letting go job ${id}`, async () => {
      const letting = delayMs > 0 ? backend.changeDelay(id, delayMs) : backend.promote(id);
      await letting.catch((error) => {
        if (isTrouble(error)) throw error;
      });
    });
  }

  /** Makes the queue known to others before jobs are added to it otherwise than by its own `add`. */
  async announce(): Promise<void> {
    if (this.#producing === undefined) await this.#produce();
  }

  /** The first job of this process announces the queue: its metadata is how others find it. Calls that come together announce once. */
  #produce(): Promise<IQueueBackend> {
    this.#announcing ??= this.#announce().finally(() => {
      this.#announcing = undefined;
    });
    return this.#announcing;
  }

  async #announce(): Promise<IQueueBackend> {
    const backend = this.#reading();
    await announceQueue(this.name, this.#store, backend);
    this.#producing = backend;
    return backend;
  }
}

/**
 * BullMQ removes completed jobs of a queue by one age for all. A result that was to be kept for a shorter time is still
 * there then, but not for a reader. Dead letters do not expire.
 */
function isExpired({ finishedAt, meta }: StoredJob, now: number): boolean {
  if (finishedAt === null || meta.resultExpiresMs === undefined) return false;
  return finishedAt + meta.resultExpiresMs <= now;
}

/** BullMQ's consumers name their connection after their queue; a worker's own name follows after `:w:`. */
function countConsumers(clientLists: readonly string[], clientName: string): number {
  return clientLists
    .flatMap((list) => list.split('\n'))
    .map((line) => /(?:^|\s)name=(.*?)(?:\s[a-z-]+=|$)/.exec(line)?.[1] ?? '')
    .filter((name) => name === clientName || name.startsWith(`${clientName}:w:`)).length;
}
