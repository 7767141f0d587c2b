import { type IQueueBackend, type Job, type JobJson, Worker, type WorkerOptions } from 'bullmq';
import { parseMark, type Revocation } from '../core/revocation.ts';
import { release } from './settle.ts';
import type { SlotGate } from './slot-gate.ts';
import type { Slots } from './slots.ts';
import type { Store } from './store.ts';
import { parseData, STACKS_KEPT, STALLED_TOO_OFTEN } from './stored-job.ts';

/** How long a job may wait for a slot with its lock taken before it is handed back to the other workers. */
const RESERVE_MS = 1000;

/** BullMQ's worker with four additions: data that is not JSON, jobs lost too often, revoked jobs, and shared slots. */
export class QueueWorker extends Worker<unknown, unknown, string, IQueueBackend> {
  /** Jobs whose data is not JSON, and why. */
  readonly unreadable = new WeakMap<Job, string>();
  /** Jobs that were marked as revoked when they were taken. */
  readonly revoked = new WeakMap<Job, Revocation>();
  /** Jobs that went back to the queue: BullMQ must not fetch another one in their place, their slot is given back. */
  readonly moved = new WeakSet<Job>();
  /** Hears how many more or fewer jobs this worker holds: from the fetch until the outcome is stored. */
  onHeld: (change: 1 | -1) => void = () => {};
  /** Jobs that came with the answer to their predecessor, and are counted as held in its place until they begin. */
  readonly #carried = new Set<Job>();
  /** Those of them that have the slot of their predecessor. */
  readonly #heirs = new WeakSet<Job>();
  readonly #leaving = new AbortController();
  /** Jobs that began before there were slots, and run. */
  #unslotted = 0;
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

  /** From now on its jobs need slots. Those that run already have them. */
  share(slots: Slots, gate: SlotGate, store: Store): void {
    this.#slots = slots;
    this.#gate = gate;
    this.#store = store;
    slots.occupy(this.#unslotted);
  }

  /** Its queue is served no more: what it holds and has not begun goes back. */
  get isLeaving(): boolean {
    return this.#leaving.signal.aborted;
  }

  /** Resolves when the jobs that run have ended and the connection is closed. */
  async leave(): Promise<void> {
    this.#leaving.abort();
    await this.close();
  }

  /**
   * BullMQ's loop waits for one of its running jobs to end before it looks at its concurrency again. With more slots it is
   * given an empty result to wake up by, as it has when a queue holds no job; the queue of its results is a private part.
   */
  resize(concurrency: number): void {
    const grows = concurrency > this.concurrency;
    this.concurrency = concurrency;
    const { mainLoopQueue } = this as unknown as { mainLoopQueue: { add(result: Promise<undefined>): void } | null };
    if (grows) mainLoopQueue?.add(Promise.resolve(undefined));
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
    const revocation = job.deferredFailure ? parseMark(job.deferredFailure) : undefined;
    if (revocation !== undefined) {
      this.revoked.set(job, revocation);
      job.deferredFailure = '';
    }
    return job;
  }

  override async processJob(job: Job, token: string, fetchNext: () => boolean = () => true): Promise<Job | undefined> {
    if (!this.#carried.delete(job)) this.onHeld(1);
    const slots = this.#slots;
    if (slots === undefined) this.#unslotted += 1;
    let next: Job | undefined;
    try {
      const mayFetch = (): boolean => !this.moved.has(job) && fetchNext() && this.#slots?.mustYield(this.name) !== true;
      next = (await (slots === undefined
        ? super.processJob(job, token, mayFetch)
        : this.#processInSlot(job, token, { slots, mayFetch }))) as Job | undefined;
      return next;
    } finally {
      if (slots === undefined) this.#endUnslotted(next);
      if (next === undefined) this.onHeld(-1);
      else this.#carried.add(next);
    }
  }

  /** Slots may have come while it ran; then it was counted as having one. */
  #endUnslotted(next: Job | undefined): void {
    this.#unslotted -= 1;
    if (this.#slots !== undefined) this.#passOn(this.#slots, next);
  }

  async #processInSlot(
    job: Job,
    token: string,
    { slots, mayFetch }: { slots: Slots; mayFetch: () => boolean },
  ): Promise<Job | undefined> {
    const hasSlot = this.#heirs.delete(job) || this.#gate?.takeReservation(job.id as string) !== true;
    if (!hasSlot && !(await this.#waitForSlot(slots))) {
      if (this.#store !== undefined) await release(job, token, this.#store).catch(() => undefined);
      return undefined;
    }
    let next: Job | undefined;
    try {
      next = (await super.processJob(job, token, mayFetch)) as Job | undefined;
      return next;
    } finally {
      this.#passOn(slots, next);
    }
  }

  /** The slot of a job that has ended goes to the job that came with the answer, or to whoever is due it. */
  #passOn(slots: Slots, next: Job | undefined): void {
    if (next === undefined) {
      slots.release(this.name);
      return;
    }
    this.#heirs.add(next);
    slots.continueWith(this.name);
  }

  #waitForSlot(slots: Slots): Promise<boolean> {
    return slots.take(this.name, AbortSignal.any([AbortSignal.timeout(RESERVE_MS), this.#leaving.signal]));
  }
}
