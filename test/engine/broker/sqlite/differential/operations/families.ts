import type { FlowJob, JobNode } from 'bullmq';
import fc from 'fast-check';
import { define } from '../definition.ts';
import { findTarget, noteParent, type Target } from '../targets.ts';
import { QUEUE_NAMES, type QueueIndex, type World } from '../world.ts';
import type { JobData } from './adding.ts';
import { data, name, queue, rarely, record, target } from './choices.ts';
import { COLON_ID, CUSTOM_IDS, childOptions } from './job-options.ts';

/** A node of a flow. Without an id it is given one that no other job has. */
export interface FlowNode extends JobData {
  readonly queue: QueueIndex;
  readonly id?: string;
  readonly children?: readonly FlowNode[];
}

export interface FlowData {
  readonly tree: FlowNode;
  readonly parent?: Target;
}

const leaf = record<Omit<FlowNode, 'children'>>({
  queue,
  name,
  data,
  opts: childOptions,
  id: rarely(40, fc.constantFrom(...CUSTOM_IDS)),
});
const branch = withChildren(leaf);
const flow = record<FlowData>({
  tree: withChildren(fc.oneof({ weight: 3, arbitrary: leaf }, branch)),
  parent: rarely(30, target()),
});

function withChildren(child: fc.Arbitrary<FlowNode>): fc.Arbitrary<FlowNode> {
  return fc
    .tuple(leaf, fc.array(child, { maxLength: 3, size: 'max' }))
    .map(([node, children]) => (children.length === 0 ? node : { ...node, children }));
}

export const families = {
  /** Adds a job that blocks another, which may be active, finished or gone. */
  addChild: define(
    5,
    record<JobData & { queue: QueueIndex; parent: Target }>({
      ...{ queue, name, data, opts: childOptions },
      parent: target('active', 'waiting-children'),
    }),
    async (world, given) => {
      const parent = parentOption(world, given.parent);
      if (!parent) return world.queues[given.queue].add(given.name, given.data, given.opts);
      const child = await world.queues[given.queue].add(given.name, given.data, {
        ...given.opts,
        parent: parent.option,
      });
      noteParent(world, { queue: given.queue, id: child.id ?? '' }, parent.ref);
      return child;
    },
  ),

  addFlow: define(8, flow, async (world, given) => flatten(await world.flows.add(toFlowJob(world, given, 'f')))),

  addFlows: define(
    2,
    record<{ flows: FlowData[] }>({ flows: fc.array(flow, { maxLength: 2 }) }),
    async (world, given) =>
      (await world.flows.addBulk(given.flows.map((each, at) => toFlowJob(world, each, `f${at}`)))).map(flatten),
  ),
};

/** A custom id with colons, which BullMQ takes if it has three parts, cannot be told from the rest of a key: it is no parent. */
function parentOption(world: World, named: Target) {
  const ref = findTarget(world, named);
  if (!ref || ref.id === COLON_ID) return undefined;
  return { ref, option: { id: ref.id, queue: world.queues[ref.queue].qualifiedName } };
}

/**
 * A flow as BullMQ takes it. A flow's jobs get random ids when they are given none, so here each is given one. An id that
 * would make a ring of jobs that wait for each other is replaced by a new one.
 */
function toFlowJob(world: World, given: FlowData, label: string): FlowJob {
  const root = given.parent && parentOption(world, given.parent);
  let count = 0;
  const build = (node: FlowNode, parent: { queue: QueueIndex; id: string } | undefined): FlowJob => {
    const fresh = `${label}-${world.step}-${count++}`;
    const wished = node.id ?? fresh;
    const id = !parent || noteParent(world, { queue: node.queue, id: wished }, parent) ? wished : fresh;
    if (parent && id !== wished) noteParent(world, { queue: node.queue, id }, parent);
    const children = node.children?.map((child) => build(child, { queue: node.queue, id }));
    const opts = { ...node.opts, jobId: id };
    const built = { name: node.name, queueName: QUEUE_NAMES[node.queue], data: node.data, opts };
    return (children ? { ...built, children } : built) as FlowJob;
  };
  const tree = build(given.tree, root?.ref);
  return root ? ({ ...tree, opts: { ...tree.opts, parent: root.option } } as FlowJob) : tree;
}

/** The jobs of a flow, parents first. */
function flatten(node: JobNode): unknown[] {
  return [node.job, ...(node.children ?? []).flatMap(flatten)];
}
