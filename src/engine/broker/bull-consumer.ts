import type { IQueueBackend, Job, WorkerOptions } from 'bullmq';
import { createError } from '../core/errors.ts';
import type { Outcome } from '../core/job.ts';
import { planLocks } from '../core/lock-timing.ts';
import { goOnByRule } from './chain-step.ts';
import { repeatStrategy } from './firing-options.ts';
import { createPatientBackend } from './patient-backend.ts';
import { waitForPendingChildren } from './pending-children.ts';
import type { ConsumedQueue, Consumer, ConsumerOptions, TakenJob } from './port.ts';
import { QueueWorker } from './queue-worker.ts';
import { settle } from './settle.ts';
import { createSlotGate, type SlotGate } from './slot-gate.ts';
import { createSlots, type Slots } from './slots.ts';
import type { Store } from './store.ts';
import { encodeResult } from './stored-job.ts';
import { releaseUnique, TakenBullJob } from './taken-bull-job.ts';
import { isTrouble, unavailable } from './trouble.ts';

/** Outcomes after which the job is not run again. */
const ENDS = new Set<Outcome['kind']>(['succeeded', 'ended', 'dead', 'failed']);
/** Outcomes that complete the job, as BullMQ has it. */
const COMPLETIONS = new Set<Outcome['kind']>(['succeeded', 'ended', 'failed']);
const TRIM_EVERY_MS = 100;
const TRIMMED_AT_ONCE = 2000;
/** After `stop()`, how long the outcomes of the last jobs may wait for a lost store. Their locks run out after that. */
const LAST_WORDS_MS = 10_000;
/** A store has recovered when it answers and nothing fails for so long: its connections come back one after the other. */
const CALM_MS = 1000;

/**
 * Takes jobs from one or several queues: one BullMQ worker a queue, one shared set of slots.
 *
 * 1. BullMQ fetches a job, locks it and renews the lock until its outcome is stored.
 * 2. `perform` of the options runs it and answers with an outcome; `settle` tells BullMQ what that means.
 * 3. The next job of the same queue comes with the answer, unless another queue is due the slot.
 *
 * One queue alone has no gate and no slots: BullMQ's own concurrency does. They come with the second queue, and stay.
 */
export class BullConsumer implements Consumer {
  readonly #store: Store;
  readonly #options: ConsumerOptions;
  /** One a queue that is served. */
  readonly #workers = new Set<QueueWorker>();
  /** Of queues that are served no more, while jobs of theirs run. */
  readonly #leaving = new Set<QueueWorker>();
  /** As they were asked for, also those that are served no more. */
  readonly #queues = new Map<string, ConsumedQueue>();
  readonly #backends = new WeakMap<QueueWorker, IQueueBackend>();
  #concurrency: number;
  #slots: Slots | undefined;
  #running: Promise<void> | undefined;
  /** Jobs that are to be dead letters, and who is told once they are. */
  readonly #dying = new WeakMap<Job, () => void>();
  readonly #abandon = new AbortController();
  #held = 0;
  #performing = 0;
  #nextTrimAt = 0;
  #stopping = false;
  #lastWords: NodeJS.Timeout | undefined;
  #lostAt: number | undefined;
  #calm: NodeJS.Timeout | undefined;

  constructor(store: Store, options: ConsumerOptions) {
    this.#store = store;
    this.#options = options;
    this.#concurrency = options.concurrency;
    if (options.queues.length > 1) this.#slots = createSlots(options.concurrency, options.order, options.queues);
    for (const queue of options.queues) {
      this.#queues.set(queue.name, queue);
      this.#workers.add(this.#createWorker(queue.name));
    }
  }

  get held(): number {
    return this.#held;
  }

  run(): Promise<void> {
    this.#running ??= this.#run();
    return this.#running;
  }

  async #run(): Promise<void> {
    const workers = [...this.#workers];
    await this.#store.connect('starting the worker');
    const ready = workers.map(async (worker) => {
      // Its queue may be removed meanwhile, which ends its connection.
      await this.#untilReady(worker, 'starting the worker').catch((error) =>
        worker.isLeaving ? undefined : Promise.reject(error),
      );
    });
    await Promise.all(ready);
    for (const worker of workers) this.#start(worker);
  }

  /** A store that goes away in this moment is away like any other. */
  async #untilReady(worker: QueueWorker, doing: string): Promise<void> {
    try {
      await worker.waitUntilReady();
    } catch (error) {
      throw isTrouble(error) ? unavailable(this.#store.url, doing, error) : error;
    }
  }

  resize(concurrency: number): void {
    this.#concurrency = concurrency;
    this.#slots?.resize(concurrency);
    for (const worker of [...this.#workers, ...this.#leaving]) worker.resize(concurrency);
  }

  async addQueue(queue: ConsumedQueue): Promise<void> {
    if (this.#stopping || this.#find(queue.name) !== undefined) return;
    if (this.#workers.size + this.#leaving.size > 0) this.#shareSlots();
    this.#slots?.add(queue);
    this.#queues.set(queue.name, queue);
    const worker = this.#createWorker(queue.name);
    this.#workers.add(worker);
    // Without it, run() is still to come, and starts this one with the others.
    if (this.#running === undefined) return;
    try {
      await this.#running;
      const doing = `adding queue "${queue.name}" to the worker`;
      await this.#store.connect(doing);
      await this.#untilReady(worker, doing);
    } catch (error) {
      if (this.#stopping) return;
      await this.removeQueue(queue.name);
      throw error;
    }
    if (this.#workers.has(worker)) this.#start(worker);
  }

  async removeQueue(name: string): Promise<void> {
    const worker = this.#find(name);
    if (worker === undefined) return;
    this.#workers.delete(worker);
    this.#leaving.add(worker);
    await worker.leave();
    this.#leaving.delete(worker);
    // It may be served again meanwhile.
    const stays = [...this.#workers, ...this.#leaving].some((other) => other.name === name);
    if (!stays) this.#slots?.remove(name);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#limitLastWords();
    await Promise.all([...this.#workers, ...this.#leaving].map((worker) => worker.close()));
    clearTimeout(this.#lastWords);
    clearTimeout(this.#calm);
  }

  #find(queue: string): QueueWorker | undefined {
    return [...this.#workers].find(({ name }) => name === queue);
  }

  #start(worker: QueueWorker): void {
    worker.run().catch((error: Error) => this.#options.onTrouble(error, worker.name));
  }

  /** Several queues need slots, and a gate each: those that had none get theirs while they work. */
  #shareSlots(): void {
    if (this.#slots !== undefined) return;
    const workers = [...this.#workers, ...this.#leaving];
    const names = new Set(workers.map(({ name }) => name));
    const queues = [...this.#queues.values()].filter(({ name }) => names.has(name));
    const slots = createSlots(this.#concurrency, this.#options.order, queues);
    this.#slots = slots;
    for (const worker of workers) {
      const backend = this.#backends.get(worker) as IQueueBackend;
      worker.share(slots, createSlotGate(backend, worker.name, slots, true), this.#store);
    }
  }

  /** Once nothing runs any more, storing the last outcomes may wait for a lost store, but not for ever. */
  #limitLastWords(): void {
    if (!this.#stopping || this.#performing > 0) return;
    this.#lastWords ??= setTimeout(() => {
      this.#abandon.abort();
      this.#store.abandonConsumers();
    }, LAST_WORDS_MS);
  }

  #createWorker(queue: string): QueueWorker {
    const slots = this.#slots;
    const locks = planLocks(this.#options.lockDurationMs);
    const options: WorkerOptions = {
      connection: {} as never,
      prefix: this.#store.prefix,
      name: this.#options.workerName,
      autorun: false,
      concurrency: this.#concurrency,
      lockDuration: locks.lifeMs,
      lockRenewTime: locks.renewMs,
      stalledInterval: locks.lookMs,
      maxStalledCount: this.#options.maxWorkerLost,
      runRetryDelay: 1000,
      settings: { repeatStrategy },
      removeOnComplete: { age: this.#options.keepResultSeconds, limit: TRIMMED_AT_ONCE },
    };
    let gate: SlotGate | undefined;
    let backend: IQueueBackend | undefined;
    const factory = (name: string, factoryOptions: unknown, kind: unknown): IQueueBackend => {
      const own = this.#store.workerBackend(name, factoryOptions as never, kind as never);
      goOnByRule(own, { queue, store: this.#store, onFault: (error) => this.#options.onTrouble(error, queue) });
      const patient = createPatientBackend(own, {
        onTrouble: (error) => this.#noteLoss(error),
        onAnswer: () => this.#noteAnswer(),
        onLockLost: (jobId, error) =>
          this.#options.onTrouble(createError('LOCK_LOST', { id: jobId, reason: error.message }, error), queue),
        abandon: this.#abandon.signal,
      });
      waitForPendingChildren(patient);
      backend = patient;
      if (slots === undefined) return patient;
      gate = createSlotGate(patient, queue, slots);
      return gate.backend;
    };
    const worker = new QueueWorker(
      queue,
      (job, token) => this.#process(job, token as string, worker),
      options,
      factory,
    );
    if (backend !== undefined) this.#backends.set(worker, backend);
    if (gate !== undefined && slots !== undefined) worker.share(slots, gate, this.#store);
    worker.on('error', (error) => {
      if (isTrouble(error)) this.#noteLoss(error);
      else this.#options.onTrouble(error, queue);
    });
    worker.on('drained', () => this.#options.onIdle());
    if (this.#options.onDead !== undefined) worker.on('failed', (job) => job && this.#dying.get(job)?.());
    worker.onHeld = (change) => {
      this.#held += change;
      if (this.#held === 0) this.#options.onIdle();
    };
    return worker;
  }

  async #process(job: Job, token: string, worker: QueueWorker): Promise<unknown> {
    this.#performing += 1;
    try {
      const unreadable = worker.unreadable.get(job) ?? null;
      const taken = new TakenBullJob(job, {
        name: worker.name,
        backend: worker.getBackend(),
        unreadable,
        revoked: worker.revoked.get(job),
      });
      const outcome: Outcome = worker.isLeaving ? { kind: 'released' } : await this.#options.perform(taken);
      // The store does it with the outcome, but not for a key with a time. Before the outcome, so that whoever sees the end can call
      // again; a worker that dies in between leaves the job to run without its key.
      if (taken.meta.uniqueUntil === 'finished' && ENDS.has(outcome.kind)) {
        await releaseUnique(job, worker.getBackend()).catch(() => undefined);
      }
      if (COMPLETIONS.has(outcome.kind)) this.#spareTrim(job);
      if (outcome.kind === 'succeeded') return encodeResult(outcome.result);
      if (outcome.kind === 'dead') this.#noteDying(job, taken);
      return await settle(job, token, outcome, {
        store: this.#store,
        backend: worker.getBackend(),
        moved: worker.moved,
      });
    } finally {
      this.#performing -= 1;
      this.#limitLastWords();
    }
  }

  /**
   * BullMQ looks for expired results with every acknowledgement, which makes each of them dearer for the store. Ten times
   * a second is enough, and removes up to 20,000 a second. What has expired may stay until the next job of its queue ends.
   */
  #spareTrim(job: Job): void {
    if (job.opts.removeOnComplete !== undefined) return;
    const now = this.#store.clock.monotonic();
    if (now < this.#nextTrimAt) job.opts.removeOnComplete = false;
    else this.#nextTrimAt = now + TRIM_EVERY_MS;
  }

  /** BullMQ says that a job failed also where its lock was lost; it has no end then, but that of an earlier run if it had one. */
  #noteDying(job: Job, taken: TakenJob): void {
    const { onDead } = this.#options;
    const before = job.finishedOn;
    if (onDead === undefined) return;
    this.#dying.set(job, () => {
      if (job.finishedOn !== before) onDead(taken);
    });
  }

  #noteLoss(error: Error): void {
    clearTimeout(this.#calm);
    this.#calm = undefined;
    if (this.#lostAt !== undefined) return;
    this.#lostAt = this.#store.clock.monotonic();
    this.#options.onTrouble(unavailable(this.#store.url, 'working', error), '');
  }

  #noteAnswer(): void {
    if (this.#lostAt === undefined || this.#calm !== undefined) return;
    const downMs = this.#store.clock.monotonic() - this.#lostAt;
    this.#calm = setTimeout(() => {
      this.#lostAt = undefined;
      this.#calm = undefined;
      this.#options.onRecovered(downMs);
    }, CALM_MS);
  }
}
