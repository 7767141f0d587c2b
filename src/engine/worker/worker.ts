/**
 * A worker: takes jobs of its queues and has its pool run them, unless their task is paused or at a limit (admission.ts).
 *
 * Start: 1. the hook `workerStart`; 2. the pool, with `processStart` where tasks run; 3. the paused tasks are read; 4. the
 * consumer connects and takes jobs.
 *
 * Stop, in stages (docs/worker.md):
 * 1. warm: no new jobs are started; a job that was being fetched goes back untouched. Running tasks go on.
 * 2. after the shutdown timeout, or at once when cold: the signals of the running tasks abort.
 * 3. after `ABORT_GRACE_MS` more: unfinished jobs are handed back to their queues at once, and charged no attempt.
 * 4. the last outcomes are stored, the connections end, the pool ends, the hook `workerStop` runs.
 */
import type { Broker, ConsumedQueue, Consumer, QueueOrder, TakenJob } from '../broker/port.ts';
import { MAX_TIMER_MS } from '../core/duration.ts';
import type { Outcome } from '../core/job.ts';
import type { RateChange } from '../core/rate.ts';
import type { WorkerEvent } from '../events/hooks.ts';
import { Admission, type Admitted } from './admission/admission.ts';
import { createAsyncPool } from './async-pool.ts';
import type { ExecutorOptions } from './executor.ts';
import type { Pool, PoolListener } from './pool.ts';
import { type PreforkOptions, PreforkPool } from './prefork/prefork-pool.ts';
import { createProcessHooks } from './process-hooks.ts';

/** How long a task may take to end once its signal has aborted. */
const ABORT_GRACE_MS = 1000;

export interface WorkerSettings extends ExecutorOptions {
  readonly broker: Broker;
  readonly queues: readonly ConsumedQueue[];
  readonly order: QueueOrder;
  readonly concurrency: number;
  readonly lockDurationMs: number;
  readonly shutdownTimeoutMs: number;
  /** How long results stay in the store, in seconds. */
  readonly keepResultSeconds: number;
  /** Stop by itself when no job waits in any of its queues. Scheduled jobs are not waited for. */
  readonly burst: boolean;
  /** Runs jobs in child processes. Without it they run in the event loop of this process. */
  readonly prefork?: PreforkOptions;
}

/** A job that a worker has taken and not ended. */
export interface HeldJob {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  /** From 1. */
  readonly attempt: number;
  /** When it was taken, epoch ms. */
  readonly startedAt: number;
  readonly requestId: string;
  readonly progress: unknown;
  /** The process that runs it; null while it waits for a place in the pool. */
  readonly pid: number | null;
}

const COUNTED_AS = {
  succeeded: 'succeeded',
  ended: 'ended',
  retry: 'retried',
  lost: 'retried',
  dead: 'failed',
  postponed: 'handedBack',
  released: 'handedBack',
} as const satisfies Record<Exclude<Outcome['kind'], 'held'>, string>;

/** How a worker ended. */
export interface WorkerEnd {
  /** Jobs that were running and went back to their queues. */
  readonly handedBack: number;
  readonly reason: 'stopped' | 'timeout' | 'cold' | 'empty';
}

export class Worker {
  readonly name: string;
  readonly queues: readonly string[];
  readonly concurrency: number;
  /** Attempts since it was made, by how they ended. */
  readonly counters = { succeeded: 0, retried: 0, failed: 0, ended: 0, handedBack: 0 };
  readonly #held = new Map<string, TakenJob>();
  readonly #settings: WorkerSettings;
  readonly #pool: Pool;
  readonly #admission: Admission;
  readonly #consumer: Consumer;
  readonly #ended = Promise.withResolvers<WorkerEnd>();
  readonly #cold = new AbortController();
  #stopping: Promise<void> | undefined;
  #opening: Promise<void> | undefined;
  #started = false;
  #looking = false;
  #refusing = false;

  constructor(settings: WorkerSettings) {
    this.#settings = settings;
    this.name = settings.worker;
    this.queues = settings.queues.map(({ name }) => name);
    this.concurrency = settings.concurrency;
    const onCapacity = (capacity: number): void => this.#consumer.resize(capacity);
    this.#pool = createPool(settings, this.#event(), { onCapacity });
    this.#admission = new Admission({
      ...settings,
      queues: () => this.queues,
      isRefusing: () => this.#refusing,
    });
    this.#consumer = settings.broker.createConsumer({
      queues: settings.queues,
      order: settings.order,
      concurrency: this.#pool.capacity,
      workerName: settings.worker,
      lockDurationMs: settings.lockDurationMs,
      maxWorkerLost: settings.maxWorkerLost,
      keepResultSeconds: settings.keepResultSeconds,
      perform: (job) => this.#perform(job),
      onTrouble: (error, queue) => settings.logger.error({ err: error, ...(queue !== '' && { queue }) }, error.message),
      onRecovered: (downMs) => settings.logger.info({ down_ms: Math.round(downMs) }, 'the broker answers again'),
      onIdle: () => void this.#endBurst(),
    });
  }

  /** Where its jobs run. */
  get pool(): 'prefork' | 'async' {
    return this.#settings.prefork === undefined ? 'async' : 'prefork';
  }

  get lockDurationMs(): number {
    return this.#settings.lockDurationMs;
  }

  /** Jobs that it holds; one that is not running waits for a place in the pool. */
  listHeld(): HeldJob[] {
    const running = new Map([...this.#pool.running].map((job) => [job.id, job]));
    return [...this.#held.values()].map((job) => {
      const run = running.get(job.id);
      return {
        id: job.id,
        task: job.task,
        queue: job.queue,
        attempt: job.attempts,
        startedAt: job.startedAt ?? job.createdAt,
        requestId: job.meta.requestId ?? job.meta.rootId ?? job.id,
        progress: job.progress,
        pid: run === undefined ? null : (run.pid ?? process.pid),
      };
    });
  }

  /** Jobs that run now. */
  get running(): number {
    return this.#pool.running.size;
  }

  /** Process ids of its children, in any state; none with the pool `async`. */
  get children(): readonly number[] {
    return this.#pool.children;
  }

  /** Reads at once which tasks are paused. @returns their names */
  reloadPauses(): Promise<string[]> {
    return this.#admission.reloadPauses();
  }

  /**
   * Replaces the rate of a task until this worker ends.
   *
   * @returns what lets the jobs go that the old rate held back
   * @throws UNKNOWN_TASK
   */
  setRate(change: RateChange): () => void {
    this.#admission.setRate(change);
    return () => this.#admission.letGoRate(change.task);
  }

  /** Resolves when the worker has stopped, whatever stopped it. */
  get ended(): Promise<WorkerEnd> {
    return this.#ended.promise;
  }

  /**
   * Resolves when the worker takes jobs, or when it was stopped before it came to that.
   *
   * @throws what the hooks `workerStart` and `processStart` throw, what keeps children from loading the app, and
   * BROKER_UNAVAILABLE
   */
  async start(): Promise<void> {
    if (this.#stopping !== undefined) return;
    try {
      this.#opening = this.#open();
      await this.#opening;
      if (this.#stopping === undefined) await this.#consumer.run();
    } catch (error) {
      if (this.#stopping !== undefined) return;
      await this.#consumer.stop().catch(() => undefined);
      await this.#admission.stop();
      await this.#pool.stop();
      await this.#callStopHook();
      throw error;
    }
    this.#started = true;
    // The consumer may have said that it is idle before it was known to run.
    void this.#endBurst();
  }

  /**
   * Stops taking jobs and waits for the running ones, up to `timeoutMs` (default the worker's shutdown timeout). Calling it
   * again changes nothing; `stopNow()` hurries it.
   */
  stop(timeoutMs = this.#settings.shutdownTimeoutMs): Promise<WorkerEnd> {
    this.#stopping ??= this.#stop(timeoutMs, 'stopped');
    return this.ended;
  }

  /** Stops without waiting: aborts the running tasks and hands their jobs back. */
  stopNow(): Promise<WorkerEnd> {
    this.#cold.abort();
    return this.stop(0);
  }

  async #stop(timeoutMs: number, why: 'stopped' | 'empty'): Promise<void> {
    // A burst ends by itself, perhaps with a job on its way here that was still waiting when the queues looked empty.
    if (why === 'stopped') {
      this.#refusing = true;
      this.#pool.refuse();
    }
    const settled = this.#consumer
      .stop()
      .catch((error) => this.#settings.logger.error({ err: error }, 'could not end the connections of the worker'))
      .then((): true => true);
    let reason: WorkerEnd['reason'] = why;
    if (!(await within(settled, timeoutMs, this.#cold.signal))) {
      this.#pool.abortAll();
      reason = this.#cold.signal.aborted ? 'cold' : 'timeout';
      if (!(await within(settled, ABORT_GRACE_MS))) this.#pool.releaseAll();
    }
    await settled;
    await this.#admission.stop();
    await this.#pool.stop();
    // What `workerStart` opens is there to be closed only when it has ended.
    await this.#opening?.catch((error) => this.#settings.logger.error({ err: error }, 'the worker could not start'));
    if (this.#opening !== undefined) await this.#callStopHook();
    this.#ended.resolve({ handedBack: this.#pool.handedBack, reason });
  }

  async #perform(job: TakenJob): Promise<Outcome> {
    this.#held.set(job.id, job);
    let admitted: Admitted | undefined;
    try {
      const admission = this.#admission.admit(job);
      if (admission !== undefined) admitted = await admission;
      const outcome = admitted?.outcome ?? (await this.#pool.perform(job));
      if (outcome.kind !== 'held') this.counters[COUNTED_AS[outcome.kind]] += 1;
      return outcome;
    } finally {
      if (admitted?.end !== undefined) await admitted.end();
      this.#held.delete(job.id);
    }
  }

  async #endBurst(): Promise<void> {
    if (!this.#settings.burst || !this.#started || this.#looking || this.#stopping !== undefined) return;
    this.#looking = true;
    try {
      if (this.#consumer.held === 0 && (await this.#isEmpty()) && this.#consumer.held === 0) {
        this.#stopping ??= this.#stop(this.#settings.shutdownTimeoutMs, 'empty');
      }
    } catch (error) {
      this.#settings.logger.warn({ err: error }, 'could not look whether the queues are empty');
    } finally {
      this.#looking = false;
    }
  }

  async #isEmpty(): Promise<boolean> {
    const { broker, clock } = this.#settings;
    const now = clock.now();
    const work = await Promise.all(this.queues.map((queue) => broker.queue(queue).hasWork(now)));
    return !work.includes(true);
  }

  async #open(): Promise<void> {
    await this.#settings.hooks.workerStart?.(this.#event());
    await this.#pool.start();
    await this.#admission.start();
  }

  async #callStopHook(): Promise<void> {
    try {
      await this.#settings.hooks.workerStop?.(this.#event());
    } catch (error) {
      this.#settings.logger.error({ err: error }, 'the hook workerStop failed');
    }
  }

  #event(): WorkerEvent {
    return { worker: this.name, queues: this.queues };
  }
}

function createPool({ prefork, ...settings }: WorkerSettings, event: WorkerEvent, listener: PoolListener): Pool {
  if (prefork !== undefined) return new PreforkPool({ ...settings, ...listener, queues: event.queues, prefork });
  return createAsyncPool({
    ...settings,
    processHooks: createProcessHooks(settings.hooks, { event, logger: settings.logger }),
  });
}

/** False when the time passed, or `hurry` aborted, before the consumer had settled. Leaves no timer behind. */
async function within(settled: Promise<true>, timeoutMs: number, hurry?: AbortSignal): Promise<boolean> {
  const { promise: tooLate, resolve } = Promise.withResolvers<false>();
  const giveUp = (): void => resolve(false);
  const timer = setTimeout(giveUp, Math.min(timeoutMs, MAX_TIMER_MS));
  if (hurry?.aborted) giveUp();
  hurry?.addEventListener('abort', giveUp, { once: true });
  try {
    return await Promise.race([settled, tooLate]);
  } finally {
    clearTimeout(timer);
    hurry?.removeEventListener('abort', giveUp);
  }
}
