import type { BrokerQueue } from '../broker/port.ts';
import type { JobSummary } from '../core/job.ts';
import { isFinished, type JobState } from '../core/state.ts';
import { WORKFLOW_TASK } from '../core/workflow/graph.ts';
import type { WorkflowStep, WorkflowView } from '../core/workflow/workflow-view.ts';
import { drawWorkflow } from './draw-workflow.ts';
import { listJobs, openWholeWorkflow, readJobs, type WholeWorkflow } from './whole-workflow.ts';
import type { WorkflowStore } from './workflow-store.ts';

/** What looking takes of a broker. */
export interface ReadingBroker {
  queue(name: string): Pick<BrokerQueue, 'listSummaries'>;
}

/**
 * Looks at a workflow as a whole: one round trip for each 500 of its jobs. Results are not read: `AsyncResult` gives them.
 *
 * @returns undefined when nothing is stored of such a workflow
 */
export async function readWorkflow(
  broker: ReadingBroker,
  store: WorkflowStore,
  id: string,
): Promise<WorkflowView | undefined> {
  const workflow = await openWholeWorkflow(store, id);
  if (workflow === undefined) return undefined;
  return viewWorkflow(workflow, await readJobs(broker, listJobs(workflow)));
}

export function viewWorkflow(workflow: WholeWorkflow, jobs: ReadonlyMap<string, JobSummary>): WorkflowView {
  const { graph: id, queue, createdAt } = workflow.own.head;
  const anchor = queue === null ? undefined : jobs.get(id);
  const { tree: steps, progress } = drawWorkflow(workflow, jobs, endOf(anchor));
  const tree = anchor === undefined || anchor.task === WORKFLOW_TASK ? steps : replaced(anchor, steps);
  const state = stateOfWhole(anchor, tree.state, progress.done > 0);
  return {
    id,
    state: jobs.size === 0 ? 'UNKNOWN' : state,
    progress,
    createdAt,
    startedAt: tree.startedAt,
    finishedAt: isFinished(state) ? (anchor?.finishedAt ?? tree.finishedAt) : null,
    error: anchor?.error ?? (anchor === undefined ? tree.error : null),
    reason: anchor?.reason ?? (anchor === undefined ? tree.reason : null),
    tree,
  };
}

/** A job that nobody sent as a workflow, and that replaced itself by one. */
function replaced({ id, task, queue, ...job }: JobSummary, steps: WorkflowStep): WorkflowStep {
  const state = job.state === 'BLOCKED' ? 'STARTED' : job.state;
  const own = { ...job, state, id, task, queue, onError: null } as const;
  return { kind: 'task', role: 'step', ...own, children: [{ ...steps, role: 'replacement' }] };
}

/** One that was revoked is on its way to its end, whatever a worker still does with it. */
function endOf(anchor: JobSummary | undefined): JobState | undefined {
  if (anchor === undefined) return undefined;
  if (isFinished(anchor.state)) return anchor.state;
  return anchor.task === WORKFLOW_TASK && anchor.revoked !== undefined ? 'REVOKED' : undefined;
}

/** While the job that stands for the whole waits for the steps, it is their states that count: what they lead to is not known. */
function stateOfWhole(anchor: JobSummary | undefined, steps: JobState, hasDone: boolean): JobState {
  if (anchor === undefined) return steps;
  const end = endOf(anchor);
  if (end !== undefined) return end;
  return !hasDone && (steps === 'PENDING' || steps === 'SCHEDULED') ? steps : 'STARTED';
}
