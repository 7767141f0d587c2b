/**
 * The control commands that change a running worker: its slots, its queues, and the time limits of its tasks. Nothing of it
 * outlives the worker. What an asker sends is unchecked, and its answer says what is true now.
 */
import { isRecord } from '../core/envelope.ts';
import { createError } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import type { ControlledWorker } from './controlled-worker.ts';
import type { AutoscaleReply, ConsumersReply, PoolReply, TimeLimitReply } from './replies.ts';

export function growPool(worker: ControlledWorker, args: unknown): PoolReply {
  worker.resize(worker.concurrency + readCount(args, 'by'));
  return { concurrency: worker.concurrency };
}

/** One slot stays: a worker that is to do nothing is stopped. */
export function shrinkPool(worker: ControlledWorker, args: unknown): PoolReply {
  worker.resize(Math.max(1, worker.concurrency - readCount(args, 'by')));
  return { concurrency: worker.concurrency };
}

export function changeBounds(worker: ControlledWorker, args: unknown): AutoscaleReply {
  worker.setAutoscale({ max: readCount(args, 'max'), min: readCount(args, 'min') });
  const { max, min } = worker.autoscale ?? { max: worker.concurrency, min: worker.concurrency };
  return { concurrency: worker.concurrency, max, min };
}

export async function addConsumer(worker: ControlledWorker, args: unknown): Promise<ConsumersReply> {
  const changed = await worker.addQueue(readText(args, 'queue'));
  return { queues: worker.queues, changed };
}

/** A queue that is not served is none of this worker's; that is said, and no error: others may serve it. */
export function cancelConsumer(worker: ControlledWorker, args: unknown): ConsumersReply {
  const changed = worker.removeQueue(readText(args, 'queue'));
  return { queues: worker.queues, changed };
}

export function changeTimeLimits(worker: ControlledWorker, args: unknown): TimeLimitReply {
  const task = readText(args, 'task');
  const softTimeLimitMs = readLimit(args, 'softTimeLimitMs');
  const timeLimitMs = readLimit(args, 'timeLimitMs');
  worker.setTimeLimits(task, { softTimeLimitMs: softTimeLimitMs ?? undefined, timeLimitMs: timeLimitMs ?? undefined });
  return { task, softTimeLimitMs, timeLimitMs };
}

function readCount(args: unknown, name: string): number {
  const value = read(args, name);
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value;
  throw invalid(name, 'a whole number from 1', value);
}

function readText(args: unknown, name: string): string {
  const value = read(args, name);
  if (typeof value === 'string' && value !== '') return value;
  throw invalid(name, 'a text', value);
}

function readLimit(args: unknown, name: string): number | null {
  const value = read(args, name);
  if (value === null || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1)) return value;
  throw invalid(name, 'milliseconds, or null for none', value);
}

function read(args: unknown, name: string): unknown {
  return isRecord(args) && Object.hasOwn(args, name) ? args[name] : undefined;
}

function invalid(name: string, expected: string, given: unknown): Error {
  return createError('INVALID_OPTION', {
    what: `${name} of the control command`,
    expected,
    given: formatGiven(given),
  });
}
