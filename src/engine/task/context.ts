import { AsyncLocalStorage } from 'node:async_hooks';
import type { Logger } from 'pino';
import type { Duration } from '../core/duration.ts';
import { createError } from '../core/errors.ts';
import type { Firing } from '../core/schedule/firing.ts';
import type { Retry } from './exceptions.ts';

/** What a running task needs beyond its arguments. Instants are epoch milliseconds. */
export interface TaskContext {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  /** From 1. */
  readonly attempt: number;
  /** The same for every job that the first call led to; stands on every log line. */
  readonly requestId: string;
  readonly rootId: string;
  readonly parentId: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly worker: string;
  readonly createdAt: number;
  /** The schedule entry that this job is a firing of, and when it was due; null for any other job. */
  readonly schedule: Firing | null;
  /** Aborts when the soft time limit has passed, the job was revoked or the worker must stop; its reason says which. */
  readonly signal: AbortSignal;
  /** A logger whose lines carry the ids of this job. */
  readonly log: Logger;
  /**
   * Stores how far the task is: any JSON value. Seen in `tq result`, `tq inspect active`, `tq trace`, `AsyncResult.progress` and
   * events; `{ done, total, note }` (`TaskProgress`) is shown there as `340/1000 (34 %) resizing`.
   */
  progress(value: unknown): Promise<void>;
  /**
   * Ends this attempt and asks for another one. Always throws; write `throw context().retry()` so that types see it.
   *
   * @param options.countdown the wait; the task's backoff without it
   * @param options.max replaces the policy's number of retries
   * @param options.cause the error that led here; it is what a dead letter shows when no retry is left
   */
  retry(options?: { countdown?: Duration; max?: number; cause?: unknown }): Retry;
  /**
   * Ends this attempt, and gives the job the value of a signature in place of its own: its steps run next, the job waits for them, and
   * what follows the job follows them. Always throws; write `throw context().replace(signature)` so that types see it.
   */
  replace(signature: AnySignature): Error;
  /**
   * Adds a signature to the group that this job is a member of: its value is added to the list that the group gives. Call it before the
   * task ends.
   *
   * @throws NO_GROUP when the job is a member of none
   */
  add(signature: AnySignature): Promise<void>;
}

/** A call that was not made: a signature, a chain, a group or a chord. */
export interface AnySignature {
  toJSON(): unknown;
}

const storage = new AsyncLocalStorage<TaskContext>();

/**
 * The context of the task that runs now, also in functions that it awaits.
 *
 * @throws NO_CONTEXT outside a task
 */
export function context(): TaskContext {
  const current = storage.getStore();
  if (current === undefined) throw createError('NO_CONTEXT', {});
  return current;
}

/** The context, or undefined outside a task. */
export function currentContext(): TaskContext | undefined {
  return storage.getStore();
}

export function runInContext<Result>(taskContext: TaskContext, run: () => Result): Result {
  return storage.run(taskContext, run);
}
