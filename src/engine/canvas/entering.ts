/**
 * What is added when a node of a workflow is entered: the jobs of the first steps, and the bodies that wait for them. Who sends a
 * workflow and the worker that leads on to the next step plan alike, so that both add the same jobs.
 *
 * 1. A step is one job, with an id that is always the same. Its parent is what waits for it, found by climbing: the body of the
 *    innermost group around it that has one; else the job that stands for its graph, which is that of the workflow, or a step that
 *    replaced itself. Callbacks have none.
 * 2. A group is entered by entering each member with the same value. Where it has a `next`, the job of that comes first and waits for
 *    the members; where no member has any job, it is a plain job.
 * 3. Jobs come parents first, as `addFlow` takes them.
 *
 * A fan-in (`joins`) is planned with its own arguments alone: the value that comes before them is made of its children's when it
 * starts. Its times run from when its group is entered, since it is stored then, but its delay from when the last member has ended.
 */
import type { FlowJob } from '../broker/port.ts';
import type { Meta } from '../core/envelope.ts';
import { createError } from '../core/errors.ts';
import type { NewJob, ParentJob } from '../core/job.ts';
import {
  type GroupNode,
  type StepOptions,
  type TaskNode,
  WORKFLOW_TASK,
  type WorkflowNode,
  type WorkflowPlace,
} from '../core/workflow/graph.ts';
import { type GraphHead, getGroup, jobIdOf, type StoredGraph } from './workflow-store.ts';

export interface Entry {
  /** What the step before gave: it comes first in the arguments, unless they are immutable. Without one, nothing does. */
  readonly input?: { readonly value: unknown } | undefined;
  /** Epoch milliseconds. */
  readonly now: number;
  /** The job that leads here, the `parentId` of what is entered; not given for the first steps of a workflow sent outside a task. */
  readonly leader?: string | undefined;
  /** Opens another graph of the same workflow. Asked only for one that has an `outer` place. */
  readonly openGraph: (graph: string) => Promise<StoredGraph | undefined>;
}

/**
 * Plans the entry of a node. Priorities are those that the steps wish for, see `fitPriorities`.
 *
 * @returns the jobs to add, parents first; none for a group without any step in it that leads to nothing
 * @throws WORKFLOW_GONE when a graph, or a record of one, is not stored any more
 */
export async function planEntry(graph: StoredGraph, place: number, entry: Entry): Promise<FlowJob[]> {
  const jobs: FlowJob[] = [];
  const parent = await findParent(graph, place, entry.openGraph);
  await planNode({ graph, entry, jobs }, place, parent);
  return jobs;
}

/**
 * Plans a workflow as it is sent: the job that stands for it, unless it is of one step, and its first jobs.
 *
 * @param priority of the job that stands for it
 */
export async function planWorkflow(
  graph: StoredGraph,
  { now, priority, input }: Pick<Entry, 'now' | 'input'> & { readonly priority?: number | undefined },
): Promise<FlowJob[]> {
  const { head } = graph;
  const { requestId, rootId, parentId, headers } = head.base;
  const openGraph = async (): Promise<undefined> => undefined;
  const first = await planEntry(graph, head.entry, { now, input, leader: parentId, openGraph });
  if (head.queue === null) return first;
  const meta: Meta = {
    ...(requestId !== undefined && { requestId }),
    ...(rootId !== undefined && { rootId }),
    ...(parentId !== undefined && { parentId }),
    ...(headers !== undefined && { headers }),
    workflow: { id: head.workflow, node: null, joins: true },
  };
  const job: NewJob = {
    id: head.workflow,
    task: WORKFLOW_TASK,
    args: [],
    meta,
    createdAt: now,
    ...(priority !== undefined && { priority }),
  };
  return [{ queue: head.queue, job, hasChildren: first.length > 0 }, ...first];
}

/**
 * The job that waits for that of a node.
 *
 * @returns undefined when none does: a callback, or a workflow of one step
 * @throws WORKFLOW_GONE
 */
export async function findParent(
  graph: StoredGraph,
  place: number,
  openGraph: Entry['openGraph'],
): Promise<ParentJob | undefined> {
  let at = graph;
  let node: WorkflowNode = await at.node(place);
  for (;;) {
    if (node.within !== undefined) {
      const group = await getGroup(at, node.within);
      if (group.next !== undefined) return await bodyAsParent(at, group, group.next);
      node = group;
      continue;
    }
    const { outer, queue, workflow, graph: own, job: id = own } = at.head;
    if (node.aside === true) return undefined;
    // Who replaced itself fails at once with what it was replaced by; a workflow that fails waits until nothing of it runs.
    if (queue !== null) return { queue, id, onDead: outer === undefined ? 'wait' : 'start' };
    if (outer === undefined) return undefined;
    at = await getGraph(workflow, outer.graph, openGraph);
    node = await at.node(outer.node);
    // One more member of a group is within it, as the group itself is not.
    if (node.kind === 'group' && node.next !== undefined) return await bodyAsParent(at, node, node.next);
  }
}

async function getGraph(workflow: string, id: string, openGraph: Entry['openGraph']): Promise<StoredGraph> {
  const graph = await openGraph(id);
  if (graph === undefined) throw createError('WORKFLOW_GONE', { workflow });
  return graph;
}

async function bodyAsParent(graph: StoredGraph, group: GroupNode, next: number): Promise<ParentJob> {
  const body = await getTask(graph, next);
  return { queue: body.queue, id: jobIdOf(graph.head, next), onDead: group.onError === 'fail' ? 'start' : 'wait' };
}

/** What follows a group is always a task. */
async function getTask(graph: StoredGraph, place: number): Promise<TaskNode> {
  const node = await graph.node(place);
  if (node.kind === 'task') return node;
  throw createError('WORKFLOW_GONE', { workflow: graph.head.workflow });
}

interface Plan {
  readonly graph: StoredGraph;
  readonly entry: Entry;
  /** What is planned so far, parents first. */
  readonly jobs: FlowJob[];
}

async function planNode(plan: Plan, place: number, parent: ParentJob | undefined): Promise<void> {
  const node = await plan.graph.node(place);
  if (node.kind === 'task') {
    plan.jobs.push(planTask(plan, place, node, parent));
    return;
  }
  if (node.next === undefined) {
    for (const member of node.members) await planNode(plan, member, parent);
    return;
  }
  const body = await getTask(plan.graph, node.next);
  const at = plan.jobs.push(planTask(plan, node.next, body, parent));
  const ofMembers = await bodyAsParent(plan.graph, node, node.next);
  for (const member of node.members) await planNode(plan, member, ofMembers);
  const planned = plan.jobs[at - 1];
  if (planned !== undefined && plan.jobs.length > at) plan.jobs[at - 1] = { ...planned, hasChildren: true };
}

function planTask({ graph, entry }: Plan, place: number, node: TaskNode, parent: ParentJob | undefined): FlowJob {
  const { head } = graph;
  const { input, now, leader } = entry;
  const { args, options = {} } = node;
  const takesInput = input !== undefined && node.immutable !== true && node.joins === undefined;
  const delayMs = options.dueAt === undefined ? (options.countdownMs ?? 0) : options.dueAt - now;
  const job: NewJob = {
    id: jobIdOf(head, place),
    task: node.task,
    args: takesInput ? [input.value ?? null, ...args] : args,
    meta: createMeta(head, { place, node, options, now, leader }),
    createdAt: now,
    ...(delayMs > 0 && { delayMs }),
    ...(options.priority !== undefined && { priority: options.priority }),
    ...(options.ignoreResult === true && { ignoreResult: true }),
    ...(parent !== undefined && { parent }),
  };
  return { queue: node.queue, job, hasChildren: false };
}

interface Step {
  readonly place: number;
  readonly node: TaskNode;
  readonly options: StepOptions;
  readonly now: number;
  readonly leader: string | undefined;
}

function createMeta(head: GraphHead, { place, node, options, now, leader }: Step): Meta {
  const { requestId, rootId = head.workflow } = head.base;
  const headers = options.headers === undefined ? head.base.headers : { ...head.base.headers, ...options.headers };
  const expiresAt = options.expiresAt ?? (options.expiresMs === undefined ? undefined : now + options.expiresMs);
  const { softTimeLimitMs, timeLimitMs, retry, resultExpiresMs } = options;
  return {
    ...(requestId !== undefined && { requestId }),
    rootId,
    ...(leader !== undefined && { parentId: leader }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(softTimeLimitMs !== undefined && { softTimeLimitMs }),
    ...(timeLimitMs !== undefined && { timeLimitMs }),
    ...(retry !== undefined && { retry }),
    ...(headers !== undefined && { headers }),
    ...(resultExpiresMs !== undefined && { resultExpiresMs }),
    workflow: createPlace(head, place, node),
  };
}

function createPlace({ workflow, graph, outer }: GraphHead, place: number, node: TaskNode): WorkflowPlace {
  const leadsOn = node.next !== undefined || isFilled(node.links) || isFilled(node.linkErrors) || outer !== undefined;
  return {
    id: workflow,
    node: place,
    ...(graph !== workflow && { graph }),
    ...(!leadsOn && { last: true }),
    ...(node.joins !== undefined && { joins: true }),
  };
}

function isFilled(places: readonly number[] | undefined): boolean {
  return places !== undefined && places.length > 0;
}

/** A graph that is at hand, as its readers have it. */
export function inMemory(head: GraphHead, nodes: readonly WorkflowNode[]): StoredGraph {
  return {
    head,
    node: async (place) => {
      const node = nodes[place];
      if (node === undefined) throw createError('WORKFLOW_GONE', { workflow: head.workflow });
      return node;
    },
  };
}
