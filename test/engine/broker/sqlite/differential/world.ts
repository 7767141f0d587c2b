import {
  FlowProducer,
  type IQueueBackend,
  type Job,
  type JobJson,
  type JobProgress,
  Queue,
  QueueEventsProducer,
  Worker,
} from 'bullmq';
import type { RunClock } from './clock.ts';
import type { Names } from './plain.ts';
import type { AnyBackendFactory, Store } from './store.ts';

export const QUEUE_NAMES = ['alpha', 'beta'] as const;
export type QueueIndex = 0 | 1;
export type WorkerIndex = 0 | 1;

/** The states in which BullMQ keeps lists of jobs, as `getRanges` calls them, and the list of the schedulers. */
export const LISTED_STATES = [
  'wait',
  'active',
  'prioritized',
  'delayed',
  'waiting-children',
  'completed',
  'failed',
  'repeat',
] as const;
export type ListedState = (typeof LISTED_STATES)[number];

/** What the processor of the workers does with the job that it is given. */
export type Errand = (job: Job, token: string) => Promise<unknown>;

type WorldQueue = Queue<unknown, unknown, string, unknown, unknown, string, IQueueBackend, string>;

export interface JobRef {
  readonly queue: QueueIndex;
  readonly id: string;
}

/** A job that a worker has taken, and what it needs to settle it. */
export interface HeldJob {
  readonly queue: QueueIndex;
  readonly worker: WorkerIndex;
  readonly job: Job;
  readonly token: string;
}

/** BullMQ's objects on one store under one key prefix, and what the operations so far have brought to light. */
export interface World {
  readonly store: Store;
  readonly prefix: string;
  readonly clock: RunClock;
  readonly names: Names;
  readonly queues: readonly [WorldQueue, WorldQueue];
  readonly workers: readonly [readonly [OpenWorker, OpenWorker], readonly [OpenWorker, OpenWorker]];
  readonly producers: readonly [WorldProducer, WorldProducer];
  readonly flows: FlowProducer<IQueueBackend, string>;
  /** Backends that read the events, and the last entry that each has read. */
  readonly readers: readonly [EventReader, EventReader];
  /** Number of operations before this one. */
  step: number;
  errand: Errand;
  /** Jobs in the order in which they were first seen, with the object that was made of each then. */
  readonly jobs: { readonly ref: JobRef; readonly first: Job | undefined }[];
  /** The ids of each state when last looked at. */
  readonly lists: Record<ListedState, readonly string[]>[];
  readonly held: HeldJob[];
  readonly settled: HeldJob[];
  /** Parents that each job was given, to keep flows from becoming rings. */
  readonly parents: Map<string, Set<string>>;
  /** What the workers have emitted since the last look: failed calls and stalled jobs. */
  readonly notes: unknown[];
  close(): Promise<void>;
}

interface EventReader {
  readonly backend: IQueueBackend;
  lastId: string;
}

type WorldProducer = QueueEventsProducer<IQueueBackend, string>;

/** A worker that shows the two steps that BullMQ's own loop takes and that no public method does. */
export class OpenWorker extends Worker<unknown, unknown, string, IQueueBackend, JobProgress, string> {
  /** What the loop does with the job that came with the end of another. */
  async openJob(data: JobJson, id: string, token: string): Promise<Job | undefined> {
    return (await this.nextJobFromJobData(data, id, token)) as Job | undefined;
  }

  /** What the loop does every `stalledInterval`. */
  async checkStalled(): Promise<void> {
    await this['moveStalledJobsToWait']();
  }
}

/** The second worker of a queue has every option that changes what the store does; the first collects metrics. */
const WORKER_OPTIONS = [
  { name: 'plain', metrics: { maxDataPoints: 4 }, stalledInterval: 5000, lockDuration: 20_000 },
  {
    name: 'strict',
    limiter: { max: 2, duration: 10_000 },
    lockDuration: 10_000,
    maxStalledCount: 0,
    maxStartedAttempts: 3,
    stalledInterval: 5000,
    removeOnComplete: { count: 2 },
    removeOnFail: { age: 60 },
  },
] as const;

/** The second queue gives its jobs options of its own. */
const QUEUE_OPTIONS = [{}, { defaultJobOptions: { attempts: 2, backoff: 1000 } }] as const;

export async function createWorld(store: Store, prefix: string, clock: RunClock): Promise<World> {
  const createBackend: AnyBackendFactory = store.createBackend;
  const notes: unknown[] = [];
  const world = { errand: async (): Promise<unknown> => undefined } as { errand: Errand };
  const options = { connection: '', prefix };
  const both = <T>(make: (index: QueueIndex) => T): readonly [T, T] => [make(0), make(1)];

  const queues = both(
    (index): WorldQueue => new Queue(QUEUE_NAMES[index], { ...options, ...QUEUE_OPTIONS[index] }, createBackend),
  );
  const workers = both((queue) =>
    both((index) => {
      const processor = (job: Job, token?: string): Promise<unknown> => world.errand(job, token ?? '');
      const settings = { ...options, ...WORKER_OPTIONS[index], autorun: false };
      const worker = new OpenWorker(QUEUE_NAMES[queue], processor as never, settings, createBackend);
      worker.on('error', (error) => notes.push({ worker: index, error }));
      worker.on('stalled', (id) => notes.push({ worker: index, stalled: id }));
      return worker;
    }),
  );
  const producers = both((index): WorldProducer => new QueueEventsProducer(QUEUE_NAMES[index], options, createBackend));
  const readers = both((index): EventReader => {
    return { backend: createBackend(QUEUE_NAMES[index], options, { blocking: true }), lastId: '0' };
  });
  const flows = new FlowProducer(options, createBackend);
  const closable = [...queues, ...workers.flat(), ...producers, flows, ...readers.map((reader) => reader.backend)];
  await Promise.all(closable.map((each) => each.waitUntilReady()));
  // A queue writes its settings when it is made; the version is read after that.
  await Promise.all(queues.map((queue) => queue.getVersion()));
  const empty = Object.fromEntries(LISTED_STATES.map((state) => [state, []])) as unknown as World['lists'][number];
  return Object.assign(world, {
    ...{ store, prefix, clock, queues, workers, producers, flows, readers, notes },
    names: queues.map((queue) => [queue.qualifiedName, `<${queue.name}>`] as const),
    step: 0,
    jobs: [],
    lists: [empty, empty],
    held: [],
    settled: [],
    parents: new Map(),
    close: async () => void (await Promise.all(closable.map((each) => each.close()))),
  });
}
