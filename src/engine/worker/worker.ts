/**
 * A worker: takes jobs of its queues and has its pool run them, unless their task is paused or at a limit (admission.ts).
 *
 * Start: 1. the hook `workerStart`; 2. the pool, with `processStart` where tasks run; 3. the paused tasks are read; 4. the
 * consumer connects and takes jobs; 5. the worker joins the control bus.
 *
 * Stop, in stages (docs/worker.md):
 * 1. warm: no new jobs are started; a job that was being fetched goes back untouched. Running tasks go on.
 * 2. after the shutdown timeout, or at once when cold: the signals of the running tasks abort.
 * 3. after `ABORT_GRACE_MS` more: unfinished jobs are handed back to their queues at once, and charged no attempt.
 * 4. the last outcomes are stored, the connections end, the pool ends, the hook `workerStop` runs, the worker leaves the bus.
 */
import type { Consumer } from '../broker/port.ts';
import type { RefusedJob, RevokeOrder, RevokeReceipt } from '../control/revoke-order.ts';
import { createError, TqError } from '../core/errors.ts';
import { nearestNames } from '../core/nearest.ts';
import type { Rate, RateChange } from '../core/rate.ts';
import type { WorkerEvent } from '../events/hooks.ts';
import { assertLimits } from '../task/definition.ts';
import { Admission } from './admission/admission.ts';
import { type AttemptCounters, Attempts } from './attempts.ts';
import type { Autoscaler } from './autoscale/autoscaler.ts';
import { createAutoscaler } from './autoscale/create-autoscaler.ts';
import type { AutoscaleBounds } from './autoscale/decision.ts';
import { type HeldJob, toControlledWorker } from './control-view.ts';
import { createPool } from './create-pool.ts';
import { createDeadLetterRetention } from './dead-letters/dead-letter-retention.ts';
import { DeadLetters } from './dead-letters/dead-letters.ts';
import { Firings } from './firings/firings.ts';
import { type Health, judgeHealth } from './health/health.ts';
import { HealthMonitor } from './health/health-monitor.ts';
import type { LeasedChore } from './leased-chore.ts';
import type { Pool } from './pool.ts';
import { createResultRetention } from './result-retention.ts';
import { ResultWriting } from './result-writing.ts';
import { Revocations } from './revocations.ts';
import { within } from './settling.ts';
import { assertBounds, assertSlots } from './slot-count.ts';
import type { TaskLimits } from './time-limits.ts';
import type { WorkerEnd, WorkerSettings } from './worker-settings.ts';
import { Workflows } from './workflows/workflows.ts';

/** How long a task may take to end once its signal has aborted. */
const ABORT_GRACE_MS = 1000;
/** A worker that takes no job for so many lock durations, though it should, is unhealthy. */
const STUCK_AFTER_LOCKS = 2;

export class Worker {
  readonly name: string;
  readonly #settings: WorkerSettings;
  readonly #pool: Pool;
  readonly #attempts: Attempts;
  readonly #revocations: Revocations;
  readonly #admission: Admission;
  readonly #workflows: Workflows;
  readonly #firings: Firings;
  readonly #consumer: Consumer;
  readonly #monitor: HealthMonitor;
  readonly #results: ResultWriting | undefined;
  readonly #chores: LeasedChore[] = [];
  readonly #deadLetters: DeadLetters | undefined;
  readonly #queues: Set<string>;
  readonly #taskLimits = new Map<string, TaskLimits>();
  readonly #autoscaler: Autoscaler | undefined;
  readonly #ended = Promise.withResolvers<WorkerEnd>();
  readonly #cold = new AbortController();
  #stopping: Promise<void> | undefined;
  #opening: Promise<void> | undefined;
  #started = false;
  #looking = false;
  /** It was told to stop: what is taken from now on goes back untouched. */
  #refusing = false;

  constructor(settings: WorkerSettings) {
    this.#settings = settings;
    this.name = settings.worker;
    this.#queues = new Set(settings.queues.map(({ name }) => name));
    const onCapacity = (capacity: number): void => this.#consumer.resize(capacity);
    this.#monitor = new HealthMonitor({
      ...settings,
      limitMs: STUCK_AFTER_LOCKS * settings.lockDurationMs,
      listQueues: () => this.queues,
      hasFreeSlot: () => this.#consumer.held < this.#pool.capacity,
    });
    this.#pool = createPool({ ...settings, taskLimits: this.#taskLimits }, this.#event(), { onCapacity });
    this.#autoscaler = createAutoscaler(settings, {
      readQueues: () => this.#queues,
      readSlots: () => ({ slots: this.#pool.size, busy: this.#attempts.busy }),
      resize: (slots) => this.#pool.resize(slots),
    });
    const { worker, clock, prefork } = settings;
    this.#revocations = new Revocations({ worker, clock, pool: this.#pool, canKill: prefork !== undefined });
    this.#admission = new Admission({
      ...settings,
      queues: () => this.queues,
      isRefusing: () => this.#refusing,
    });
    this.#workflows = new Workflows(settings);
    this.#firings = new Firings({ ...settings, isRefusing: () => this.#refusing });
    if (settings.results !== undefined) {
      this.#results = new ResultWriting({ ...settings, ...settings.results });
      this.#chores.push(createResultRetention({ ...settings, ...settings.results, state: settings.broker.state }));
    }
    if (settings.deadLetters !== undefined) {
      this.#deadLetters = new DeadLetters({ ...settings, ...settings.deadLetters });
      const { keep } = settings.deadLetters;
      const listQueues = (): readonly string[] => this.queues;
      if (keep !== undefined) this.#chores.push(createDeadLetterRetention({ ...settings, ...keep, listQueues }));
    }
    this.#attempts = new Attempts({
      pool: this.#pool,
      revocations: this.#revocations,
      admission: this.#admission,
      workflows: this.#workflows,
      firings: this.#firings,
      results: this.#results,
      deadLetters: this.#deadLetters,
    });
    this.#consumer = settings.broker.createConsumer({
      queues: settings.queues,
      order: settings.order,
      concurrency: this.#pool.capacity,
      workerName: settings.worker,
      lockDurationMs: settings.lockDurationMs,
      maxWorkerLost: settings.maxWorkerLost,
      keepResultSeconds: settings.keepResultSeconds,
      perform: (job) => {
        this.#monitor.noteTaken();
        return this.#attempts.perform(job);
      },
      onTrouble: (error, queue) => {
        if (error instanceof TqError && error.code === 'BROKER_UNAVAILABLE') this.#monitor.noteBrokerLost();
        settings.logger.error({ err: error, ...(queue !== '' && { queue }) }, error.message);
      },
      onRecovered: (downMs) => {
        this.#monitor.noteBrokerUp();
        settings.logger.info({ down_ms: Math.round(downMs) }, 'the broker answers again');
      },
      onIdle: () => void this.#endBurst(),
      onDead: this.#deadLetters?.onDead,
    });
  }

  /** Those that it serves now, in order. */
  get queues(): readonly string[] {
    return [...this.#queues];
  }

  /** Slots that there are to be now. */
  get concurrency(): number {
    return this.#pool.size;
  }

  /** Between which numbers of slots it changes by itself; undefined when it does not. */
  get autoscale(): AutoscaleBounds | undefined {
    return this.#autoscaler?.bounds;
  }

  /** Limits of tasks that were changed since it started. */
  get taskLimits(): ReadonlyMap<string, TaskLimits> {
    return this.#taskLimits;
  }

  /** Attempts since it was made, by how they ended. */
  get counters(): AttemptCounters {
    return this.#attempts.counters;
  }

  /** Rates of tasks that were changed since it started, null where there is none now. */
  get taskRates(): ReadonlyMap<string, Rate | null> {
    return this.#admission.changedRates;
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
    return this.#attempts.listHeld();
  }

  /** Ends jobs that were revoked. @returns a receipt for each that it holds, when it has ended or `graceMs` is over */
  revoke(order: RevokeOrder): Promise<RevokeReceipt[]> {
    return this.#revocations.revoke(order);
  }

  /** Revoked jobs that it did not run to their end, the latest first, at most a thousand. */
  listRevoked(): readonly RefusedJob[] {
    return this.#revocations.list();
  }

  /** Jobs that run now. */
  get running(): number {
    return this.#pool.running.size;
  }

  /** Process ids of its children, in any state; none with the pool `async`. */
  get children(): readonly number[] {
    return this.#pool.children;
  }

  /** How it does, from what is known now: asks nobody. */
  get health(): Health {
    const { broker, fetch } = this.#monitor;
    const phase = this.#stopping !== undefined ? 'stopping' : this.#started ? 'running' : 'starting';
    const { size, running, children } = this.#pool;
    const pool = { kind: this.pool, slots: size, running: running.size, children: children.length };
    return judgeHealth({ phase, broker, fetch, pool });
  }

  /** `start` was called, and had not been preceded by a stop. */
  get isStarted(): boolean {
    return this.#opening !== undefined;
  }

  /**
   * Changes the number of slots. With fewer than jobs that run, none is started until enough have ended; with the pool
   * `prefork` more slots are there when their children have started.
   *
   * @param concurrency from 1 to 10,000
   * @throws INVALID_OPTION, AUTOSCALE_ON when it changes by itself
   */
  resize(concurrency: number): void {
    if (this.#autoscaler !== undefined) throw createError('AUTOSCALE_ON', { worker: this.name });
    this.#pool.resize(assertSlots(concurrency, 'concurrency of the worker'));
  }

  /**
   * Changes the bounds between which the number of slots changes by itself.
   *
   * @throws INVALID_OPTION, AUTOSCALE_OFF when the worker was not started so
   */
  setAutoscale(bounds: AutoscaleBounds): void {
    if (this.#autoscaler === undefined) throw createError('AUTOSCALE_OFF', { worker: this.name });
    this.#autoscaler.setBounds(assertBounds(bounds));
  }

  /**
   * Serves a further queue, last in the order.
   *
   * @param queue its name, or `name:weight`
   * @returns whether it was not served before
   * @throws UNDECLARED_QUEUE, INVALID_OPTION, BROKER_UNAVAILABLE
   */
  async addQueue(queue: string): Promise<boolean> {
    const parsed = this.#settings.parseQueue?.(queue) ?? { name: queue, weight: 1 };
    if (this.#queues.has(parsed.name)) return false;
    this.#queues.add(parsed.name);
    try {
      await this.#consumer.addQueue(parsed);
    } catch (error) {
      this.#queues.delete(parsed.name);
      throw error;
    }
    return true;
  }

  /**
   * Takes no more jobs of a queue. The last one may go too: the worker then waits to be given one, or ends when it was to
   * end with its work.
   *
   * @returns whether it was served; resolves when the jobs of it that run have ended
   */
  async removeQueue(name: string): Promise<boolean> {
    if (!this.#queues.delete(name)) return false;
    await this.#consumer.removeQueue(name);
    void this.#endBurst();
    return true;
  }

  /**
   * Replaces the limits of a task, for attempts that begin from now on, until the worker ends. Limits of a call go first as
   * before; those of the worker hold where the task has none.
   *
   * @throws UNKNOWN_TASK, INVALID_OPTION for a soft limit that is not shorter than the hard one
   */
  setTimeLimits(task: string, limits: TaskLimits): void {
    const { tasks } = this.#settings;
    if (!tasks.has(task)) {
      const next = 'name a task that this worker registers; `tq inspect registered` lists them';
      throw createError('UNKNOWN_TASK', { task, near: nearestNames(task, [...tasks.keys()]), next });
    }
    assertLimits(limits.softTimeLimitMs, limits.timeLimitMs, `task "${task}"`);
    this.#taskLimits.set(task, limits);
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
    return () => this.#admission.letGoRate(change);
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
      await this.#settings.control?.leave();
      throw error;
    }
    this.#started = true;
    if (this.#stopping === undefined) this.#autoscaler?.start();
    await this.#joinControl();
    if (this.#stopping === undefined) {
      this.#monitor.start();
      for (const chore of this.#chores) chore.start();
    }
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
    this.#monitor.stop();
    this.#autoscaler?.stop();
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
      if (!(await within(settled, ABORT_GRACE_MS))) {
        this.#pool.releaseAll();
        this.#admission.abandon();
        this.#workflows.abandon();
        this.#firings.abandon();
        this.#results?.abandon();
        this.#deadLetters?.abandon();
      }
    }
    await settled;
    await Promise.all(this.#chores.map((chore) => chore.stop()));
    await this.#deadLetters?.stop();
    await this.#firings.stop();
    await this.#admission.stop();
    await this.#pool.stop();
    // What `workerStart` opens is there to be closed only when it has ended.
    await this.#opening?.catch((error) => this.#settings.logger.error({ err: error }, 'the worker could not start'));
    if (this.#opening !== undefined) await this.#callStopHook();
    await this.#settings.control?.leave();
    this.#ended.resolve({ handedBack: this.#pool.handedBack + (this.#results?.handedBack ?? 0), reason });
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

  /** A worker runs its jobs also when nobody can reach it. */
  async #joinControl(): Promise<void> {
    const { control, logger } = this.#settings;
    await control
      ?.join(toControlledWorker(this, control.facts))
      .catch((error) => logger.warn({ err: error }, 'the worker cannot be asked by tq status and tq inspect'));
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
