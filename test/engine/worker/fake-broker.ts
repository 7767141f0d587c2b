import type { BulkJobs } from '../../../src/engine/broker/bulk-port.ts';
import type { ControlBus } from '../../../src/engine/broker/control-port.ts';
import type {
  ActiveStoredJob,
  Broker,
  BrokerQueue,
  ConsumedQueue,
  Consumer,
  ConsumerOptions,
  FlowJob,
  Migration,
  QueueCounts,
  QueueStatus,
} from '../../../src/engine/broker/port.ts';
import type { JobChildren, NewJob, Outcome, StoredJob } from '../../../src/engine/core/job.ts';
import { FakeSchedules } from '../broker/fake-schedules.ts';
import { createFakeState } from '../broker/fake-state.ts';
import { FakeJob } from './fake-job.ts';

/** The operations that a test can make fail, with the error that they then throw. */
export interface Failures {
  run?: Error;
  stop?: Error;
  counts?: Error;
  addQueue?: Error;
  add?: Error;
}

/**
 * A broker in memory, for what the engine does with one. It keeps no promise of the port that needs time: no locks, no
 * expiry, and a job that is to be retried waits until the test feeds it again. The real brokers have their own contract.
 */
export class FakeBroker implements Broker {
  readonly kind = 'redis';
  readonly url = 'fake://';
  readonly consumers: FakeConsumer[] = [];
  readonly failures: Failures = {};
  /** How many times the store was written to by `add` and `addBulk`. */
  roundTrips = 0;
  closed = false;
  readonly #queues = new Map<string, FakeQueue>();

  queue(name: string): FakeQueue {
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      queue = new FakeQueue(name, this);
      this.#queues.set(name, queue);
    }
    return queue;
  }

  /** The flows that were sent, in order; their jobs are among those of their queues too. */
  readonly flows: (readonly FlowJob[])[] = [];

  async addFlow(jobs: readonly FlowJob[]): Promise<void> {
    for (const { queue, job } of jobs) await this.queue(queue).add(job);
    this.flows.push(jobs);
  }

  /** Every job that was sent, in order, with the queue that it went to. */
  get sent(): readonly (NewJob & { readonly queue: string })[] {
    return [...this.#queues.values()].flatMap((queue) => queue.sent.map((job) => ({ ...job, queue: queue.name })));
  }

  async listQueues(): Promise<string[]> {
    return [...this.#queues.keys()].sort();
  }

  state = createFakeState();

  /** Workers join it, and nobody asks. */
  readonly control: ControlBus = {
    join: async ({ id }) => ({ id, leave: async () => undefined }),
    listNodes: async () => [],
    ask: async () => ({ answers: new Map(), silent: [] }),
  };

  get checkup(): never {
    throw new Error('no worker looks for faults of the broker');
  }

  get events(): never {
    throw new Error('the double has no events');
  }

  createConsumer(options: ConsumerOptions): FakeConsumer {
    const consumer = new FakeConsumer(options, this);
    this.consumers.push(consumer);
    return consumer;
  }

  async migrate(): Promise<Migration> {
    return { from: null, to: null };
  }

  async describe(): Promise<string> {
    return 'a broker in memory';
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

export class FakeQueue implements BrokerQueue {
  readonly name: string;
  /** No worker asks for it. */
  readonly bulk = {} as BulkJobs;
  readonly schedules = new FakeSchedules();
  readonly sent: NewJob[] = [];
  readonly waiting: FakeJob[] = [];
  readonly stored = new Map<string, StoredJob>();
  priorities = false;
  paused = false;
  readonly #broker: FakeBroker;

  constructor(name: string, broker: FakeBroker) {
    this.name = name;
    this.#broker = broker;
  }

  async add(job: NewJob): Promise<string> {
    return (await this.addBulk([job]))[0] as string;
  }

  async addBulk(jobs: readonly NewJob[]): Promise<string[]> {
    if (this.#broker.failures.add !== undefined) throw this.#broker.failures.add;
    this.#broker.roundTrips += 1;
    this.sent.push(...jobs);
    for (const job of jobs) {
      const { unique, ...rest } = job;
      const fields = { ...rest, unique: unique?.key ?? null, queue: this.name, state: 'PENDING' } as const;
      this.stored.set(job.id, new FakeJob(fields));
    }
    return jobs.map(({ id }) => id);
  }

  async hasPriorities(): Promise<boolean> {
    return this.priorities;
  }

  async enablePriorities(): Promise<void> {
    this.priorities = true;
  }

  async readJob(id: string): Promise<StoredJob | undefined> {
    return this.stored.get(id);
  }

  async readLog(): Promise<string[]> {
    return [];
  }

  async waitUntilFinished(id: string, timeoutMs?: number): Promise<boolean> {
    this.waitedFor.push({ id, timeoutMs });
    await this.whenAskedToWait(id);
    return this.stored.get(id)?.finishedAt != null;
  }

  readonly waitedFor: { id: string; timeoutMs: number | undefined }[] = [];
  /** What happens while somebody waits for a job. */
  whenAskedToWait: (id: string) => void | Promise<void> = () => {};

  async removeJob(id: string): Promise<boolean> {
    return this.stored.delete(id);
  }

  /** Of jobs that have some. */
  readonly children = new Map<string, JobChildren>();

  async readChildren(id: string): Promise<JobChildren> {
    return this.children.get(id) ?? { pending: 0, ended: new Map(), dead: new Map() };
  }

  /** What was put back, in order. */
  readonly reprocessed: string[] = [];

  async reprocess(id: string): Promise<boolean> {
    if (this.stored.get(id)?.finishedAt == null) return false;
    this.reprocessed.push(id);
    return true;
  }

  async listBriefs(): Promise<never[]> {
    return [];
  }

  async listSummaries(): Promise<never[]> {
    return [];
  }

  async revoke(): Promise<never[]> {
    return [];
  }

  async hasWork(): Promise<boolean> {
    return (await this.counts()).waiting > 0;
  }

  heldBack = false;

  async isHeldBack(): Promise<boolean> {
    return this.heldBack;
  }

  async counts(): Promise<QueueCounts> {
    if (this.#broker.failures.counts !== undefined) throw this.#broker.failures.counts;
    return { waiting: this.waiting.length, active: 0, scheduled: 0, blocked: 0, dead: 0, completed: 0 };
  }

  async status(): Promise<QueueStatus> {
    const { paused } = this;
    return { queue: this.name, ...(await this.counts()), paused, consumers: 0, oldestWaitingMs: null };
  }

  async readStanding(): Promise<never> {
    throw new Error('no worker asks how a job stands');
  }

  async listScheduled(): Promise<StoredJob[]> {
    return [];
  }

  async listActive(): Promise<ActiveStoredJob[]> {
    return [];
  }

  async purge(): Promise<number> {
    return this.waiting.splice(0).length;
  }

  async pause(): Promise<void> {}

  async resume(): Promise<void> {}

  /** What was let go, in order. */
  readonly promoted: string[] = [];

  async promoteToHead(ids: readonly string[]): Promise<string[]> {
    this.promoted.push(...ids);
    return [...ids];
  }
}

/** A consumer that takes the jobs that a test feeds it, as many at once as the test feeds. */
export class FakeConsumer implements Consumer {
  readonly options: ConsumerOptions;
  readonly outcomes: Outcome[] = [];
  running = false;
  stopped = false;
  #held = 0;
  readonly #broker: FakeBroker;
  readonly #settled: Promise<unknown>[] = [];

  constructor(options: ConsumerOptions, broker: FakeBroker) {
    this.options = options;
    this.#broker = broker;
  }

  get held(): number {
    return this.#held;
  }

  async run(): Promise<void> {
    if (this.#broker.failures.run !== undefined) throw this.#broker.failures.run;
    if (this.stopped) throw new Error('a stopped consumer cannot run');
    this.running = true;
  }

  /** Resolves with the outcome once the job has been performed, also on a consumer that stops (promise of the port). */
  async feed(job: FakeJob): Promise<Outcome> {
    this.#held += 1;
    const performed = this.options.perform(job);
    this.#settled.push(performed);
    const outcome = await performed;
    this.outcomes.push(outcome);
    if (outcome.kind === 'dead') this.options.onDead?.(job);
    this.#held -= 1;
    if (this.#held === 0) this.options.onIdle();
    return outcome;
  }

  readonly sizes: number[] = [];

  resize(concurrency: number): void {
    this.sizes.push(concurrency);
  }

  /** Queues that were added and removed, in order: `+low`, `-low`. */
  readonly queueChanges: string[] = [];

  async addQueue({ name }: ConsumedQueue): Promise<void> {
    if (this.#broker.failures.addQueue !== undefined) throw this.#broker.failures.addQueue;
    this.queueChanges.push(`+${name}`);
  }

  async removeQueue(name: string): Promise<void> {
    this.queueChanges.push(`-${name}`);
  }

  /** As the store does when it was asked for a job and has none. */
  findNothing(): void {
    this.options.onIdle();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.#settled);
    if (this.#broker.failures.stop !== undefined) throw this.#broker.failures.stop;
  }
}
