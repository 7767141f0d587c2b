/**
 * A worker: takes jobs of its queues and runs them in this process.
 *
 * Start: 1. the hook `workerStart`; 2. the consumer connects and takes jobs.
 *
 * Stop, in stages (docs/worker.md):
 * 1. warm: no new jobs are started; a job that was being fetched goes back untouched. Running tasks go on.
 * 2. after the shutdown timeout, or at once when cold: the signals of the running tasks abort.
 * 3. after `ABORT_GRACE_MS` more: unfinished jobs are handed back to their queues at once, and charged no attempt.
 * 4. the last outcomes are stored, the connections end, the hook `workerStop` runs.
 */
import type { Broker, ConsumedQueue, Consumer, QueueOrder } from '../broker/port.ts';
import { MAX_TIMER_MS } from '../core/duration.ts';
import type { WorkerEvent } from '../events/hooks.ts';
import { createExecutor, type Executor, type ExecutorOptions } from './executor.ts';

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
}

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
  readonly #settings: WorkerSettings;
  readonly #executor: Executor;
  readonly #consumer: Consumer;
  readonly #ended = Promise.withResolvers<WorkerEnd>();
  readonly #cold = new AbortController();
  #stopping: Promise<void> | undefined;
  #opening: Promise<void> | undefined;
  #started = false;
  #looking = false;

  constructor(settings: WorkerSettings) {
    this.#settings = settings;
    this.name = settings.worker;
    this.queues = settings.queues.map(({ name }) => name);
    this.concurrency = settings.concurrency;
    this.#executor = createExecutor(settings);
    this.#consumer = settings.broker.createConsumer({
      queues: settings.queues,
      order: settings.order,
      concurrency: settings.concurrency,
      workerName: settings.worker,
      lockDurationMs: settings.lockDurationMs,
      maxWorkerLost: settings.maxWorkerLost,
      keepResultSeconds: settings.keepResultSeconds,
      perform: (job) => this.#executor.perform(job),
      onTrouble: (error, queue) => settings.logger.error({ err: error, ...(queue !== '' && { queue }) }, error.message),
      onRecovered: (downMs) => settings.logger.info({ down_ms: Math.round(downMs) }, 'the broker answers again'),
      onIdle: () => void this.#endBurst(),
    });
  }

  /** Jobs that run now. */
  get running(): number {
    return this.#executor.running.size;
  }

  /** Resolves when the worker has stopped, whatever stopped it. */
  get ended(): Promise<WorkerEnd> {
    return this.#ended.promise;
  }

  /**
   * Resolves when the worker takes jobs, or when it was stopped before it came to that.
   *
   * @throws what the hook `workerStart` throws, and BROKER_UNAVAILABLE
   */
  async start(): Promise<void> {
    if (this.#stopping !== undefined) return;
    try {
      this.#opening = this.#callStartHook();
      await this.#opening;
      if (this.#stopping === undefined) await this.#consumer.run();
    } catch (error) {
      if (this.#stopping !== undefined) return;
      await this.#consumer.stop().catch(() => undefined);
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
    if (why === 'stopped') this.#executor.refuse();
    const settled = this.#consumer
      .stop()
      .catch((error) => this.#settings.logger.error({ err: error }, 'could not end the connections of the worker'))
      .then((): true => true);
    let reason: WorkerEnd['reason'] = why;
    if (!(await within(settled, timeoutMs, this.#cold.signal))) {
      this.#executor.abortAll();
      reason = this.#cold.signal.aborted ? 'cold' : 'timeout';
      if (!(await within(settled, ABORT_GRACE_MS))) this.#executor.releaseAll();
    }
    await settled;
    // What `workerStart` opens is there to be closed only when it has ended.
    await this.#opening?.catch((error) => this.#settings.logger.error({ err: error }, 'the hook workerStart failed'));
    if (this.#opening !== undefined) await this.#callStopHook();
    this.#ended.resolve({ handedBack: this.#executor.handedBack, reason });
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

  async #callStartHook(): Promise<void> {
    await this.#settings.hooks.workerStart?.(this.#event());
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
