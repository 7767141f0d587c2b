/**
 * What follows a job of a workflow: planned by the worker that ran it, added before the job is acknowledged.
 *
 * A worker that dies in between leaves the job to run again, and what is added again is there already: its ids are derived from the
 * graph. So a step may run twice, but what follows it is never lost and never there twice.
 */
import type { FlowJob } from '../broker/port.ts';
import { createError } from '../core/errors.ts';
import type { ParentJob } from '../core/job.ts';
import { type FailedStep, JOIN_TASK, type TaskNode, type WorkflowGraph, type WorkflowPlace } from '../core/workflow/graph.ts';
import { type Entry, findParent, planEntry } from './entering.ts';
import type { GraphHead, StoredGraph, WorkflowStore } from './workflow-store.ts';

/** The place of a job that is a step, not of the one that stands for the whole. */
export type StepPlace = WorkflowPlace & { readonly node: number };

interface Leading {
  readonly store: WorkflowStore;
  /** Epoch milliseconds. */
  readonly now: number;
  /** The job that leads on. */
  readonly leader: string;
}

/** @throws WORKFLOW_GONE */
export async function getGraphOf(store: WorkflowStore, { id, graph }: WorkflowPlace): Promise<StoredGraph> {
  const found = await store.open(id, graph ?? id);
  if (found === undefined) throw createError('WORKFLOW_GONE', { workflow: id });
  return found;
}

/** The job that waits for this one, if any does. @throws WORKFLOW_GONE */
export async function findWaiting(store: WorkflowStore, place: StepPlace): Promise<ParentJob | undefined> {
  const graph = await getGraphOf(store, place);
  return await findParent(graph, place.node, (other) => store.open(place.id, other));
}

/**
 * What is added when a step has succeeded: its callbacks and the step that comes next. Where it is the end of a graph that took the
 * place of a node, those of that node.
 *
 * @throws WORKFLOW_GONE
 */
export async function planFollowing(place: StepPlace, value: unknown, leading: Leading): Promise<FlowJob[]> {
  const { store } = leading;
  const entry = toEntry(place, { value }, leading);
  const jobs: FlowJob[] = [];
  let graph = await getGraphOf(store, place);
  let at = place.node;
  for (;;) {
    const node = await graph.node(at);
    const links = node.kind === 'task' ? (node.links ?? []) : [];
    for (const link of links) jobs.push(...(await planEntry(graph, link, entry)));
    if (node.next !== undefined) return [...jobs, ...(await planEntry(graph, node.next, entry))];
    const { outer, workflow } = graph.head;
    const isEnd = at === graph.head.exit;
    if (!isEnd || outer === undefined || outer.isMember === true) return jobs;
    graph = await getGraphOf(store, { id: workflow, node: null, graph: outer.graph });
    at = outer.node;
  }
}

/** The callbacks of a step that is a dead letter. @throws WORKFLOW_GONE */
export async function planErrorCallbacks(place: StepPlace, failed: FailedStep, leading: Leading): Promise<FlowJob[]> {
  const entry = toEntry(place, { value: failed }, leading);
  const jobs: FlowJob[] = [];
  let graph = await getGraphOf(leading.store, place);
  let at = place.node;
  for (;;) {
    const node = await graph.node(at);
    const callbacks = node.kind === 'task' ? (node.linkErrors ?? []) : [];
    for (const callback of callbacks) jobs.push(...(await planEntry(graph, callback, entry)));
    // What took the place of a step fails for it.
    const { outer, workflow } = graph.head;
    if (outer === undefined || outer.isMember === true) return jobs;
    graph = await getGraphOf(leading.store, { id: workflow, node: null, graph: outer.graph });
    at = outer.node;
  }
}

function toEntry({ id }: StepPlace, input: { readonly value: unknown }, { store, now, leader }: Leading): Entry {
  return { input, now, leader, openGraph: (graph) => store.open(id, graph) };
}

/**
 * Writes the graph that a step replaced itself by, and gives what is added for it. A step that runs again, because its worker died,
 * finds what it had written first.
 *
 * @throws WORKFLOW_GONE
 */
export async function replaceStep(place: StepPlace, graph: WorkflowGraph, leading: Leading): Promise<FlowJob[]> {
  const outer = { graph: place.graph ?? place.id, node: place.node };
  const part = await savePart(leading, { place, graph: withTaskAsExit(graph), id: leading.leader, outer });
  return await enterPart(place, part, leading);
}

/**
 * Writes a graph that becomes one more member of the innermost group around a step, and gives what is added for it.
 *
 * @param count how many members this step has added before
 * @returns undefined when the step is within no group
 * @throws WORKFLOW_GONE
 */
export async function addMember(
  place: StepPlace,
  graph: WorkflowGraph,
  { count, ...leading }: Leading & { readonly count: number },
): Promise<{ readonly id: string; readonly jobs: FlowJob[] } | undefined> {
  const { store, leader } = leading;
  const group = await findGroup(store, place);
  if (group === undefined) return undefined;
  const id = `${leader}+${count}`;
  const outer = { ...group, isMember: true as const };
  const part = await savePart(leading, { place, graph, id, outer });
  const order = `${String(place.node).padStart(9, '0')}-${leader}-${String(count).padStart(9, '0')}`;
  await store.noteAdded({ workflow: place.id, graph: group.graph, group: group.node, order }, id);
  return { id, jobs: await enterPart(place, part, leading) };
}

async function findGroup(store: WorkflowStore, place: StepPlace): Promise<{ graph: string; node: number } | undefined> {
  let graph = await getGraphOf(store, place);
  let node = await graph.node(place.node);
  for (;;) {
    if (node.within !== undefined) return { graph: graph.head.graph, node: node.within };
    const { outer, workflow } = graph.head;
    if (outer === undefined) return undefined;
    if (outer.isMember === true) return { graph: outer.graph, node: outer.node };
    graph = await getGraphOf(store, { id: workflow, node: null, graph: outer.graph });
    node = await graph.node(outer.node);
  }
}

interface Part {
  readonly place: StepPlace;
  readonly graph: WorkflowGraph;
  readonly id: string;
  readonly outer: NonNullable<GraphHead['outer']>;
}

async function savePart({ store, now }: Leading, { place, graph, id, outer }: Part): Promise<StoredGraph> {
  const { head } = await getGraphOf(store, { id: place.id, node: null });
  const own: GraphHead = {
    workflow: place.id,
    graph: id,
    entry: graph.entry,
    exit: graph.exit,
    size: graph.nodes.length,
    createdAt: now,
    queue: head.queue,
    base: head.base,
    outer,
  };
  await store.save(own, graph);
  return await getGraphOf(store, { id: place.id, node: null, graph: id });
}

function enterPart({ id }: StepPlace, part: StoredGraph, { store, now, leader }: Leading): Promise<FlowJob[]> {
  return planEntry(part, part.head.entry, { now, leader, openGraph: (graph) => store.open(id, graph) });
}

/** What follows a step is entered by one job, so a group that takes the place of one is joined by a job of tq's own. */
function withTaskAsExit({ nodes, entry, exit }: WorkflowGraph): WorkflowGraph {
  const group = nodes[exit];
  if (group?.kind !== 'group') return { nodes, entry, exit };
  const join = nodes.length;
  const queue = nodes.find((node): node is TaskNode => node.kind === 'task')?.queue;
  if (queue === undefined) throw createError('INTERNAL', { doing: 'replacing a step by a group', reason: 'it has no member' });
  const joining: TaskNode = { kind: 'task', task: JOIN_TASK, queue, args: [], joins: exit };
  return { nodes: [...nodes.map((node, at) => (at === exit ? { ...node, next: join } : node)), joining], entry, exit: join };
}
