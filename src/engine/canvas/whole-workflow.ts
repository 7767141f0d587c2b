/**
 * All graphs of a workflow in memory, for those who look at it or act on it as a whole: its own, and those that took places in it
 * while it ran. Workers never read it so: they follow a graph from node to node.
 */
import type { BrokerQueue } from '../broker/port.ts';
import type { JobSummary } from '../core/job.ts';
import type { TaskNode, WorkflowNode } from '../core/workflow/graph.ts';
import { type GraphHead, jobIdOf, type StoredGraph, type WorkflowStore } from './workflow-store.ts';

/** Jobs of one round trip. */
const BATCH = 500;

export interface WholeGraph {
  readonly head: GraphHead;
  readonly nodes: readonly WorkflowNode[];
}

export interface WholeWorkflow {
  readonly own: WholeGraph;
  /** Its own first. */
  readonly graphs: readonly WholeGraph[];
  /** The graph that a node was replaced by. */
  replacementOf(graph: WholeGraph, place: number): WholeGraph | undefined;
  /** The graphs that running jobs added to a group, in the order of their values. */
  listAdded(graph: WholeGraph, group: number): readonly WholeGraph[];
}

/** A job that a workflow leads to, whether it is there yet or not. */
export interface WorkflowJob {
  readonly id: string;
  readonly queue: string;
  /** Undefined of the job that stands for the whole. */
  readonly node: TaskNode | undefined;
}

/** @returns undefined when nothing is stored of such a workflow: it was forgotten, or there never was one */
export async function openWholeWorkflow(store: WorkflowStore, id: string): Promise<WholeWorkflow | undefined> {
  if ((await store.open(id)) === undefined) return undefined;
  const graphs = await Promise.all((await store.listGraphs(id)).map(readWhole));
  const [own] = graphs;
  if (own === undefined || own.head.graph !== id) return undefined;
  const byId = new Map(graphs.map((graph) => [graph.head.graph, graph]));
  const replacements = new Map<string, WholeGraph>();
  const groups = new Map<string, { graph: string; group: number }>();
  for (const graph of graphs) {
    const { outer } = graph.head;
    if (outer === undefined) continue;
    if (outer.isMember === true) groups.set(keyOf(outer.graph, outer.node), { graph: outer.graph, group: outer.node });
    else replacements.set(keyOf(outer.graph, outer.node), graph);
  }
  const added = new Map<string, readonly WholeGraph[]>();
  for (const [key, { graph, group }] of groups) {
    const ids = await store.listAdded(id, graph, group);
    added.set(
      key,
      ids.flatMap((name) => byId.get(name) ?? []),
    );
  }
  return {
    own,
    graphs,
    replacementOf: ({ head }, place) => replacements.get(keyOf(head.graph, place)),
    listAdded: ({ head }, group) => added.get(keyOf(head.graph, group)) ?? [],
  };
}

/** Every job that it leads to, the one that stands for the whole first. */
export function listJobs({ own, graphs }: WholeWorkflow): WorkflowJob[] {
  const { graph: id, queue } = own.head;
  const jobs: WorkflowJob[] = queue === null ? [] : [{ id, queue, node: undefined }];
  for (const { head, nodes } of graphs) {
    for (const [place, node] of nodes.entries()) {
      if (node.kind === 'task') jobs.push({ id: jobIdOf(head, place), queue: node.queue, node });
    }
  }
  return jobs;
}

/** Those of the jobs that are stored, by their ids: some round trips for thousands. */
export async function readJobs(
  broker: { queue(name: string): Pick<BrokerQueue, 'listSummaries'> },
  jobs: readonly WorkflowJob[],
): Promise<Map<string, JobSummary>> {
  const found = new Map<string, JobSummary>();
  for (const [name, group] of Map.groupBy(jobs, ({ queue }) => queue)) {
    const queue = broker.queue(name);
    for (let from = 0; from < group.length; from += BATCH) {
      const ids = group.slice(from, from + BATCH).map(({ id }) => id);
      for (const summary of await queue.listSummaries(ids)) found.set(summary.id, summary);
    }
  }
  return found;
}

async function readWhole({ head, node }: StoredGraph): Promise<WholeGraph> {
  return { head, nodes: await Promise.all(Array.from({ length: head.size }, (_, place) => node(place))) };
}

function keyOf(graph: string, place: number): string {
  return `${graph}/${place}`;
}
