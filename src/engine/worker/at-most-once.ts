/**
 * Tasks with `delivery: 'at-most-once'`: what would make their job run a second time makes it a dead letter instead.
 *
 * A job counts as started from when a worker that is lost had taken it: nobody is left to say whether its function had begun,
 * and to write it down before each start would cost every such job a round trip. So a few jobs end unrun; none runs twice.
 */
import { createError } from '../core/errors.ts';
import { type Outcome, toStoredError } from '../core/job.ts';
import type { TaskDefinition } from '../task/definition.ts';
import type { AttemptJob } from './attempt-job.ts';

type DeadLetter = Extract<Outcome, { kind: 'dead' }>;

/** @param how why nobody knows how far it came: the end of "its attempt did not end: …" */
export function giveUp(task: string, how: string): DeadLetter {
  return { kind: 'dead', error: { ...toStoredError(createError('NOT_RUN_AGAIN', { task, how })), stack: null } };
}

/** What becomes of a job that its worker cannot end: it goes back to its queue, unless it may be started only once. */
export function handBack({ name, delivery }: TaskDefinition): DeadLetter | Extract<Outcome, { kind: 'released' }> {
  if (delivery !== 'at-most-once') return { kind: 'released' };
  return giveUp(name, 'its worker stopped before it had ended');
}

/** The outcome of a job that a worker has lost before, where it must not be started again. */
export function refuseSecondStart(
  { task, workersLost }: Pick<AttemptJob, 'task' | 'workersLost'>,
  { delivery }: TaskDefinition,
): DeadLetter | undefined {
  if (delivery !== 'at-most-once' || workersLost === 0) return undefined;
  return giveUp(task, 'the worker that had taken it died or lost its lock');
}
