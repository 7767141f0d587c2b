import { DelayedError, type Job, WaitingError } from 'bullmq';
import type { Outcome } from '../core/job.ts';
import type { Store } from './store.ts';
import { encodeEnd, encodeMessage, encodeStack } from './stored-job.ts';

/**
 * Tells BullMQ how the attempt ended: by what is returned, by what is thrown, or by having moved the job already.
 *
 * @param at.moved jobs that went back to their queue are added to it
 */
export async function settle(
  job: Job,
  token: string,
  outcome: Exclude<Outcome, { kind: 'succeeded' }>,
  at: { readonly store: Store; readonly moved: WeakSet<Job> },
): Promise<unknown> {
  switch (outcome.kind) {
    case 'ended':
      return encodeEnd(outcome.state, outcome.reason);
    case 'retry':
      // The policy lives with the task, not with the stored job: these are read by BullMQ when it sees the failure.
      job.opts.attempts = Number.MAX_SAFE_INTEGER;
      job.opts.backoff = { type: 'fixed', delay: outcome.delayMs };
      throw new StoredFailure(outcome, 'Error');
    case 'dead':
      throw new StoredFailure(outcome, 'UnrecoverableError');
    case 'postponed':
      at.moved.add(job);
      await job.log(outcome.note);
      await job.moveToDelayed(at.store.clock.now() + outcome.delayMs, token);
      throw new DelayedError();
    case 'released':
      at.moved.add(job);
      return release(job, token, at.store);
  }
}

/**
 * A job without priority goes back to the head of its queue. BullMQ wakes nobody when it puts back a job with a priority,
 * so that one passes through the delayed set, due at once, which does.
 */
export async function release(job: Job, token: string, store: Store): Promise<never> {
  if (job.priority > 0) {
    await job.moveToDelayed(store.clock.now(), token);
    throw new DelayedError();
  }
  await job.moveToWait(token);
  // The job is safe already; a store that went away just now costs it its place.
  await store.moveToHead(job.queueName, job.id as string).catch(() => undefined);
  throw new WaitingError();
}

/** What BullMQ stores of a failed attempt: the message, and a stack whose first line carries name and code. */
class StoredFailure extends Error {
  constructor({ error }: Outcome & { kind: 'retry' | 'dead' }, name: 'Error' | 'UnrecoverableError') {
    super(encodeMessage(error));
    // BullMQ recognises a failure that must not be retried by this name.
    this.name = name;
    this.stack = encodeStack(error);
  }
}
