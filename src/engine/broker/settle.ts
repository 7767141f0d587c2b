import { DelayedError, type IQueueBackend, type Job, WaitingChildrenError, WaitingError } from 'bullmq';
import type { AttemptEnd, AttemptMark } from '../core/attempt-line.ts';
import type { Outcome } from '../core/job.ts';
import type { Store } from './store.ts';
import { encodeAttempt, encodeEnd, encodeFailure, encodeMessage } from './stored-job.ts';

interface SettledAt {
  readonly store: Store;
  readonly backend: IQueueBackend;
  /** Jobs that went back to their queue are added to it. */
  readonly moved: WeakSet<Job>;
}

/** Tells BullMQ how the attempt ended: by what is returned, by what is thrown, or by having moved the job already. */
export async function settle(
  job: Job,
  token: string,
  outcome: Exclude<Outcome, { kind: 'succeeded' }>,
  at: SettledAt,
): Promise<unknown> {
  switch (outcome.kind) {
    case 'ended':
      return encodeEnd(outcome.state, outcome.reason);
    case 'failed':
      return encodeFailure(outcome.error);
    case 'replaced':
    case 'blocked':
      return await waitForChildren(job, token, at);
    case 'retry':
      // The policy lives with the task, not with the stored job: these are read by BullMQ when it sees the failure.
      job.opts.attempts = Number.MAX_SAFE_INTEGER;
      job.opts.backoff = { type: 'fixed', delay: outcome.delayMs };
      throw new StoredFailure(outcome, 'Error', markOf(job, 'retry', at.store));
    case 'dead':
      throw new StoredFailure(outcome, 'UnrecoverableError', markOf(job, 'dead', at.store));
    case 'postponed':
      at.moved.add(job);
      await job.log(outcome.note);
      await job.moveToDelayed(at.store.clock.now() + outcome.delayMs, token);
      throw new DelayedError();
    case 'held':
      at.moved.add(job);
      await at.backend.moveToDelayed(job.id as string, at.store.clock.now(), outcome.delayMs, token, {
        skipAttempt: true,
      });
      throw new DelayedError();
    case 'lost':
      at.moved.add(job);
      await countLoss(job, token, outcome, at);
      throw new DelayedError();
    case 'released':
      at.moved.add(job);
      return release(job, token, at.store);
  }
}

/** Without a child to wait for, the job goes back to its queue. The answer is undefined when the lock was lost. */
async function waitForChildren(job: Job, token: string, { store, backend, moved }: SettledAt): Promise<never> {
  moved.add(job);
  const waits: boolean | undefined = await backend.moveToWaitingChildren(job.id as string, token);
  if (waits === false) return release(job, token, store);
  throw new WaitingChildrenError();
}

/**
 * A lost worker is counted where BullMQ counts the jobs whose locks ran out, so that both kinds of loss have one limit. What
 * happened is kept with the job as the failure of an attempt is.
 */
async function countLoss(
  job: Job,
  token: string,
  { delayMs, error }: Outcome & { kind: 'lost' },
  { store, backend }: SettledAt,
): Promise<void> {
  const kept = job.opts.stackTraceLimit ?? 0;
  const stacks =
    kept === 0 ? [] : [...(job.stacktrace ?? []), encodeAttempt(error, markOf(job, 'lost', store))].slice(-kept);
  await backend.moveToDelayed(job.id as string, store.clock.now(), delayMs, token, {
    skipAttempt: true,
    fieldsToUpdate: {
      stc: job.stalledCounter + 1,
      failedReason: encodeMessage(error),
      stacktrace: JSON.stringify(stacks),
    },
  });
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

function markOf(job: Job, end: AttemptEnd, { clock }: Store): AttemptMark {
  const startedAt = job.processedOn ?? null;
  // BullMQ reads the start from the clock of the machine.
  const endedAt = Math.max(clock.now(), startedAt ?? 0);
  return { number: job.attemptsMade + 1, end, startedAt, endedAt, worker: job.processedBy ?? null };
}

/**
 * What BullMQ stores of a failed attempt: the message, and a stack whose first line carries name and code, and whose last one what
 * else the ledger has of the attempt.
 */
class StoredFailure extends Error {
  constructor(
    { error }: Outcome & { kind: 'retry' | 'dead' },
    name: 'Error' | 'UnrecoverableError',
    mark: AttemptMark,
  ) {
    super(encodeMessage(error));
    // BullMQ recognises a failure that must not be retried by this name.
    this.name = name;
    this.stack = encodeAttempt(error, mark);
  }
}
