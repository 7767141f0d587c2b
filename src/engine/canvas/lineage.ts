import type { Broker } from '../broker/port.ts';
import type { StoredJob } from '../core/job.ts';
import type { RelatedJob } from '../results/async-result.ts';
import { listJobs, openWholeWorkflow, readJobs, type WholeGraph } from './whole-workflow.ts';
import { jobIdOf, WorkflowStore } from './workflow-store.ts';

/** The jobs that follow a step of a workflow and are there: callbacks, and the next step or the members of the next group. */
export async function listFollowing(broker: Broker, { id, meta }: StoredJob): Promise<RelatedJob[]> {
  const place = meta.workflow;
  if (place === undefined || place.node === null) return [];
  const workflow = await openWholeWorkflow(new WorkflowStore(broker.state), place.id);
  const graph = workflow?.graphs.find(({ head }) => head.graph === (place.graph ?? place.id));
  const node = graph?.nodes[place.node];
  if (workflow === undefined || graph === undefined || node?.kind !== 'task') return [];
  const entries = [...(node.links ?? []), ...(node.next === undefined ? [] : [node.next])];
  const wanted = new Set(entries.flatMap((entry) => firstJobsOf(graph, entry)));
  const replacement = workflow.replacementOf(graph, place.node);
  if (replacement !== undefined)
    for (const first of firstJobsOf(replacement, replacement.head.entry)) wanted.add(first);
  wanted.delete(id);
  const stored = await readJobs(
    broker,
    listJobs(workflow).filter((job) => wanted.has(job.id)),
  );
  return [...wanted].flatMap((one) => stored.get(one) ?? []);
}

function firstJobsOf(graph: WholeGraph, place: number): string[] {
  const node = graph.nodes[place];
  if (node === undefined) return [];
  if (node.kind === 'task') return [jobIdOf(graph.head, place)];
  return node.members.flatMap((member) => firstJobsOf(graph, member));
}
