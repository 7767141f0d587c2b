import fc from 'fast-check';
import { define } from '../definition.ts';
import { type Target, withTarget } from '../targets.ts';
import { data, delayMs, rarely, record, target } from './choices.ts';

export interface Retry {
  readonly job: Target;
  readonly resetAttemptsMade?: boolean;
  readonly resetAttemptsStarted?: boolean;
}

const retryOptions = {
  job: target('failed', 'completed'),
  resetAttemptsMade: rarely(30, fc.boolean()),
  resetAttemptsStarted: rarely(30, fc.boolean()),
};

/** Changes of one job, whatever state it is in. */
export const changing = {
  promote: define(5, record<{ job: Target }>({ job: target('delayed') }), (world, given) =>
    withTarget(world, given.job, (job) => job.promote()),
  ),

  changeDelay: define(4, record<{ job: Target; ms: number }>({ job: target('delayed'), ms: delayMs }), (world, given) =>
    withTarget(world, given.job, (job) => job.changeDelay(given.ms)),
  ),

  changePriority: define(
    5,
    record<{ job: Target; priority?: number; lifo?: boolean }>({
      job: target('wait', 'prioritized', 'delayed'),
      priority: rarely(80, fc.constantFrom(1, 0, 2, 10)),
      lifo: rarely(30, fc.boolean()),
    }),
    (world, { job: named, ...options }) => withTarget(world, named, (job) => job.changePriority(options)),
  ),

  updateData: define(2, record<{ job: Target; data: unknown }>({ job: target(), data }), (world, given) =>
    withTarget(world, given.job, (job) => job.updateData(given.data)),
  ),

  updateProgress: define(
    3,
    record<{ job: Target; progress: number | object | string | boolean }>({
      job: target('active'),
      progress: fc.constantFrom<number | object | string | boolean>(50, { done: 1, of: 'many' }, 'half', true, 0),
    }),
    (world, given) => withTarget(world, given.job, (job) => job.updateProgress(given.progress)),
  ),

  log: define(
    4,
    record<{ job: Target; row: string; keep?: number }>({
      job: target('active', 'completed'),
      row: fc.constantFrom('row', '', 'naïve 😀\nrow'),
      keep: rarely(40, fc.constantFrom(1, 2, 0)),
    }),
    (world, given) =>
      withTarget(world, given.job, (job, ref) =>
        given.keep === undefined
          ? job.log(given.row)
          : world.queues[ref.queue].addJobLog(ref.id, given.row, given.keep),
      ),
  ),

  clearLogs: define(
    1,
    record<{ job: Target; keep?: number }>({ job: target(), keep: rarely(50, fc.constantFrom(1, 0)) }),
    (world, given) => withTarget(world, given.job, (job) => job.clearLogs(given.keep)),
  ),

  retry: define(
    5,
    record<Retry & { state: 'failed' | 'completed' }>({
      ...retryOptions,
      state: fc.constantFrom('failed', 'completed'),
    }),
    (world, { job: named, state, ...options }) => withTarget(world, named, (job) => job.retry(state, options)),
  ),

  removeOwnDeduplicationKey: define(
    2,
    record<{ job: Target }>({ job: target('wait', 'delayed', 'active') }),
    (world, given) => withTarget(world, given.job, (job) => job.removeDeduplicationKey()),
  ),

  removeChildDependency: define(
    3,
    record<{ job: Target }>({ job: target('wait', 'active', 'delayed', 'waiting-children') }),
    (world, given) =>
      withTarget(world, given.job, (job) => {
        // Without a parent it would ask for the job with the empty key.
        return job.parentKey ? job.removeChildDependency() : Promise.resolve('(no parent)');
      }),
  ),
};
