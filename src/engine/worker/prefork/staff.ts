/**
 * The children of a pool: as many as were asked for, each replaced when it dies or is spent.
 *
 * - A child that dies is replaced at once. One that cannot start, or dies as soon as it has, is tried again with growing
 *   pauses and alone: an app that a deploy has broken must not cost all processors.
 * - A child that is spent (`retire`) goes on until its replacement is ready, so that no slot is empty meanwhile. Few are
 *   replaced at the same time, because a start costs more than most jobs.
 * - When there are to be fewer (`resize`), idle ones leave first; a busy one leaves after its job.
 */
import type { Clock } from '../../core/clock.ts';
import { Child, type ChildOptions } from './child.ts';
import { type Death, describeDeath } from './death.ts';
import { type Guard, startGuard } from './guard.ts';

export interface StaffOptions extends Omit<ChildOptions, 'onGone'> {
  readonly size: number;
  readonly clock: Clock;
  /** A child has started and waits for its first job. */
  readonly onReady: (child: Child) => void;
  /** `present` has changed. */
  readonly onPresence: () => void;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 30_000;
/** A child that dies so soon after its start, without having had a job, has not really started. */
const EARLY_MS = 2000;

export class Staff {
  readonly #options: StaffOptions;
  readonly #starting = new Set<Child>();
  /** Ready for jobs or busy with one, since when. */
  readonly #members = new Map<Child, { readonly readyAt: number }>();
  /** Members that are to be replaced, the first first. */
  readonly #spent = new Set<Child>();
  /** Members no more: they end their job and leave. */
  readonly #leaving = new Set<Child>();
  #guard: Guard | undefined;
  #size: number;
  #isOpening = false;
  #isStopped = false;
  /** Children in a row that did not really start. */
  #failures = 0;
  #pause: NodeJS.Timeout | undefined;

  constructor(options: StaffOptions) {
    this.#options = options;
    this.#size = options.size;
  }

  get size(): number {
    return this.#size;
  }

  /** Children that wait for jobs or run one, without those that are about to leave. */
  get present(): number {
    return this.#members.size;
  }

  /** Of all children that live, in any state. */
  get pids(): readonly number[] {
    return [...this.#leaving, ...this.#members.keys(), ...this.#starting].flatMap(({ pid }) => pid ?? []);
  }

  /**
   * Resolves when all have started, or when `stop` was called meanwhile.
   *
   * @throws what kept the first of them from it; none is left then
   */
  async start(): Promise<void> {
    if (this.#isStopped) return;
    this.#isOpening = true;
    this.#guard = startGuard();
    try {
      await Promise.all(Array.from({ length: this.#size }, () => this.#startChild().ready));
    } catch (error) {
      if (this.#isStopped) return;
      await this.stop();
      throw error;
    } finally {
      this.#isOpening = false;
    }
    // One may have died while others were still starting.
    this.#fill();
  }

  resize(size: number): void {
    this.#size = size;
    this.#fill();
    this.#trim();
    this.#options.onPresence();
  }

  /** A child has ended a job. @returns whether it may have another one; else it leaves */
  keep(child: Child): boolean {
    if (this.#failures > 0) {
      this.#failures = 0;
      this.#fill();
    }
    if (this.#leaving.has(child)) void child.leave();
    return this.#members.has(child);
  }

  /** Replaces a child; it goes on with jobs until the other one is ready. */
  retire(child: Child, reason: string): void {
    if (!this.#members.has(child) || this.#spent.has(child)) return;
    this.#spent.add(child);
    this.#options.logger.info({ ...this.#factsOf(child), reason }, 'a child process will be replaced');
    this.#fill();
  }

  /** Replaces a child that must not have another job. */
  expel(child: Child, reason: string): void {
    this.#options.logger.warn({ ...this.#factsOf(child), reason }, 'a child process is replaced');
    this.#dismiss(child);
    this.#fill();
    this.#options.onPresence();
  }

  /** Idle children end in their own way, all others are killed. Resolves when none is left. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#pause);
    const all = [...this.#starting, ...this.#members.keys(), ...this.#leaving];
    await Promise.all(
      all.map((child) => {
        if (!child.isIdle) child.kill();
        return child.leave();
      }),
    );
    this.#guard?.close();
  }

  #startChild(): Child {
    const child = new Child({ ...this.#options, onGone: (gone, end) => this.#lose(gone, end) });
    this.#starting.add(child);
    if (child.pid !== undefined) this.#guard?.watch(child.pid);
    child.ready.then(
      () => this.#welcome(child),
      (error) => this.#noteFailure(child, error),
    );
    return child;
  }

  #welcome(child: Child): void {
    this.#starting.delete(child);
    if (this.#isStopped) return;
    this.#members.set(child, { readyAt: this.#options.clock.monotonic() });
    this.#trim();
    this.#fill();
    this.#options.onPresence();
    if (this.#members.has(child)) this.#options.onReady(child);
  }

  /** The start as a whole fails with the error of its first child; later, a child is tried again. */
  #noteFailure(child: Child, error: Error): void {
    this.#starting.delete(child);
    if (this.#isStopped || this.#isOpening) return;
    const pauseMs = this.#pauseFill();
    this.#options.logger.error({ err: error, retry_in_ms: pauseMs }, 'a child process could not be started');
  }

  #lose(child: Child, { death, wasBusy }: { death: Death; wasBusy: boolean }): void {
    const member = this.#members.get(child);
    if (child.pid !== undefined) this.#guard?.forget(child.pid);
    this.#members.delete(child);
    this.#spent.delete(child);
    this.#leaving.delete(child);
    if (this.#isStopped || member === undefined) return;
    if (!wasBusy) {
      const { how } = describeDeath(death);
      this.#options.logger.warn({ ...this.#factsOf(child), reason: how }, 'a child process died while it was idle');
      const isEarly = this.#options.clock.monotonic() - member.readyAt < EARLY_MS;
      if (isEarly && child.jobsDone === 0) this.#pauseFill();
    }
    this.#fill();
    this.#options.onPresence();
  }

  #factsOf({ pid, jobsDone }: Child): Readonly<Record<string, unknown>> {
    return { worker: this.#options.settings.worker, pid, jobs: jobsDone };
  }

  #pauseFill(): number {
    this.#failures += 1;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (this.#failures - 1), LONGEST_PAUSE_MS);
    this.#pause ??= setTimeout(() => {
      this.#pause = undefined;
      this.#fill();
    }, pauseMs);
    return pauseMs;
  }

  #fill(): void {
    if (this.#isStopped || this.#isOpening || this.#pause !== undefined) return;
    const atOnce = this.#failures > 0 ? 1 : Number.POSITIVE_INFINITY;
    const replacements = Math.min(this.#spent.size, Math.ceil(this.#size / 4));
    const wanted = this.#size + replacements;
    while (this.#members.size + this.#starting.size < wanted && this.#starting.size < atOnce) this.#startChild();
  }

  #trim(): void {
    while (this.#members.size > this.#size) {
      const candidates = this.#spent.size > 0 ? [...this.#spent] : [...this.#members.keys()];
      this.#dismiss(candidates.find(({ isIdle }) => isIdle) ?? (candidates[0] as Child));
    }
  }

  #dismiss(child: Child): void {
    if (!this.#members.delete(child)) return;
    this.#spent.delete(child);
    this.#leaving.add(child);
    if (child.isIdle) void child.leave();
  }
}
