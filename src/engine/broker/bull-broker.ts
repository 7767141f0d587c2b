import { createError } from '../core/errors.ts';
import { attempt } from './attempt.ts';
import { BullConsumer } from './bull-consumer.ts';
import { BullQueue } from './bull-queue.ts';
import type { BrokerCheckup } from './checkup-port.ts';
import { RelayControlBus } from './control/relay-control-bus.ts';
import { BullJobEvents } from './events/bull-job-events.ts';
import { splitFlow } from './flow-batches.ts';
import { toFlowEntry } from './job-json.ts';
import type { Broker, BrokerQueue, Consumer, ConsumerOptions, FlowJob, Migration } from './port.ts';
import type { StateStore } from './state-port.ts';
import type { Store } from './store.ts';

/** The port over BullMQ, for every store. */
export class BullBroker implements Broker {
  readonly kind: Store['kind'];
  readonly url: string;
  readonly control: RelayControlBus;
  readonly events: BullJobEvents;
  readonly #store: Store;
  readonly #queues = new Map<string, BullQueue>();
  #closed = false;

  constructor(store: Store) {
    this.#store = store;
    this.kind = store.kind;
    this.url = store.url;
    this.control = new RelayControlBus(store);
    this.events = new BullJobEvents(store);
  }

  queue(name: string): BrokerQueue {
    return this.#queue(name);
  }

  async addFlow(jobs: readonly FlowJob[]): Promise<void> {
    if (jobs.length === 0) return;
    const queues = [...new Set(jobs.map(({ queue }) => queue))].map((name) => this.#queue(name));
    const { batches, held } = splitFlow(jobs);
    if (batches.length > 1) await this.#assertParents(jobs);
    for (const batch of batches) {
      const entries = batch.map((job) => toFlowEntry(job, this.#store.prefix));
      await this.#attempt(`sending a workflow of ${jobs.length} jobs`, async () => {
        await Promise.all(queues.map((queue) => queue.announce()));
        await this.#store.addFlow(entries);
      });
    }
    for (const { queue, id, dueAt } of held) await this.#queue(queue).letGo(id, dueAt);
  }

  /** Before the first of several transactions, so that a missing parent is not found out by the last. */
  async #assertParents(jobs: readonly FlowJob[]): Promise<void> {
    const own = new Set(jobs.map(({ job }) => job.id));
    const outside = new Map<string, FlowJob['job']>();
    for (const { job } of jobs)
      if (job.parent !== undefined && !own.has(job.parent.id)) outside.set(job.parent.id, job);
    for (const { id, parent } of outside.values()) {
      if (parent === undefined || (await this.#queue(parent.queue).listBriefs([parent.id])).length > 0) continue;
      throw createError('PARENT_MISSING', { id, parent: parent.id });
    }
  }

  #queue(name: string): BullQueue {
    if (this.#closed) throw createError('ALREADY_CLOSED', { what: `the broker ${this.url}` });
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      queue = new BullQueue(name, this.#store);
      this.#queues.set(name, queue);
    }
    return queue;
  }

  listQueues(): Promise<string[]> {
    return this.#attempt('listing the queues', () => this.#store.listQueues());
  }

  get state(): StateStore {
    const { state } = this.#store;
    return {
      read: (key) => this.#attempt(`reading ${key}`, () => state.read(key)),
      write: (key, value, options) => this.#attempt(`writing ${key}`, () => state.write(key, value, options)),
      remove: (key, expected) => this.#attempt(`removing ${key}`, () => state.remove(key, expected)),
      removeAll: (entries) => this.#attempt(`removing ${entries.length} records`, () => state.removeAll(entries)),
      list: (begin, ...from) => this.#attempt(`listing ${begin}`, () => state.list(begin, ...from)),
      listBack: (begin, ...from) => this.#attempt(`listing ${begin}`, () => state.listBack(begin, ...from)),
      size: (begin) => this.#attempt(`counting ${begin}`, () => state.size(begin)),
      count: (key, by, ttlMs) => this.#attempt(`counting ${key}`, () => state.count(key, by, ttlMs)),
      lease: (key, holder, ttlMs) => this.#attempt(`leasing ${key}`, () => state.lease(key, holder, ttlMs)),
      release: (key, holder) => this.#attempt(`releasing ${key}`, () => state.release(key, holder)),
      reserve: (key, options) => this.#attempt(`reserving ${key}`, () => state.reserve(key, options)),
      occupy: (key, ...place) => this.#attempt(`occupying ${key}`, () => state.occupy(key, ...place)),
      listHolders: (key) => this.#attempt(`listing the holders of ${key}`, () => state.listHolders(key)),
      vacate: (key, holder) => this.#attempt(`vacating ${key}`, () => state.vacate(key, holder)),
    };
  }

  get checkup(): BrokerCheckup {
    const { checkup } = this.#store;
    return {
      checkSettings: () => this.#attempt('reading its settings', () => checkup.checkSettings()),
      readTime: () => this.#attempt('reading its clock', () => checkup.readTime()),
      listLeftovers: (queues) => this.#attempt('looking through its queues', () => checkup.listLeftovers(queues)),
      removeLeftovers: (leftovers) =>
        this.#attempt('removing what is left over', () => checkup.removeLeftovers(leftovers)),
    };
  }

  createConsumer(options: ConsumerOptions): Consumer {
    return new BullConsumer(this.#store, options);
  }

  migrate(): Promise<Migration> {
    return this.#attempt('migrating the schema', () => this.#store.migrate());
  }

  describe(): Promise<string> {
    return this.#attempt('asking for its version', () => this.#store.describe());
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all([this.events, this.control, ...this.#queues.values()].map((each) => each.close()));
    await this.#store.close();
  }

  #attempt<Result>(doing: string, operation: () => Promise<Result>): Promise<Result> {
    return attempt(this.#store, doing, operation);
  }
}
