/**
 * What the engine needs of a store, in tq's words. `open(url)` gives one; nothing above `broker/` sees BullMQ.
 *
 * Every store keeps the same promises, and one contract table (`test/engine/broker/contract.ts`) runs against each:
 *
 * 1. `add` and `addBulk` return once the jobs are stored; an id that is stored already is left as it is. A job whose unique key
 *    is held is not stored, and the id of the holder is given in place of its own.
 * 2. A job that a consumer took is nobody else's until its lock runs out; the lock is renewed while it runs.
 * 3. An outcome is stored before the next job is started in its slot. If storing fails because the broker is away, it is
 *    tried again until it works or the lock is lost; a lost lock means that another worker has the job, and the outcome is
 *    dropped: running twice is better than never.
 * 4. `released`, `postponed`, `held`, `blocked` and `lost` charge no attempt. `lost` adds to `workersLost`, as a lock that ran out does.
 * 5. Nothing throws a store's own error: what a person can meet is a TqError of the catalogue.
 */

import type { Meta } from '../core/envelope.ts';
import type { JobChildren, JobSummary, NewJob, Outcome, StoredJob } from '../core/job.ts';
import type { JobStanding } from '../core/job-standing.ts';
import type { Revocation } from '../core/revocation.ts';
import type { WorkflowGraph } from '../core/workflow/graph.ts';
import type { BulkJobs } from './bulk-port.ts';
import type { BrokerCheckup } from './checkup-port.ts';
import type { ControlBus } from './control-port.ts';
import type { JobEvents } from './event-port.ts';
import type { QueueSchedules } from './schedule-port.ts';
import type { StateStore } from './state-port.ts';

export interface Broker {
  readonly kind: 'redis' | 'postgres' | 'sqlite';
  /** The URL with its password masked: fit for a screen or a log. */
  readonly url: string;
  queue(name: string): BrokerQueue;
  /**
   * Adds the jobs of a flow. Parents come before their children; a job with children here waits for them. A job that is stored
   * already is left as it is, but becomes the child of its parent, and if it has ended it counts as that. So a flow can be added
   * again.
   *
   * Up to 500 jobs come in one transaction, all or none. (Redis cannot undo: where a parent is removed in the very moment,
   * jobs that do not hang on it are added.) More come in several, in which no parent is let go before all of its children are in;
   * when it fails in the middle, what was added stays, and the same call adds the rest.
   *
   * @throws PARENT_MISSING when a parent that is not among them is not stored
   */
  addFlow(jobs: readonly FlowJob[]): Promise<void>;
  /** Every queue that the store holds, sorted, whoever made it. */
  listQueues(): Promise<string[]>;
  /** Starts taking jobs; `consumer.run()` begins. */
  createConsumer(options: ConsumerOptions): Consumer;
  /** What workers and operators share beside jobs: names, leases, records. */
  readonly state: StateStore;
  /** How workers are asked what they do, and told what to do. */
  readonly control: ControlBus;
  /** What happens to the jobs of all queues. */
  readonly events: JobEvents;
  /** What in the store can harm its jobs. */
  readonly checkup: BrokerCheckup;
  /** Creates or upgrades the schema of the store. Redis has none: `applied` is then empty. */
  migrate(): Promise<Migration>;
  /** What the store is, for banners and reports: `Redis 7.0.15`, `PostgreSQL 18.4`, `SQLite 3.53`. */
  describe(): Promise<string>;
  close(): Promise<void>;
}

export interface FlowJob {
  readonly queue: string;
  readonly job: NewJob;
  /** It has children among the jobs of the flow. */
  readonly hasChildren: boolean;
}

export interface Migration {
  /** Schema version before, null when there was none or the store has no schema. */
  readonly from: number | null;
  readonly to: number | null;
}

export interface QueueCounts {
  readonly waiting: number;
  readonly active: number;
  readonly scheduled: number;
  readonly blocked: number;
  readonly dead: number;
  readonly completed: number;
}

export interface QueueStatus extends QueueCounts {
  readonly queue: string;
  readonly paused: boolean;
  /** Workers that are connected to this queue now, of any BullMQ client. */
  readonly consumers: number;
  /** Age of the waiting job that was added first, in milliseconds; null when none waits. */
  readonly oldestWaitingMs: number | null;
}

export interface BrokerQueue {
  readonly name: string;
  /** Many of its jobs at once. */
  readonly bulk: BulkJobs;
  /** What fires into it. */
  readonly schedules: QueueSchedules;
  /** @returns its id, or that of the job that holds its unique key */
  add(job: NewJob): Promise<string>;
  /** One round trip for the whole batch. @returns as `add`, in the order of the jobs */
  addBulk(jobs: readonly NewJob[]): Promise<readonly string[]>;
  /** @param fresh reads the store again instead of trusting what was read within the last minute */
  hasPriorities(fresh?: boolean): Promise<boolean>;
  /** Switches priorities on for every producer of this queue. Cannot be undone while jobs wait. */
  enablePriorities(): Promise<void>;
  readJob(id: string): Promise<StoredJob | undefined>;
  /** The rows that workers and tasks wrote to a job's log, oldest first. */
  readLog(id: string): Promise<string[]>;
  /**
   * Resolves true once the job has finished, false after `timeoutMs`. Waits on the store's events, one connection a queue,
   * and looks every few seconds in case an event was lost.
   */
  waitUntilFinished(id: string, timeoutMs?: number): Promise<boolean>;
  removeJob(id: string): Promise<boolean>;
  /** What the children of a job have come to; nothing for a job without any. */
  readChildren(id: string): Promise<JobChildren>;
  /**
   * Puts a job that has finished back into its queue, as if it had never run: its attempts, lost workers and revocation are
   * forgotten; it does not take its unique key again. If it is the child of a job, that one counts it as pending again.
   *
   * @param options.onlyDead leaves alone what is no dead letter when it comes to it: a job that was looked at before may have run meanwhile
   * @returns false for a job that has not finished, or is not there
   */
  reprocess(id: string, options?: { readonly onlyDead?: boolean }): Promise<boolean>;
  /** What these jobs are, without their data, in one round trip; ids that the queue does not hold are left out. */
  listBriefs(ids: readonly string[]): Promise<JobBrief[]>;
  /** What these jobs have come to, without arguments and results, in one round trip; ids that the queue does not hold are left out. */
  listSummaries(ids: readonly string[]): Promise<JobSummary[]>;
  /**
   * Marks those of the jobs that have not finished as revoked, and gives what they are after that. A job that is not active
   * then is never run; one that is active is not run again. An earlier mark stays. Finished jobs are not changed.
   * A scheduled one is given to the next worker, which files it away, unless it is that of a schedule entry.
   */
  revoke(ids: readonly string[], revocation: Revocation): Promise<JobBrief[]>;
  counts(): Promise<QueueCounts>;
  /** Whether a job waits, or is scheduled for an instant that has passed. */
  hasWork(now: number): Promise<boolean>;
  /** Whether it gives no job to any worker now though some may wait: it is paused, at its own concurrency or over its rate. */
  isHeldBack(): Promise<boolean>;
  status(now: number): Promise<QueueStatus>;
  /** How a job stands in it, and what decides when it is taken. */
  readStanding(id: string, now: number): Promise<JobStanding>;
  /** Jobs that wait for their time, the next due first. */
  listScheduled(offset: number, limit: number): Promise<StoredJob[]>;
  /** Jobs that a worker has taken and not given back, whether it lives or not; the first taken first. */
  listActive(offset: number, limit: number): Promise<ActiveStoredJob[]>;
  /**
   * Removes jobs that wait or are scheduled, in batches; jobs of a schedule entry and running jobs stay.
   * @returns how many were removed
   */
  purge(onProgress?: (removed: number) => void): Promise<number>;
  /** No consumer takes jobs of this queue until it is resumed; jobs can be added. BullMQ's own pause. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /**
   * Makes scheduled jobs the first of the queue, those with a priority the first of it, in this order and at once.
   *
   * @returns which of them were scheduled; the others stay as they are
   */
  promoteToHead(ids: readonly string[]): Promise<string[]>;
}

/** Where a job is, and whether it may go on. */
export interface JobBrief {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly phase: 'waiting' | 'scheduled' | 'blocked' | 'active' | 'finished';
  /** Attempts that ended. */
  readonly attempts: number;
  /** Name of the worker that took it last. */
  readonly worker: string | null;
  /** Of a job that has not finished. */
  readonly revoked: Revocation | undefined;
}

/** A job that a worker has taken, as the store has it. */
export interface ActiveStoredJob extends StoredJob {
  /**
   * How long its lock still runs, in milliseconds; its worker renews it for as long as it lives. Null when it has none: its
   * worker is gone, and another one may take the job up.
   */
  readonly lockLeftMs: number | null;
}

export type QueueOrder = 'strict' | 'weighted' | 'fair';

export interface ConsumedQueue {
  readonly name: string;
  /** Share of the slots under the order `weighted`. */
  readonly weight: number;
}

export interface ConsumerOptions {
  readonly queues: readonly ConsumedQueue[];
  readonly order: QueueOrder;
  /** Slots, shared by all queues. */
  readonly concurrency: number;
  readonly workerName: string;
  /** An event loop that is blocked for less than this loses no lock; a dead worker's job runs elsewhere within twice this. */
  readonly lockDurationMs: number;
  /** How often a job is taken up again after its worker was lost, before it becomes a dead letter. */
  readonly maxWorkerLost: number;
  /** Seconds that results are kept when neither call nor task says it; false keeps nothing. */
  readonly keepResultSeconds: number;
  /** Runs one job; must not reject. */
  readonly perform: (job: TakenJob) => Promise<Outcome>;
  /** The broker's troubles while running: a lost connection (said once), locks that could not be renewed, a lost job. */
  readonly onTrouble: (error: Error, queue: string) => void;
  /** The broker answers again. */
  readonly onRecovered: (downMs: number) => void;
  /** A job that `perform` was given is a dead letter: said once that outcome is stored. */
  readonly onDead?: ((job: TakenJob) => void) | undefined;
  /** A queue had no job when the consumer looked, or the last held job has ended. Says when to look, not what is there. */
  readonly onIdle: () => void;
}

/** A job that this consumer holds the lock of. */
export interface TakenJob extends Omit<StoredJob, 'failures'> {
  /** Set before it runs when it is the body of a chord: the values of the members come first. */
  args: readonly unknown[];
  /** How often it was taken, this time included; more than `attempts` when it was handed back, put back or lost. */
  readonly timesTaken: number;
  /** It was a dead letter, and went back to work since. */
  readonly isPutBack: boolean;
  /** Set also when its worker hears of it later. */
  revoked?: Revocation | undefined;
  /** It keeps no result: its call said so, or `dropResult` did. */
  readonly dropsResult: boolean;
  /** Replaces how long the result is kept, for this job. */
  dropResult(): void;
  /**
   * The function of the task is about to begin: a unique key that is held until then is given back. Patient, and rejects only when the
   * consumer gives up.
   */
  noteStart(): Promise<void> | undefined;
  updateProgress(progress: unknown): Promise<void>;
  /** Replaces what the stored call carries beside its arguments. */
  updateMeta(meta: Meta): Promise<void>;
  /** Adds a member to the group around it while it runs; set by its worker for a job of a workflow. */
  addMember?: (graph: WorkflowGraph) => Promise<void>;
  /** Adds a row to the job's log. */
  log(row: string): Promise<void>;
  readLog(): Promise<string[]>;
}

export interface Consumer {
  /** Begins to take jobs; resolves when every queue is connected. */
  run(): Promise<void>;
  /**
   * Stops taking jobs, waits until the outcome of every held job is stored, and ends the connections. A job that is taken
   * meanwhile (its wake-up was under way) still goes through `perform`, which should answer `released`.
   */
  stop(): Promise<void>;
  /** Changes the number of slots, at least one. With fewer than jobs that run, none is started until enough have ended. */
  resize(concurrency: number): void;
  /**
   * Serves a further queue, last in the order; resolves when it is connected. One that is served already stays as it is.
   *
   * @throws BROKER_UNAVAILABLE; it is not served then
   */
  addQueue(queue: ConsumedQueue): Promise<void>;
  /**
   * Takes no more jobs of a queue, and hands back what it had reserved; resolves when those that run have ended. The last
   * queue may go too: then none is served until one is added.
   */
  removeQueue(name: string): Promise<void>;
  /** Jobs that this consumer holds now, running or reserved, until their outcome is stored. */
  readonly held: number;
}
