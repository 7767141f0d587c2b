/**
 * Runs jobs in child processes, one job at a time each (design.md §6).
 *
 * A job goes this way:
 * 1. Refused here if it must not run, put back if its task is unknown: no child is troubled with it.
 * 2. Handed to an idle child. There is one for each job that the consumer may take, unless one was just lost; then the job
 *    waits for the replacement, and goes back to its queue when that takes long.
 * 3. The child runs it and says the outcome. Its limits run here: the soft one is told to the child, the hard one kills it.
 * 4. If the child dies, the job has lost a worker (death.ts).
 *
 * This process holds the locks and never runs a task, so whatever a task does, the locks of all other jobs are renewed. What
 * a dead child cannot say any more is reported here, to the log and to the hooks.
 */
import type { TakenJob } from '../../broker/port.ts';
import type { AlertRule } from '../../core/alert-rule.ts';
import { type Outcome, toStoredError } from '../../core/job.ts';
import { type Revocation, revokedOutcome } from '../../core/revocation.ts';
import { relayInto } from '../../runtime/log-relay.ts';
import type { TaskDefinition } from '../../task/definition.ts';
import { findTask } from '../../task/mapping.ts';
import { giveUp, handBack, refuseSecondStart } from '../at-most-once.ts';
import { createReporter, type Reporter } from '../attempt-report.ts';
import type { ExecutorOptions } from '../executor.ts';
import { judge } from '../judge.ts';
import type { Pool, PoolListener, RunningJob } from '../pool.ts';
import { findRefusal } from '../refusal.ts';
import { RunningTask } from '../running-task.ts';
import { armLimits } from '../time-limits.ts';
import { postponeUnknown } from '../unknown-task.ts';
import type { Child, RunEnd } from './child.ts';
import { type Death, describeDeath, judgeDeath } from './death.ts';
import { Haste } from './haste.ts';
import { IdleChildren } from './idle-children.ts';
import { Staff } from './staff.ts';

export interface PreforkOptions {
  /** Absolute path of the module that exports the app. */
  readonly module: string;
  /** The broker that the app uses, for calls that tasks make. */
  readonly brokerUrl: string | undefined;
  /** The result store of the app, if it is not the broker. */
  readonly resultsUrl?: string | undefined;
  /** The alerts that its children send. */
  readonly alerts?: readonly AlertRule[] | undefined;
  /** A child is replaced after so many jobs. */
  readonly maxTasksPerChild?: number | undefined;
  /** A child is replaced when its resident memory is larger after a job, in bytes. */
  readonly maxMemoryPerChild?: number | undefined;
  /** Flags of Node for the children, beside those of this process. */
  readonly execArgv?: readonly string[] | undefined;
}

export interface PreforkPoolOptions extends ExecutorOptions, PoolListener {
  readonly concurrency: number;
  readonly queues: readonly string[];
  readonly prefork: PreforkOptions;
}

const RELEASED: Outcome = { kind: 'released' };

export class PreforkPool implements Pool {
  readonly #options: PreforkPoolOptions;
  readonly #staff: Staff;
  readonly #reporter: Reporter;
  readonly #running = new Set<Run>();
  readonly #idle: IdleChildren;
  readonly #haste = new Haste();
  #refusing = false;
  #handedBack = 0;
  #capacity: number;

  constructor(options: PreforkPoolOptions) {
    const { logger, worker, queues, prefork, unknownTasks, maxWorkerLost } = options;
    const relay = relayInto(logger);
    this.#options = options;
    this.#capacity = options.concurrency;
    this.#reporter = createReporter(options);
    this.#idle = new IdleChildren(() => {
      if (this.#haste.end()) this.#tellCapacity();
    });
    this.#staff = new Staff({
      size: options.concurrency,
      clock: options.clock,
      logger,
      relay,
      execArgv: prefork.execArgv,
      settings: {
        module: prefork.module,
        brokerUrl: prefork.brokerUrl ?? null,
        resultsUrl: prefork.resultsUrl ?? null,
        alerts: prefork.alerts ?? [],
        worker,
        queues,
        log: relay.shape,
        unknownTasks,
        maxWorkerLost,
        reportsMemory: prefork.maxMemoryPerChild !== undefined,
      },
      onReady: (child) => this.#idle.offer(child),
      onPresence: () => this.#tellCapacity(),
    });
  }

  get size(): number {
    return this.#staff.size;
  }

  get capacity(): number {
    return this.#capacity;
  }

  get running(): ReadonlySet<RunningJob> {
    return this.#running;
  }

  get handedBack(): number {
    return this.#handedBack;
  }

  get children(): readonly number[] {
    return this.#staff.pids;
  }

  start(): Promise<void> {
    return this.#staff.start();
  }

  async perform(job: TakenJob): Promise<Outcome> {
    if (this.#refusing) return RELEASED;
    try {
      const refusal = findRefusal(job, this.#options);
      if (refusal !== undefined) return await this.#reporter.ended(this.#describe(job), refusal);
      const definition = findTask(this.#options, job.task);
      if (definition === undefined) {
        return await this.#reporter.ended(this.#describe(job), await postponeUnknown(job, this.#options));
      }
      const second = refuseSecondStart(job, definition);
      if (second !== undefined) return await this.#reporter.ended(this.#describe(job), second);
      if (definition.keepResultSeconds === false) job.dropResult();
      const child = this.#idle.take() ?? (await this.#idle.wait());
      if (child === undefined || !(await this.#noteStart(child, job))) return RELEASED;
      if (job.revoked === undefined) return await this.#runIn(child, job, definition);
      this.#idle.offer(child);
      return await this.#reporter.ended(this.#describe(job), revokedOutcome(job.revoked));
    } catch (error) {
      // Nothing above throws by design; if it does, the job must not be lost: it is judged like a failing task.
      this.#options.logger.error({ ...this.#describe(job).fields, err: error }, 'the attempt itself failed');
      return { kind: 'dead', error: toStoredError(error) };
    }
  }

  refuse(): void {
    this.#refusing = true;
    // They have not begun, and nobody knows whether a child comes.
    this.#idle.giveUp();
  }

  abortAll(): void {
    for (const run of this.#running) run.abort();
  }

  releaseAll(): void {
    for (const run of this.#running) run.end(RELEASED);
  }

  resize(size: number): void {
    this.#staff.resize(size);
  }

  revoke(
    job: Pick<TakenJob, 'id' | 'queue'>,
    { revocation, terminate }: { readonly revocation: Revocation; readonly terminate: boolean },
  ): boolean {
    const runs = [...this.#running].filter(({ id, queue }) => id === job.id && queue === job.queue);
    for (const run of runs) {
      if (terminate) run.end(revokedOutcome(revocation));
      else run.revoke(revocation);
    }
    return runs.length > 0;
  }

  async stop(): Promise<void> {
    this.refuse();
    await this.#staff.stop();
  }

  /** Gives a unique key back that is held until now. @returns whether the child is still there to run the job */
  async #noteStart(child: Child, job: TakenJob): Promise<boolean> {
    const noted = job.noteStart();
    if (noted === undefined) return true;
    let isNoted = false;
    try {
      await noted;
      isNoted = !this.#refusing && child.isIdle;
      return isNoted;
    } finally {
      if (!isNoted && child.isIdle) this.#idle.offer(child);
    }
  }

  async #runIn(child: Child, job: TakenJob, definition: TaskDefinition): Promise<Outcome> {
    const { clock, random } = this.#options;
    const task = this.#describe(job);
    const run = new Run(task, child);
    this.#running.add(run);
    const startedAt = clock.monotonic();
    let exceeded: Error | undefined;
    const disarm = armLimits({
      job,
      definition,
      worker: this.#options,
      onSoft: (_, limitMs) => child.abort({ code: 'SOFT_TIME_LIMIT', limitMs }),
      onHard(error) {
        exceeded = error;
        child.kill();
      },
    });
    const end = await child.run(job, task);
    disarm();
    this.#running.delete(run);
    if (end.kind === 'ended') {
      if (this.#haste.note(clock.monotonic() - startedAt)) this.#tellCapacity();
      this.#takeBack(child, end);
      if (end.outcome.kind === 'released') this.#handedBack += 1;
      return end.outcome;
    }
    const durationMs = clock.monotonic() - startedAt;
    if (run.outcome !== undefined) {
      // It was handed over, so its function may have begun.
      return this.#reportForced(task, run.outcome.kind === 'released' ? handBack(definition) : run.outcome);
    }
    if (run.revoked !== undefined) return this.#reportForced(task, revokedOutcome(run.revoked));
    if (exceeded !== undefined) {
      const outcome = judge({ error: exceeded, job, definition, random, stopping: run.isStopping });
      return this.#reporter.failed(task, outcome, { error: exceeded, durationMs });
    }
    return this.#reportDeath(task, job, { death: end.death, durationMs, definition });
  }

  async #reportForced(task: RunningTask, outcome: Outcome): Promise<Outcome> {
    if (outcome.kind === 'released') this.#handedBack += 1;
    return this.#reporter.ended(task, outcome);
  }

  #reportDeath(
    task: RunningTask,
    job: TakenJob,
    { death, durationMs, definition }: { death: Death; durationMs: number; definition: TaskDefinition },
  ): Promise<Outcome> {
    const isOnce = definition.delivery === 'at-most-once';
    const outcome = isOnce
      ? giveUp(job.task, `its process died: ${describeDeath(death).how}`)
      : judgeDeath(job, death, this.#options.maxWorkerLost);
    const { name, message, code, stack } = outcome.error;
    const error = Object.assign(new Error(message), { name, code, stack: stack ?? `${name}: ${message}` });
    return this.#reporter.failed(task, outcome, { error, durationMs });
  }

  #takeBack(child: Child, { memory = 0, unfit }: RunEnd & { kind: 'ended' }): void {
    const {
      maxTasksPerChild: maxTasks = Number.POSITIVE_INFINITY,
      maxMemoryPerChild: maxMemory = Number.POSITIVE_INFINITY,
    } = this.#options.prefork;
    if (unfit !== undefined) {
      this.#staff.expel(child, unfit);
      return;
    }
    if (child.jobsDone >= maxTasks) this.#staff.retire(child, `it has run ${child.jobsDone} jobs`);
    else if (memory > maxMemory) this.#staff.retire(child, `it holds ${Math.round(memory / 2 ** 20)} MiB of memory`);
    if (this.#staff.keep(child)) this.#idle.offer(child);
  }

  /**
   * A job for each child that is there. While jobs are short, one more for each: it is handed over as soon as a child is
   * free, while the outcome of the job before it is still on its way to the store.
   */
  #tellCapacity(): void {
    const present = Math.max(1, Math.min(this.#staff.present, this.size));
    const capacity = this.#haste.isOn ? 2 * present : present;
    if (capacity === this.#capacity) return;
    this.#capacity = capacity;
    this.#options.onCapacity(capacity);
  }

  /** What hooks and log lines need of a job; its signal and its logger are those of the child. */
  #describe(job: TakenJob): RunningTask {
    return new RunningTask(job, this.#options.worker, this.#options.logger);
  }
}

/** A job in a child. */
class Run implements RunningJob {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly attempt: number;
  readonly #child: Child;
  /** How the job ends when the process is killed for it. */
  outcome: Outcome | undefined;
  /** Its signal was aborted with this. */
  revoked: Revocation | undefined;
  isStopping = false;

  constructor({ id, task, queue, attempt }: RunningTask, child: Child) {
    this.id = id;
    this.task = task;
    this.queue = queue;
    this.attempt = attempt;
    this.#child = child;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  abort(): void {
    this.isStopping = true;
    this.#child.abort({ code: 'WORKER_STOPPING' });
  }

  revoke(revocation: Revocation): void {
    this.revoked ??= revocation;
    this.#child.abort({ code: 'TASK_REVOKED', revocation });
  }

  end(outcome: Outcome): void {
    this.outcome ??= outcome;
    this.#child.kill();
  }
}
