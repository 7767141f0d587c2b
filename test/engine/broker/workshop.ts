import { randomUUID } from 'node:crypto';
import {
  createPostgresBackend,
  createPostgresRelayBackend,
  type FlowJob,
  FlowProducer,
  Queue,
  Relay,
  type RelayOptions,
  Worker,
} from 'bullmq';
import { Redis } from 'ioredis';
import { type OpenBrokerOptions, openBroker } from '../../../src/engine/broker/open-broker.ts';
import type { Broker, Consumer, ConsumerOptions, TakenJob } from '../../../src/engine/broker/port.ts';
import type { NewJob, Outcome, StoredJob } from '../../../src/engine/core/job.ts';
import { systemClock } from '../../../src/engine/runtime/system-clock.ts';
import { createSqliteBackend, createSqliteRelayBackend } from '../../../src/sqlite.ts';
import type { BrokerUnderTest } from '../../support/brokers.ts';
import { type Channel, createChannel } from './channel.ts';

/** What one test works with; everything that it opens is closed when the test ends. */
export interface Workshop {
  readonly store: BrokerUnderTest['name'];
  readonly url: string;
  readonly broker: Broker;
  openBroker(url?: string, options?: Partial<OpenBrokerOptions>): Promise<Broker>;
  /** Starts a consumer; without `perform` every job succeeds with the result undefined. */
  consume(queues: string | readonly string[], options?: ProbeOptions): Promise<Probe>;
  /** The same, not started. */
  createProbe(queues: string | readonly string[], options?: ProbeOptions): Probe;
  /** A queue of plain BullMQ: another application that knows nothing of tq. */
  plainQueue(name: string): Queue;
  /** Adds a flow of plain BullMQ, and gives the id of its parent. */
  plainFlow(flow: FlowJob): Promise<string>;
  /** Starts a consumer of plain BullMQ, and gives the data of the jobs that it takes. */
  plainWorker(queue: string, process: (data: unknown) => unknown): Promise<Channel<unknown>>;
  /** Takes one job as a worker that dies at once does: it holds its lock for so long, and does nothing else with it. */
  takeAndDie(queue: string, lockMs: number): Promise<string>;
  /** A node of plain BullMQ's relay. */
  plainRelay(options: Partial<RelayOptions<unknown>>): Promise<Relay<unknown>>;
  /** A promise for jobs to wait on; it is opened at the latest when the test ends, so that a failed test ends too. */
  gate<Value = void>(): PromiseWithResolvers<Value>;
  afterwards(cleanup: () => unknown): void;
  close(): Promise<void>;
}

export type ProbeOptions = Partial<Omit<ConsumerOptions, 'queues' | 'perform'>> & {
  readonly perform?: (job: TakenJob) => Outcome | Promise<Outcome>;
  readonly broker?: Broker;
  readonly weights?: Readonly<Record<string, number>>;
};

/** What a taken job said of itself when it reached `perform`. */
export type Taken = Omit<StoredJob, 'failures'> & Pick<TakenJob, 'timesTaken' | 'isPutBack'>;

/** A consumer that tells what it does. */
export interface Probe {
  readonly consumer: Consumer;
  /** Jobs as they reach `perform`. */
  readonly taken: Channel<Taken>;
  readonly troubles: Channel<Error & { code?: unknown }>;
  readonly recoveries: Channel<number>;
  /** Resolves when the consumer holds no job: every outcome is stored. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

export const SUCCEEDED: Outcome = { kind: 'succeeded', result: undefined };

/** A store of its own for a group of tests, with its schema made. */
export async function createStore({ createUrl }: BrokerUnderTest): Promise<string> {
  const url = await createUrl();
  const broker = await openBroker(url, { clock: systemClock, skipSchema: true });
  await broker.migrate();
  await broker.close();
  return url;
}

/** @param url of a store whose schema is made */
export async function openWorkshop(store: BrokerUnderTest['name'], url: string): Promise<Workshop> {
  const cleanups: (() => unknown)[] = [];
  const gates: (() => void)[] = [];
  const open = async (at = url, options: Partial<OpenBrokerOptions> = {}): Promise<Broker> => {
    const opened = await openBroker(at, { clock: systemClock, ...options });
    cleanups.push(() => opened.close());
    return opened;
  };
  const broker = await open();

  const createProbe: Workshop['createProbe'] = (queues, options = {}) => {
    const probe = startProbe(options.broker ?? broker, typeof queues === 'string' ? [queues] : queues, options);
    cleanups.push(() => probe.stop());
    return probe;
  };

  return {
    store,
    url,
    broker,
    openBroker: open,
    createProbe,
    async consume(queues, options) {
      const probe = createProbe(queues, options);
      await probe.consumer.run();
      return probe;
    },
    plainQueue(name) {
      const [options, factory] = plainConnection(store, url, cleanups);
      const queue = new Queue(name, options as never, factory as never) as Queue;
      cleanups.push(() => queue.close());
      return queue;
    },
    async plainFlow(flow) {
      const [options, factory] = plainConnection(store, url, cleanups);
      const producer = new FlowProducer(options as never, factory as never);
      cleanups.push(() => producer.close());
      const { job } = await producer.add(flow);
      return job.id as string;
    },
    async plainWorker(queue, process) {
      const [options, factory] = plainConnection(store, url, cleanups);
      const seen = createChannel<unknown>();
      const run = async ({ data }: { data: unknown }): Promise<unknown> => {
        seen.push(data);
        return process(data);
      };
      const worker = new Worker(queue, run, options as never, factory as never);
      cleanups.push(() => worker.close());
      await worker.waitUntilReady();
      return seen;
    },
    async takeAndDie(queue, lockMs) {
      const [options, factory] = plainConnection(store, url, cleanups);
      const own = { ...(options as object), autorun: false, lockDuration: lockMs };
      const worker = new Worker(queue, null, own as never, factory as never);
      worker.on('error', () => {});
      cleanups.push(() => worker.close());
      await worker.waitUntilReady();
      const [, id] = await worker.getBackend().moveToActive('of a dead worker', 'dead');
      return id;
    },
    async plainRelay(given) {
      const [options] = plainConnection(store, url, cleanups);
      const backends = { redis: undefined, postgres: createPostgresRelayBackend, sqlite: createSqliteRelayBackend };
      const backend = backends[store];
      const relay = new Relay<unknown>({ ...(options as object), ...(backend && { backend }), ...given } as never);
      relay.on('error', () => {});
      cleanups.push(() => relay.close());
      await relay.waitUntilReady();
      return relay;
    },
    gate<Value>() {
      const gate = Promise.withResolvers<Value>();
      gates.push(() => gate.reject(new Error('the test has ended')));
      gate.promise.catch(() => undefined);
      return gate;
    },
    afterwards: (cleanup) => cleanups.push(cleanup),
    async close() {
      for (const open of gates) open();
      for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    },
  };
}

function startProbe(broker: Broker, queues: readonly string[], options: ProbeOptions): Probe {
  const { perform = () => SUCCEEDED, weights = {}, broker: _, ...rest } = options;
  const taken = createChannel<Taken>();
  const troubles = createChannel<Error>();
  const recoveries = createChannel<number>();
  const settled: (() => void)[] = [];
  const consumer = broker.createConsumer({
    order: 'strict',
    concurrency: 1,
    workerName: 'probe',
    lockDurationMs: 30_000,
    maxWorkerLost: 3,
    keepResultSeconds: 3600,
    ...rest,
    queues: queues.map((name) => ({ name, weight: weights[name] ?? 1 })),
    async perform(job) {
      taken.push(snapshot(job));
      // A gate that the end of the test has opened rejects.
      return Promise.resolve(perform(job)).catch(() => ({ kind: 'released' }));
    },
    onTrouble(error, queue) {
      troubles.push(error);
      rest.onTrouble?.(error, queue);
    },
    onRecovered(downMs) {
      recoveries.push(downMs);
      rest.onRecovered?.(downMs);
    },
    onIdle() {
      if (consumer.held === 0) for (const resolve of settled.splice(0)) resolve();
      rest.onIdle?.();
    },
  });
  let stopped: Promise<void> | undefined;
  return {
    consumer,
    taken,
    troubles,
    recoveries,
    settled: () => new Promise((resolve) => (consumer.held === 0 ? resolve() : settled.push(resolve))),
    stop() {
      stopped ??= consumer.stop();
      return stopped;
    },
  };
}

/** A taken job is read from the store's record when it is asked, and that changes once the outcome is stored. */
function snapshot(job: TakenJob): Taken {
  const { id, task, queue, state, args, meta, unique, unreadable, dueAt, finishedAt, result, error, reason } = job;
  const { priority, createdAt, startedAt, attempts, timesTaken, workersLost, worker, progress, stacks, revoked } = job;
  const { isPutBack } = job;
  const fixed = { id, task, queue, state, args, meta, unique, unreadable, dueAt, finishedAt, result, error, reason };
  const run = { createdAt, startedAt, attempts, timesTaken, workersLost, worker, progress, stacks, isPutBack };
  return { ...fixed, ...run, priority, revoked };
}

/** How an application without tq would construct BullMQ's classes on this store. */
function plainConnection(store: Workshop['store'], url: string, cleanups: (() => unknown)[]): [unknown, unknown] {
  if (store === 'postgres') return [{ connection: { connectionString: url } }, createPostgresBackend];
  if (store === 'sqlite') return [{ connection: { path: url.slice('sqlite:'.length) } }, createSqliteBackend];
  const own = new URL(url);
  const prefix = own.searchParams.get('prefix') ?? 'bull';
  own.search = '';
  const connection = new Redis(own.href, { maxRetriesPerRequest: null });
  cleanups.push(() => connection.disconnect());
  return [{ connection, prefix }, undefined];
}

let names = 0;

/** A queue name that no other test uses. */
export function queueName(): string {
  names += 1;
  return `q${process.pid}-${names}`;
}

export function newJob(fields: Partial<NewJob> = {}): NewJob {
  return { id: randomUUID(), task: 'work', args: [], meta: {}, createdAt: systemClock.now(), ...fields };
}

export function newJobs(count: number, fields: Partial<NewJob> = {}): NewJob[] {
  return Array.from({ length: count }, () => newJob(fields));
}
