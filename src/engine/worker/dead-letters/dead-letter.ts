import type { TakenJob } from '../../broker/port.ts';
import { toKeptError } from '../../broker/stored-job.ts';
import { fingerprintOf } from '../../core/fingerprint.ts';
import type { StoredError } from '../../core/job.ts';

/** A job that has just become a dead letter, as the application is told of it. */
export interface DeadLetter {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly args: readonly unknown[];
  readonly error: DeadLetterError;
  /** How many attempts were made, the last one included. */
  readonly attempts: number;
  /** Name of the worker that saw it. */
  readonly worker: string;
  readonly requestId: string;
}

export interface DeadLetterError {
  readonly name: string;
  readonly message: string;
  readonly code: string | null;
  /** The same for errors that differ in numbers, ids and quoted values alone: that of `tq dlq stats`. */
  readonly fingerprint: string;
}

export type OnDeadLetter = (letter: DeadLetter) => void | Promise<void>;

export function toDeadLetter(
  { id, task, queue, args, attempts, meta }: Pick<TakenJob, 'id' | 'task' | 'queue' | 'args' | 'attempts' | 'meta'>,
  error: StoredError,
  worker: string,
): DeadLetter {
  const { name, message, code } = error;
  const requestId = meta.requestId ?? meta.rootId ?? id;
  return {
    ...{ id, task, queue, args, attempts, worker, requestId },
    error: { name, message, code, fingerprint: fingerprintOf(toKeptError(error)) },
  };
}
