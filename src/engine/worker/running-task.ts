import type { Logger } from 'pino';
import { createError, TqError } from '../core/errors.ts';
import { assertJson } from '../core/json.ts';
import { createTaskRevoked, type Revocation } from '../core/revocation.ts';
import { type Firing, readFiring } from '../core/schedule/firing.ts';
import type { WorkflowGraph } from '../core/workflow/graph.ts';
import type { AnySignature, TaskContext } from '../task/context.ts';
import { Replaced, Retry } from '../task/exceptions.ts';
import type { AttemptJob } from './attempt-job.ts';

/** Makes a graph of a signature that a task brings into its workflow. */
export type Compile = (signature: AnySignature) => WorkflowGraph;

/** Of a process that runs no task functions. */
const CANNOT_COMPILE: Compile = () => {
  throw new Error('signatures are compiled where tasks run');
};

/**
 * One attempt while it runs: the context that the task sees, its signal, and the ways to end it from outside.
 *
 * Logger and signal are made when the task asks for them; most tasks ask for neither.
 */
export class RunningTask implements TaskContext {
  readonly worker: string;
  readonly attempt: number;
  readonly #job: AttemptJob;
  readonly #logger: Logger;
  readonly #compile: Compile;
  #log: Logger | undefined;
  #controller: AbortController | undefined;
  #abortReason: unknown;
  #giveUp: ((error?: Error) => void) | undefined;
  #isReleased = false;
  #revoked: Revocation | undefined;
  #hasBegun = false;

  constructor(job: AttemptJob, worker: string, logger: Logger, compile: Compile = CANNOT_COMPILE) {
    this.#job = job;
    this.#logger = logger;
    this.#compile = compile;
    this.worker = worker;
    // BullMQ counts on when the outcome is stored; a function that was given up may still ask.
    this.attempt = job.attempts;
  }

  get id(): string {
    return this.#job.id;
  }

  get task(): string {
    return this.#job.task;
  }

  get queue(): string {
    return this.#job.queue;
  }

  get rootId(): string {
    return this.#job.meta.rootId ?? this.#job.id;
  }

  get requestId(): string {
    return this.#job.meta.requestId ?? this.rootId;
  }

  get parentId(): string | null {
    return this.#job.meta.parentId ?? null;
  }

  get headers(): Readonly<Record<string, string>> {
    return this.#job.meta.headers ?? NO_HEADERS;
  }

  get createdAt(): number {
    return this.#job.createdAt;
  }

  get schedule(): Firing | null {
    return readFiring(this.#job) ?? null;
  }

  /** The fields of every log line about this attempt. */
  get fields(): Record<string, unknown> {
    const { schedule } = this.#job.meta;
    return {
      task_id: this.id,
      task_name: this.task,
      queue: this.queue,
      attempt: this.attempt,
      request_id: this.requestId,
      worker: this.worker,
      ...(schedule !== undefined && { schedule: schedule.entry }),
    };
  }

  get log(): Logger {
    this.#log ??= this.#logger.child(this.fields);
    return this.#log;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  /** Its signal aborted because the worker stops, not because of a limit of its own. */
  get isStopping(): boolean {
    return this.#abortReason instanceof TqError && this.#abortReason.code === 'WORKER_STOPPING';
  }

  /** The attempt was given up, perhaps before its function began. */
  get isReleased(): boolean {
    return this.#isReleased;
  }

  /** A getter that gives a function, so that `const { progress } = context()` works too. */
  get progress(): TaskContext['progress'] {
    return async (value) => {
      assertJson(value, `the progress of task "${this.task}"`, 'progress');
      await this.#job.updateProgress(value);
    };
  }

  get retry(): (options?: Parameters<TaskContext['retry']>[0]) => never {
    return (options = {}) => {
      throw new Retry(undefined, options);
    };
  }

  get replace(): TaskContext['replace'] {
    return (signature) => {
      throw new Replaced(this.#compile(signature));
    };
  }

  get add(): TaskContext['add'] {
    return async (signature) => {
      const { addMember } = this.#job;
      if (addMember === undefined) throw createError('NO_GROUP', { task: this.task, id: this.id });
      await addMember.call(this.#job, this.#compile(signature));
    };
  }

  /** Its job was revoked while it ran. */
  get revoked(): Revocation | undefined {
    return this.#revoked;
  }

  /** Its function has been called. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /**
   * Its function is called now.
   *
   * @param giveUp is called when nobody is to wait for it any more: with the error that ends the attempt, or without one when
   *   its job is handed back
   */
  begin(giveUp: (error?: Error) => void): void {
    this.#hasBegun = true;
    this.#giveUp = giveUp;
  }

  abort(reason: unknown): void {
    this.#abortReason ??= reason;
    this.#controller?.abort(reason);
  }

  release(): void {
    this.#isReleased = true;
    this.#giveUp?.();
  }

  /**
   * Aborts the signal because its job was revoked.
   *
   * @param terminate gives the attempt up too
   */
  revoke(revocation: Revocation, terminate: boolean): void {
    this.#revoked ??= revocation;
    const error = createTaskRevoked(this, revocation, terminate);
    this.abort(error);
    if (terminate) this.#giveUp?.(error);
  }
}

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

/** The reason of a signal that aborts because the worker stops. */
export function workerStopping(worker: string): Error {
  return createError('WORKER_STOPPING', { worker });
}
