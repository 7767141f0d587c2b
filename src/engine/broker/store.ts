import type { BackendFactory, IQueueBackend, IRelayBackend, JobJson, RelayBackendOptions } from 'bullmq';
import type { Clock } from '../core/clock.ts';
import type { ScanPlace } from './bulk-port.ts';
import type { BulkStore } from './bulk-store.ts';
import type { BrokerCheckup } from './checkup-port.ts';
import type { EventLogReader } from './events/event-log.ts';
import type { FlowEntry } from './flow-entry.ts';
import type { JobFilter } from './job-filter.ts';
import type { Migration } from './port.ts';
import type { ScheduleStore } from './schedule-store.ts';
import type { StateStore } from './state-port.ts';

/**
 * What differs between the stores below BullMQ. `BullBroker` builds the port from it; one folder a store.
 */
export interface Store extends StoreOptions {
  readonly kind: 'redis' | 'postgres' | 'sqlite';
  /** Masked. */
  readonly url: string;
  /** BullMQ's key prefix; empty where the store has none. */
  readonly prefix: string;
  /** A backend for one queue over the store's shared connection: to add and to read. Closing it closes nothing. */
  queueBackend(queue: string): IQueueBackend;
  /** Makes a consumer's backend, with a connection of its own to wait on. */
  readonly workerBackend: BackendFactory<IQueueBackend, unknown>;
  /** Fails what consumers still ask of a store that is away, where the driver would hold it back until it returns. */
  abandonConsumers(): void;
  /** Makes the backend of an event reader, with a connection of its own. */
  readonly eventsBackend: BackendFactory<IQueueBackend, unknown>;
  /**
   * Reads the event logs of all queues; connects with the first use.
   *
   * @param since an instant to begin at, epoch ms; without it, after what the logs hold now
   */
  openEventLog(since: number | undefined): EventLogReader;
  /**
   * Makes the backend of a node of BullMQ's relay, with a connection of its own to wait on. What it asks of a store that is
   * away fails; closing it ends what is its own.
   */
  relayBackend(options: RelayBackendOptions<unknown>): IRelayBackend;
  /** What made an operation fail, where the driver's own error says only that it gave up. */
  faultBehind(error: unknown): unknown;
  /** Resolves once the store answers; throws a TqError when it does not, or cannot be used. */
  connect(doing: string): Promise<void>;
  listQueues(): Promise<string[]>;
  /** When jobs of the delayed set are due, epoch ms, in the order of the ids; null for an id that is not in it. */
  listDueAt(queue: string, ids: readonly string[]): Promise<(number | null)[]>;
  /** How long the locks of active jobs still run, in ms, in the order of the ids; null for a job without one. */
  listLockLeftMs(queue: string, ids: readonly string[]): Promise<(number | null)[]>;
  /**
   * Reads jobs without their data, in the order of the ids; null for one that is not there.
   *
   * @param mark is put on those that have not finished and bear no mark of that kind, where BullMQ keeps the failure that a
   *   job is to fail with when it is taken up. What is read is what is so after that: a job that is not active then goes to
   *   its worker with the mark. Without it nothing is changed.
   */
  listMarks(queue: string, ids: readonly string[], mark?: string): Promise<(MarkRecord | null)[]>;
  /** Reads jobs without their data and results, in the order of the ids; null for one that is not there. */
  listSummaries(queue: string, ids: readonly string[]): Promise<(SummaryRecord | null)[]>;
  /** Waiting jobs that are taken before this one, at most `limit`; null for a job that does not wait. */
  countBefore(queue: string, id: string, limit: number): Promise<number | null>;
  /** Ids of the jobs of a place, a page at a time, with the promises of `BulkJobs.scan`. */
  scanIds(queue: string, scan: IdScan): Promise<ScannedIds>;
  /**
   * Reads whole jobs, in the order of the ids; null for one that is not there.
   *
   * @returns as many of them, from the first on, as hold `maxBytes` of data and results, at least one
   */
  readWhole(queue: string, ids: readonly string[], maxBytes: number): Promise<(WholeRecord | null)[]>;
  /** When the waiting job that was added first was added, epoch ms. */
  readOldestWaitingAt(queue: string): Promise<number | null>;
  /** Makes a job that was just handed back the first of its queue, where BullMQ put it at the end. */
  moveToHead(queue: string, id: string): Promise<void>;
  /**
   * Makes delayed jobs the first of their queue, those with a priority the first of it, in this order and at once.
   *
   * @returns which of them were delayed
   */
  promoteToHead(queue: string, ids: readonly string[]): Promise<string[]>;
  /**
   * Adds jobs that may be children of each other, parents first: all or none. A child that exists already and has ended is no child
   * that its parent waits for.
   *
   * @returns for each its id, or that of the job that holds its unique key
   * @throws PARENT_MISSING
   */
  addFlow(entries: readonly FlowEntry[]): Promise<string[]>;
  /** Puts a finished job back into its queue, as if it had never run. @returns false when it is not there, or has not finished */
  reprocess(queue: string, id: string, from: readonly ('failed' | 'completed')[]): Promise<boolean>;
  /** Many jobs in one call. */
  readonly bulk: BulkStore;
  readonly schedules: ScheduleStore;
  readonly checkup: BrokerCheckup;
  /** What workers and operators share beside jobs. */
  readonly state: StateStore;
  migrate(): Promise<Migration>;
  describe(): Promise<string>;
  close(): Promise<void>;
}

export interface IdScan {
  readonly place: ScanPlace;
  readonly from: 'first' | 'last';
  readonly limit: number;
  /** The `next` of the page before; undefined begins. */
  readonly after: unknown;
  /** What the store may leave out. */
  readonly filter: JobFilter | undefined;
}

export interface ScannedIds {
  /** May be fewer than the limit, and none, before the end. */
  readonly ids: readonly string[];
  /** Where the next page begins, as only the store understands it; undefined at the end. */
  readonly next: unknown;
}

/** A job as BullMQ has it, as far as tq has words for it. */
export interface WholeRecord {
  readonly json: JobJson;
  /** Every kind of waiting is `waiting` or one of `wait`, `prioritized` and `paused`. */
  readonly state: string;
  /** Of a delayed job, epoch ms. */
  readonly dueAt: number | null;
}

/** A job as `listMarks` reads it. */
export interface MarkRecord {
  readonly name: string;
  /** As BullMQ calls it; every kind of waiting is `waiting`. */
  readonly state: string;
  readonly attemptsMade: number;
  readonly processedBy: string | null;
  readonly deferredFailure: string | null;
  /** Of the job scheduler that made it. */
  readonly schedulerId: string | null;
  /** The unique key that it was added with; another job may hold it by now. */
  readonly deduplicationId: string | null;
}

/** A job as `listSummaries` reads it, in BullMQ's words. */
export interface SummaryRecord {
  /** Every kind of waiting is `waiting`. */
  readonly state: string;
  /** Of a delayed job, epoch ms. */
  readonly dueAt: number | null;
  readonly name: string;
  readonly timestamp: number;
  readonly attemptsMade: number;
  readonly processedOn?: number;
  readonly finishedOn?: number;
  readonly processedBy?: string;
  readonly deferredFailure?: string;
  readonly failedReason?: string;
  /** The begin of the last stack, and of its frames. */
  readonly stackHead?: string;
  readonly progress: unknown;
  /** The return value, if it says in which other way than by a result the job has ended. */
  readonly returnvalue?: string;
}

export interface StoreOptions {
  readonly clock: Clock;
  /** How long one operation of a producer may wait for a lost store, in milliseconds. */
  readonly patienceMs: number;
}
