import { strictObject } from 'valibot';
import { readWorkflow } from '../engine/canvas/read-workflow.ts';
import { WorkflowStore } from '../engine/canvas/workflow-store.ts';
import { createError } from '../engine/core/errors.ts';
import type { StoredJob } from '../engine/core/job.ts';
import { isFinished } from '../engine/core/state.ts';
import type { WorkflowStep, WorkflowView } from '../engine/core/workflow/workflow-view.ts';
import { readJobAnywhere } from './job-lookup.ts';
import { defineOperation } from './operation.ts';
import { jobId, jobQueue, queueFlag } from './read-result.ts';

/** A workflow as a whole, and which of its parts was asked for. */
export interface WorkflowTrace extends WorkflowView {
  /** The id that was given: that of the workflow or of one of its jobs. */
  readonly asked: string;
}

export const traceWorkflow = defineOperation({
  name: 'trace-workflow',
  effect: 'read',
  summary: 'Show a workflow as a whole: its tree and its timeline',
  input: strictObject({ id: jobId, queue: jobQueue }),
  async run(session, { id, queue }): Promise<WorkflowTrace> {
    const broker = await session.broker();
    const store = new WorkflowStore(broker.state);
    // The record of a workflow is one read away, and outlives the job that stands for it.
    const whole = queue === undefined ? await readWorkflow(broker, store, id) : undefined;
    if (whole !== undefined) return { ...whole, asked: id };
    const job = await readJobAnywhere(session, id, queue);
    if (job === undefined) throw createError('UNKNOWN_JOB', { id });
    const workflow = job.meta.workflow?.id;
    const found = workflow === undefined ? undefined : await readWorkflow(broker, store, workflow);
    return { ...(found ?? viewJob(job)), asked: id };
  },
  commandLine: ({ id, queue }) => ['trace', id, ...queueFlag(queue)],
});

/** A job that belongs to no workflow, or whose workflow is forgotten, seen as a workflow of its own. */
function viewJob(job: StoredJob): WorkflowView {
  const { id, state, createdAt, startedAt, finishedAt, error, reason } = job;
  return {
    id,
    state,
    progress: { done: isFinished(state) ? 1 : 0, total: 1, states: { [state]: 1 } },
    createdAt,
    startedAt,
    finishedAt,
    error,
    reason,
    tree: toStep(job),
  };
}

function toStep(job: StoredJob): WorkflowStep {
  const { id, task, queue, state, attempts, worker, createdAt, dueAt, startedAt, finishedAt, error, reason } = job;
  const times = { createdAt, dueAt, startedAt, finishedAt };
  return {
    kind: 'task',
    role: 'step',
    ...{ id, task, queue, state, attempts, worker },
    ...times,
    progress: job.progress ?? null,
    error,
    reason,
    onError: null,
    children: [],
  };
}
