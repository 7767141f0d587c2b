import {
  DelayedError,
  type IQueueBackend,
  type Job,
  type JobJson,
  WaitingError,
  Worker,
  type WorkerOptions,
} from 'bullmq';
import { createError } from '../core/errors.ts';
import type { Outcome } from '../core/job.ts';
import { createPatientBackend } from './patient-backend.ts';
import type { Consumer, ConsumerOptions } from './port.ts';
import { createSlotGate, type SlotGate } from './slot-gate.ts';
import { createSlots, type Slots } from './slots.ts';
import type { Store } from './store.ts';
import { encodeEnd, encodeMessage, encodeResult, encodeStack, parseData, STALLED_TOO_OFTEN } from './stored-job.ts';
import { TakenBullJob } from './taken-bull-job.ts';
import { isTrouble, unavailable } from './trouble.ts';

/** How long a job may wait for a slot with its lock taken before it is handed back to the other workers. */
const RESERVE_MS = 1000;
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
 * One queue alone has no gate and no slots: BullMQ's own concurrency does.
 */
export class BullConsumer implements Consumer {
  readonly #store: Store;
  readonly #options: ConsumerOptions;
  readonly #workers: QueueWorker[];
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
    const slots =
      options.queues.length > 1 ? createSlots(options.concurrency, options.order, options.queues) : undefined;
    this.#workers = options.queues.map(({ name }) => this.#createWorker(name, slots));
  }

  get held(): number {
    return this.#held;
  }

  async run(): Promise<void> {
    await this.#store.connect('starting the worker');
    await Promise.all(this.#workers.map((worker) => worker.waitUntilReady()));
    for (const worker of this.#workers) {
      worker.run().catch((error: Error) => this.#options.onTrouble(error, worker.name));
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#limitLastWords();
    await Promise.all(this.#workers.map((worker) => worker.close()));
    clearTimeout(this.#lastWords);
    clearTimeout(this.#calm);
  }

  /** Once nothing runs any more, storing the last outcomes may wait for a lost store, but not for ever. */
  #limitLastWords(): void {
    if (!this.#stopping || this.#performing > 0) return;
    this.#lastWords ??= setTimeout(() => {
      this.#abandon.abort();
      this.#store.abandonConsumers();
    }, LAST_WORDS_MS);
  }

  #createWorker(queue: string, slots: Slots | undefined): QueueWorker {
    const options: WorkerOptions = {
      connection: {} as never,
      prefix: this.#store.prefix,
      name: this.#options.workerName,
      autorun: false,
      concurrency: this.#options.concurrency,
      lockDuration: this.#options.lockDurationMs,
      stalledInterval: this.#options.lockDurationMs,
      maxStalledCount: this.#options.maxWorkerLost,
      runRetryDelay: 1000,
      removeOnComplete: { age: this.#options.keepResultSeconds, limit: TRIMMED_AT_ONCE },
    };
    let gate: SlotGate | undefined;
    const factory = (name: string, factoryOptions: unknown, kind: unknown): IQueueBackend => {
      const own = this.#store.workerBackend(name, factoryOptions as never, kind as never);
      const patient = createPatientBackend(own, {
        onTrouble: (error) => this.#noteLoss(error),
        onAnswer: () => this.#noteAnswer(),
        onLockLost: (jobId, error) =>
          this.#options.onTrouble(createError('LOCK_LOST', { id: jobId, reason: error.message }, error), queue),
        abandon: this.#abandon.signal,
      });
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
    if (gate !== undefined && slots !== undefined) worker.share(slots, gate, this.#store);
    worker.on('error', (error) => {
      if (isTrouble(error)) this.#noteLoss(error);
      else this.#options.onTrouble(error, queue);
    });
    worker.on('drained', () => this.#options.onIdle());
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
      const taken = new TakenBullJob(job, { name: worker.name, backend: worker.getBackend(), unreadable });
      const outcome = await this.#options.perform(taken);
      if (outcome.kind === 'succeeded' || outcome.kind === 'ended') this.#spareTrim(job);
      if (outcome.kind === 'succeeded') return encodeResult(outcome.result);
      return await settle(job, token, outcome, { store: this.#store, worker });
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

/** Tells BullMQ how the attempt ended: by what is returned, by what is thrown, or by having moved the job already. */
async function settle(
  job: Job,
  token: string,
  outcome: Exclude<Outcome, { kind: 'succeeded' }>,
  { store, worker }: { store: Store; worker: QueueWorker },
): Promise<unknown> {
  switch (outcome.kind) {
    case 'ended':
      return encodeEnd(outcome.state, outcome.reason);
    case 'retry':
      // The policy lives with the task, not with the stored job: these are read by BullMQ when it sees the failure.
      job.opts.attempts = Number.MAX_SAFE_INTEGER;
      job.opts.backoff = { type: 'fixed', delay: outcome.delayMs };
      throw new StoredFailure(outcome, 'Error');
    case 'dead':
      throw new StoredFailure(outcome, 'UnrecoverableError');
    case 'postponed':
      worker.moved.add(job);
      await job.log(outcome.note);
      await job.moveToDelayed(store.clock.now() + outcome.delayMs, token);
      throw new DelayedError();
    case 'released':
      worker.moved.add(job);
      return release(job, token, store);
  }
}

/**
 * A job without priority goes back to the head of its queue. BullMQ wakes nobody when it puts back a job with a priority,
 * so that one passes through the delayed set, due at once, which does.
 */
async function release(job: Job, token: string, store: Store): Promise<never> {
  if (job.priority > 0) {
    await job.moveToDelayed(store.clock.now(), token);
    throw new DelayedError();
  }
  await job.moveToWait(token);
  // The job is safe already; a store that went away just now costs it its place.
  await store.moveToHead(job.queueName, job.id as string).catch(() => undefined);
  throw new WaitingError();
}

/** What BullMQ stores of a failed attempt: the message, and a stack whose first line carries name and code. */
class StoredFailure extends Error {
  constructor({ error }: Outcome & { kind: 'retry' | 'dead' }, name: 'Error' | 'UnrecoverableError') {
    super(encodeMessage(error));
    // BullMQ recognises a failure that must not be retried by this name.
    this.name = name;
    this.stack = encodeStack(error);
  }
}

/** At most this many stacks are kept with a job; BullMQ keeps one for every attempt without it. */
const STACKS_KEPT = 10;

/** BullMQ's worker with three additions: data that is not JSON, jobs lost too often, and shared slots. */
class QueueWorker extends Worker<unknown, unknown, string, IQueueBackend> {
  /** Jobs whose data is not JSON, and why. */
  readonly unreadable = new WeakMap<Job, string>();
  /** Jobs that went back to the queue: BullMQ must not fetch another one in their place, their slot is given back. */
  readonly moved = new WeakSet<Job>();
  /** Hears how many more or fewer jobs this worker holds: from the fetch until the outcome is stored. */
  onHeld: (change: 1 | -1) => void = () => {};
  /** Jobs that came with the answer to their predecessor, and are counted as held in its place. */
  readonly #carried = new WeakSet<Job>();
  #slots: Slots | undefined;
  #gate: SlotGate | undefined;
  #store: Store | undefined;

  constructor(
    queue: string,
    process: (job: Job, token?: string) => Promise<unknown>,
    options: WorkerOptions,
    factory: (name: string, options: unknown, kind: unknown) => IQueueBackend,
  ) {
    super(queue, process, options as never, factory as never);
  }

  share(slots: Slots, gate: SlotGate, store: Store): void {
    this.#slots = slots;
    this.#gate = gate;
    this.#store = store;
  }

  protected override createJob(json: JobJson, jobId: string): Job {
    let job: Job;
    try {
      job = super.createJob(json, jobId);
    } catch {
      job = super.createJob({ ...json, data: JSON.stringify(json.data) }, jobId);
      this.unreadable.set(job, parseData(json.data).problem ?? '');
    }
    job.opts.stackTraceLimit = Math.min(job.opts.stackTraceLimit ?? STACKS_KEPT, STACKS_KEPT);
    // A job whose workers were lost too often: `perform` turns it into a dead letter that says so.
    if (job.deferredFailure === STALLED_TOO_OFTEN) job.deferredFailure = '';
    return job;
  }

  override async processJob(job: Job, token: string, fetchNext: () => boolean = () => true): Promise<Job | undefined> {
    if (!this.#carried.delete(job)) this.onHeld(1);
    let next: Job | undefined;
    try {
      const mayFetch = (): boolean => !this.moved.has(job) && fetchNext();
      const slots = this.#slots;
      next = (await (slots === undefined
        ? super.processJob(job, token, mayFetch)
        : this.#processInSlot(job, token, { slots, mayFetch }))) as Job | undefined;
      return next;
    } finally {
      if (next === undefined) this.onHeld(-1);
      else this.#carried.add(next);
    }
  }

  async #processInSlot(
    job: Job,
    token: string,
    { slots, mayFetch }: { slots: Slots; mayFetch: () => boolean },
  ): Promise<Job | undefined> {
    if (this.#gate?.takeReservation(job.id as string) && !(await this.#waitForSlot(slots))) {
      if (this.#store !== undefined) await release(job, token, this.#store).catch(() => undefined);
      return undefined;
    }
    let next: Job | undefined;
    try {
      next = (await super.processJob(job, token, () => mayFetch() && !slots.mustYield(this.name))) as Job | undefined;
      return next;
    } finally {
      if (next === undefined) slots.release(this.name);
      else slots.continueWith(this.name);
    }
  }

  #waitForSlot(slots: Slots): Promise<boolean> {
    return slots.take(this.name, AbortSignal.timeout(RESERVE_MS));
  }
}
