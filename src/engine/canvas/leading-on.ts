/**
 * What follows a job of a workflow: planned by the worker that ran it, added before the job is acknowledged.
 *
 * A worker that dies in between leaves the job to run again, and what is added again is there already: its ids are derived from the
 * graph. So a step may run twice, but what follows it is never lost and never there twice.
 */
import type { FlowJob } from '../broker/port.ts';
import { createError } from '../core/errors.ts';
import type { ParentJob } from '../core/job.ts';
import type { FailedStep, GroupNode, WorkflowGraph, WorkflowPlace } from '../core/workflow/graph.ts';
import { type Entry, findParent, planEntry } from './entering.ts';
import { type GraphHead, getGroup, type StoredGraph, type WorkflowStore } from './workflow-store.ts';

/** The place of a job that is a step, not of one that stands for a graph. */
export type StepPlace = WorkflowPlace & { readonly node: number };

export interface Leading {
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

/** What is added when a step has succeeded: its callbacks, and the step that comes next. @throws WORKFLOW_GONE */
export async function planFollowing(place: StepPlace, value: unknown, leading: Leading): Promise<FlowJob[]> {
  const graph = await getGraphOf(leading.store, place);
  const node = await graph.node(place.node);
  const callbacks = node.kind === 'task' ? (node.links ?? []) : [];
  const places = node.next === undefined ? callbacks : [...callbacks, node.next];
  return await planAll(graph, places, toEntry(place, { value }, leading));
}

/** The callbacks of a step that is a dead letter. @throws WORKFLOW_GONE */
export async function planErrorCallbacks(place: StepPlace, failed: FailedStep, leading: Leading): Promise<FlowJob[]> {
  const graph = await getGraphOf(leading.store, place);
  const node = await graph.node(place.node);
  const callbacks = node.kind === 'task' ? (node.linkErrors ?? []) : [];
  return await planAll(graph, callbacks, toEntry(place, { value: failed }, leading));
}

async function planAll(graph: StoredGraph, places: readonly number[], entry: Entry): Promise<FlowJob[]> {
  const jobs: FlowJob[] = [];
  for (const place of places) jobs.push(...(await planEntry(graph, place, entry)));
  return jobs;
}

function toEntry({ id }: WorkflowPlace, input: Entry['input'], { store, now, leader }: Leading): Entry {
  const entry = { now, leader, openGraph: (graph: string) => store.open(id, graph) };
  return input === undefined ? entry : { ...entry, input };
}

/** The job that replaces itself. */
interface Replaced {
  readonly queue: string;
  /** Undefined of a job that is in no workflow: it then stands for one of its own. */
  readonly place: StepPlace | undefined;
  readonly base: GraphHead['base'];
}

/**
 * Writes the graph that a job replaces itself by, and gives what is added for it, as children of the job. One that runs again, because
 * its worker died, finds what it had written first.
 *
 * @throws WORKFLOW_GONE
 */
export async function replaceJob(
  { queue, place, base }: Replaced,
  graph: WorkflowGraph,
  leading: Leading,
): Promise<FlowJob[]> {
  const own = {
    job: leading.leader,
    queue,
    entry: graph.entry,
    exit: graph.exit,
    size: graph.nodes.length,
    createdAt: leading.now,
  };
  const id = replacementOf(leading.leader, place);
  if (place === undefined) return await enter({ ...own, workflow: id, graph: id, base }, graph, leading);
  const outer = { graph: place.graph ?? place.id, node: place.node };
  return await enter({ ...own, workflow: place.id, graph: id, base, outer }, graph, leading);
}

/**
 * The id of the graph that a job replaced itself by: its own where it stands for a workflow now, another one where it is a step, which
 * may be the only one of a graph with its id.
 */
export function replacementOf(job: string, place: WorkflowPlace | undefined): string {
  return place === undefined || place.node === null ? job : `${job}+replaced`;
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
): Promise<FlowJob[] | undefined> {
  const { store, leader, now } = leading;
  const around = (await listGroupsAround(store, place))[0];
  if (around === undefined) return undefined;
  const { head } = around.graph;
  const id = `${leader}+${count}`;
  const order = `${String(place.node).padStart(9, '0')}-${leader}-${String(count).padStart(9, '0')}`;
  const own: GraphHead = {
    workflow: place.id,
    graph: id,
    entry: graph.entry,
    exit: graph.exit,
    size: graph.nodes.length,
    createdAt: now,
    queue: null,
    base: head.base,
    outer: { graph: head.graph, node: around.place, isMember: true },
  };
  const jobs = await enter(own, graph, leading);
  await store.noteAdded({ workflow: place.id, graph: head.graph, group: around.place, order }, id);
  return jobs;
}

async function enter(head: GraphHead, graph: WorkflowGraph, leading: Leading): Promise<FlowJob[]> {
  const { store } = leading;
  await store.save(head, graph);
  const place = { id: head.workflow, node: null, graph: head.graph };
  const part = await getGraphOf(store, place);
  return await planEntry(part, part.head.entry, toEntry(place, undefined, leading));
}

export interface GroupAround {
  readonly graph: StoredGraph;
  readonly place: number;
  readonly node: GroupNode;
}

/** The groups around a step, the innermost first, up to the first that has a body. @throws WORKFLOW_GONE */
export async function listGroupsAround(store: WorkflowStore, place: StepPlace): Promise<GroupAround[]> {
  const found: GroupAround[] = [];
  let graph = await getGraphOf(store, place);
  let within = (await graph.node(place.node)).within;
  for (;;) {
    if (within === undefined) {
      const { outer, workflow } = graph.head;
      if (outer?.isMember !== true) return found;
      graph = await getGraphOf(store, { id: workflow, node: null, graph: outer.graph });
      within = outer.node;
    }
    const node = await getGroup(graph, within);
    found.push({ graph, place: within, node });
    if (node.next !== undefined) return found;
    within = node.within;
  }
}
