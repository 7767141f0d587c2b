import fc from 'fast-check';
import { define } from '../definition.ts';
import { type Target, withTarget } from '../targets.ts';
import type { QueueIndex } from '../world.ts';
import { queue, rarely, record, target } from './choices.ts';
import { DEDUPLICATION_IDS } from './job-options.ts';

const CLEANED = ['completed', 'failed', 'wait', 'waiting', 'active', 'delayed', 'prioritized'] as const;

export const removing = {
  remove: define(
    6,
    record<{ job: Target; removeChildren?: boolean; by?: 'id' }>({
      job: target('wait', 'delayed', 'waiting-children', 'prioritized', 'completed', 'failed'),
      removeChildren: rarely(60, fc.boolean()),
      by: rarely(40, fc.constant('id' as const)),
    }),
    (world, { job: named, by, ...options }) =>
      withTarget(world, named, (job, ref) =>
        by === 'id' ? world.queues[ref.queue].remove(ref.id, options) : job.remove(options),
      ),
  ),

  removeUnprocessedChildren: define(2, record<{ job: Target }>({ job: target('waiting-children') }), (world, given) =>
    withTarget(world, given.job, (job) => job.removeUnprocessedChildren()),
  ),

  drain: define(
    2,
    record<{ queue: QueueIndex; delayed?: boolean }>({ queue, delayed: rarely(60, fc.boolean()) }),
    (world, given) => world.queues[given.queue].drain(given.delayed),
  ),

  clean: define(
    4,
    record<{ queue: QueueIndex; graceMs: number; limit: number; state: (typeof CLEANED)[number] }>({
      queue,
      graceMs: fc.constantFrom(0, 1000, 10_000),
      limit: fc.constantFrom(0, 1, 2),
      state: fc.constantFrom(...CLEANED),
    }),
    (world, given) => world.queues[given.queue].clean(given.graceMs, given.limit, given.state),
  ),

  obliterate: define(
    1,
    record<{ queue: QueueIndex; force?: boolean; count?: number }>({
      queue,
      force: rarely(60, fc.boolean()),
      count: rarely(50, fc.constantFrom(1000, 2)),
    }),
    (world, { queue: of, ...options }) => world.queues[of].obliterate(options),
  ),

  removeOrphanedJobs: define(1, record<{ queue: QueueIndex }>({ queue }), (world, given) =>
    world.queues[given.queue].removeOrphanedJobs(),
  ),

  removeDeduplicationKey: define(
    2,
    record<{ queue: QueueIndex; id: string }>({ queue, id: fc.constantFrom(...DEDUPLICATION_IDS) }),
    (world, given) => world.queues[given.queue].removeDeduplicationKey(given.id),
  ),

  /** To nothing, or to more than there are: Redis trims only whole nodes of about a hundred entries. */
  trimEvents: define(
    1,
    record<{ queue: QueueIndex; maxLength: number }>({ queue, maxLength: fc.constantFrom(0, 10_000) }),
    (world, given) => world.queues[given.queue].trimEvents(given.maxLength),
  ),
};
