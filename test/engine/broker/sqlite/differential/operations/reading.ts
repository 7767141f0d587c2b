import fc from 'fast-check';
import { define } from '../definition.ts';
import { type Names, type Plain, unordered } from '../plain.ts';
import { type Target, withTarget } from '../targets.ts';
import { LISTED_STATES, type ListedState, type QueueIndex } from '../world.ts';
import { queue, record, target } from './choices.ts';

type OfQueue = { queue: QueueIndex };
const start = fc.constantFrom(0, 1, 2, -2);
const end = fc.constantFrom(-1, 0, 1, 3, -2);
const page = { start, end, asc: fc.boolean() };
type Page = { start: number; end: number; asc: boolean };
const states = fc.uniqueArray(fc.constantFrom<ListedState | 'waiting'>('waiting', ...LISTED_STATES), { maxLength: 3 });

/** Reads with arguments of which the observation after each operation has only the usual ones. */
export const reading = {
  getJobs: define(
    3,
    record<OfQueue & Page & { states: (ListedState | 'waiting')[] }>({ queue, states, ...page }),
    (world, given) => world.queues[given.queue].getJobs(given.states, given.start, given.end, given.asc),
  ),

  getRanges: define(
    2,
    record<OfQueue & Page & { states: (ListedState | 'waiting')[] }>({ queue, states, ...page }),
    (world, given) => world.queues[given.queue].getBackend().getRanges(given.states, given.start, given.end, given.asc),
  ),

  getDelayedCount: define(
    1,
    record<OfQueue & { inMs: number }>({ queue, inMs: fc.constantFrom(0, 1000, 1001, 10_000) }),
    (world, given) => world.queues[given.queue].getDelayedCount(world.clock.now + given.inMs),
  ),

  getJobLogs: define(
    1,
    record<{ job: Target } & Page>({ job: target('completed', 'active'), ...page }),
    (world, given) =>
      withTarget(world, given.job, (_job, ref) =>
        world.queues[ref.queue].getJobLogs(ref.id, given.start, given.end, given.asc),
      ),
  ),

  getMetrics: define(
    1,
    record<OfQueue & { type: 'completed' | 'failed'; start: number; end: number }>({
      ...{ queue, start, end },
      type: fc.constantFrom('completed', 'failed'),
    }),
    (world, given) => world.queues[given.queue].getMetrics(given.type, given.start, given.end),
  ),

  isInState: define(
    1,
    record<{ job: Target; state: ListedState | 'waiting' | 'unheard-of' }>({
      job: target(),
      state: fc.constantFrom('waiting', 'unheard-of', ...LISTED_STATES),
    }),
    (world, given) =>
      withTarget(world, given.job, (_job, ref) =>
        world.queues[ref.queue].getBackend().isJobInState(given.state, ref.id),
      ),
  ),

  /** Whole pages only: which members a part of a Redis set or hash holds is not said. */
  getChildren: define(
    2,
    record<{ job: Target; type: 'processed' | 'pending' }>({
      job: target('waiting-children', 'active', 'completed'),
      type: fc.constantFrom('processed', 'pending'),
    }),
    (world, given) =>
      withTarget(world, given.job, async (_job, ref) => {
        const { items, jobs, total } = await world.queues[ref.queue].getDependencies(ref.id, given.type, 0, -1);
        // For a child that is gone Redis gives a job without anything.
        const found = jobs.filter((job) => job.name !== undefined);
        return { items: unordered(items, world.names), jobs: unordered(found, world.names), total };
      }),
  ),

  getFlow: define(
    1,
    record<{ job: Target }>({ job: target('waiting-children', 'completed', 'active') }),
    (world, given) =>
      withTarget(world, given.job, async (_job, ref) => {
        const flow = await world.flows.getFlow({ id: ref.id, queueName: world.queues[ref.queue].name });
        return toTree(flow, world.names);
      }),
  ),

  getRateLimitTtlOf: define(
    1,
    record<OfQueue & { max: number }>({ queue, max: fc.constantFrom(1, 2, 10) }),
    async (world, given) => {
      const ttl = await world.queues[given.queue].getRateLimitTtl(given.max);
      return ttl > 0 ? 'limited' : ttl;
    },
  ),
};

interface Tree {
  readonly job: { readonly id?: string | undefined };
  readonly children?: Tree[];
}

/** Ids alone: the jobs are looked at elsewhere. Children that are gone are left out. */
function toTree(tree: Tree | undefined, names: Names): Plain {
  const children = (tree?.children ?? []).filter(Boolean).map((child) => toTree(child, names));
  return tree ? { job: tree.job.id ?? null, children: unordered(children, names) } : null;
}
