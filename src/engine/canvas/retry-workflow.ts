/**
 * Retries what of a workflow has failed:
 *
 * 1. What followed a step that ended while its group was cancelled is entered now: before anything runs, for what waits for all of
 *    them would miss a step that is not there.
 * 2. Every dead letter that failed by itself goes back to its queue, as if it had never run. So do the members that were revoked
 *    because another member of their group was dead (`rest: 'cancel'`).
 * 3. What had failed because of a step, the bodies and at last the whole, goes back too, the innermost first. It finds steps that have
 *    not ended, and waits for them again.
 *
 * Whoever is cut off after the second part has retried it all the same: a step that succeeds lets what failed for it start again.
 * So a quick step may have done the third part already: a body that is no dead letter any more is left alone.
 */
import type { Broker, BrokerQueue } from '../broker/port.ts';
import type { JobSummary } from '../core/job.ts';
import { isFinished } from '../core/state.ts';
import { type TaskNode, WORKFLOW_TASK } from '../core/workflow/graph.ts';
import { planFollowing } from './leading-on.ts';
import { fitPriorities } from './step-priorities.ts';
import { listJobs, openWholeWorkflow, readJobs, type WholeGraph, type WholeWorkflow } from './whole-workflow.ts';
import { jobIdOf, type WorkflowStore } from './workflow-store.ts';

/** What would be retried. */
export interface RetryPlan {
  /** What failed by itself, or was revoked with its group. */
  readonly causes: readonly JobSummary[];
  /** What failed because of them, in the order in which it goes back. */
  readonly consequences: readonly JobSummary[];
  /** Steps that have succeeded and led to nothing, because their group was cancelled. */
  readonly heldBack: readonly HeldStep[];
}

export interface HeldStep {
  readonly job: JobSummary;
  readonly graph: WholeGraph;
  readonly place: number;
}

/** What came of it. */
export interface RetryReport {
  readonly retried: readonly JobSummary[];
  /** They had not ended, or were gone, when their turn came. */
  readonly missed: readonly JobSummary[];
}

export interface RetryingBroker extends Pick<Broker, 'state' | 'addFlow'> {
  queue(name: string): Pick<BrokerQueue, 'listSummaries' | 'reprocess' | 'readJob' | 'hasPriorities'>;
}

/** What failed because of another job says so. */
const BECAUSE = 'MEMBER_FAILED';
/** Jobs that go back at the same time. */
const AT_ONCE = 20;

/** @returns undefined when nothing is stored of such a workflow */
export async function planWorkflowRetry(
  broker: Pick<RetryingBroker, 'queue'>,
  store: WorkflowStore,
  id: string,
): Promise<RetryPlan | undefined> {
  const workflow = await openWholeWorkflow(store, id);
  if (workflow === undefined) return undefined;
  const stored = await readJobs(broker, listJobs(workflow));
  const steps = listSteps(workflow).flatMap((step) => {
    const job = stored.get(step.id);
    return job === undefined ? [] : [{ ...step, job }];
  });
  const dead = steps.filter(({ job }) => job.state === 'FAILURE');
  const cancelled = findCancelled(steps);
  const revoked = steps.filter(
    ({ job, groups }) => job.state === 'REVOKED' && groups.some((key) => cancelled.has(key)),
  );
  const causes = [...dead.filter(({ job }) => job.error?.code !== BECAUSE), ...revoked].map(({ job }) => job);
  if (causes.length === 0) return { causes, consequences: [], heldBack: [] };
  const bodies = dead.filter(({ job }) => job.error?.code === BECAUSE);
  bodies.sort((a, b) => b.groups.length - a.groups.length);
  const anchor = stored.get(id);
  const isAnchor = anchor !== undefined && anchor.state === 'FAILURE' && !steps.some(({ job }) => job.id === id);
  const consequences = [...bodies.map(({ job }) => job), ...(isAnchor ? [anchor] : [])];
  const heldBack = steps.filter(
    ({ job, node, graph, groups }) =>
      job.state === 'SUCCESS' &&
      node.next !== undefined &&
      groups.some((key) => cancelled.has(key)) &&
      !isEntered(graph, node.next, stored),
  );
  return { causes, consequences, heldBack };
}

/**
 * @param onProgress is told how many jobs went back so far
 * @throws BROKER_UNAVAILABLE: what went back until then stays there
 */
export async function retryWorkflow(
  { broker, store, now }: { broker: RetryingBroker; store: WorkflowStore; now: () => number },
  id: string,
  onProgress?: (done: number) => void,
): Promise<RetryReport | undefined> {
  const plan = await planWorkflowRetry(broker, store, id);
  if (plan === undefined) return undefined;
  const retried: JobSummary[] = [];
  const missed: JobSummary[] = [];
  const sendBack = async (job: JobSummary): Promise<void> => {
    ((await broker.queue(job.queue).reprocess(job.id)) ? retried : missed).push(job);
    onProgress?.(retried.length);
  };
  const reopen = async (job: JobSummary): Promise<void> => {
    // The job that stands for the whole is no dead letter, and only looks at its steps again.
    const onlyDead = job.task !== WORKFLOW_TASK;
    const [still] = await broker.queue(job.queue).listSummaries([job.id]);
    if (still?.state !== 'FAILURE' || !(await broker.queue(job.queue).reprocess(job.id, { onlyDead }))) return;
    retried.push(job);
    onProgress?.(retried.length);
  };
  if (plan.causes.length > 0) await store.forgetCancelled(id);
  for (const step of plan.heldBack) await leadOn({ broker, store, now }, id, step);
  for (let from = 0; from < plan.causes.length; from += AT_ONCE) {
    await Promise.all(plan.causes.slice(from, from + AT_ONCE).map(sendBack));
  }
  for (const job of plan.consequences) await reopen(job);
  return { retried, missed };
}

interface Step {
  readonly id: string;
  readonly node: TaskNode;
  readonly graph: WholeGraph;
  readonly place: number;
  /** Keys of the groups around it, of those around its graph too. */
  readonly groups: readonly string[];
}

function listSteps({ graphs }: WholeWorkflow): Step[] {
  const byId = new Map(graphs.map((graph) => [graph.head.graph, graph]));
  return graphs.flatMap((graph) => {
    const around = groupsAround(graph, byId);
    return graph.nodes.flatMap((node, place) =>
      node.kind === 'task' ? [{ id: jobIdOf(graph.head, place), node, graph, place, groups: around(node.within) }] : [],
    );
  });
}

/** Gives the groups around a place of a graph, by the group that the place is within. */
function groupsAround(
  graph: WholeGraph,
  byId: ReadonlyMap<string, WholeGraph>,
): (within: number | undefined) => readonly string[] {
  const known = new Map<number, readonly string[]>();
  const { outer, graph: own } = graph.head;
  let outside: readonly string[] | undefined;
  const findOutside = (): readonly string[] => {
    const other = outer === undefined || outer.graph === own ? undefined : byId.get(outer.graph);
    if (outer === undefined || other === undefined) return [];
    const within = outer.isMember === true ? outer.node : other.nodes[outer.node]?.within;
    // What a step replaced itself by is one level deeper than the step.
    const level = outer.isMember === true ? [] : [`${own}/replaced`];
    return [...level, ...groupsAround(other, byId)(within)];
  };
  const find = (within: number | undefined): readonly string[] => {
    if (within === undefined) {
      outside ??= findOutside();
      return outside;
    }
    const found = known.get(within);
    if (found !== undefined) return found;
    const groups = [`${own}/${within}`, ...find(graph.nodes[within]?.within)];
    known.set(within, groups);
    return groups;
  };
  return find;
}

/** The groups that cancel what is left of them when a member is dead, and that have one. */
function findCancelled(steps: readonly (Step & { readonly job: JobSummary })[]): Set<string> {
  const cancelled = new Set<string>();
  for (const { job, groups, graph } of steps) {
    if (job.state !== 'FAILURE') continue;
    for (const key of groups) {
      const node = key.startsWith(`${graph.head.graph}/`) ? graph.nodes[Number(key.split('/').at(-1))] : undefined;
      if (node?.kind === 'group' && node.rest === 'cancel' && node.onError === 'fail') cancelled.add(key);
    }
  }
  return cancelled;
}

function isEntered(graph: WholeGraph, place: number, stored: ReadonlyMap<string, JobSummary>): boolean {
  const node = graph.nodes[place];
  if (node?.kind !== 'group') return stored.has(jobIdOf(graph.head, place));
  return (
    node.members.some((member) => isEntered(graph, member, stored)) ||
    (node.next !== undefined && isEntered(graph, node.next, stored))
  );
}

async function leadOn(
  { broker, store, now }: { broker: RetryingBroker; store: WorkflowStore; now: () => number },
  id: string,
  { job, graph, place }: HeldStep,
): Promise<void> {
  const stored = await broker.queue(job.queue).readJob(job.id);
  if (stored === undefined || !isFinished(stored.state)) return;
  const at = { id, node: place, ...(graph.head.graph !== id && { graph: graph.head.graph }) };
  const planned = await planFollowing(at, stored.result, { store, now: now(), leader: job.id });
  await broker.addFlow(await fitPriorities(planned, (queue) => broker.queue(queue).hasPriorities()));
}
