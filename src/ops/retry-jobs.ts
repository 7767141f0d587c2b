import { strictObject } from 'valibot';
import { findWorkflows } from '../engine/app/revoke-all.ts';
import type { Broker } from '../engine/broker/port.ts';
import { planWorkflowRetry, type RetryPlan, retryWorkflow } from '../engine/canvas/retry-workflow.ts';
import { WorkflowStore } from '../engine/canvas/workflow-store.ts';
import { locateJobs } from '../engine/control/locate-jobs.ts';
import type { JobSummary } from '../engine/core/job.ts';
import { planChanges, UNKNOWN } from './job-changes.ts';
import { assertChoice, choiceEntries, chooseJobs } from './job-choice.ts';
import { readDeclaredQueues } from './job-lookup.ts';
import { defineOperation, type Plan, type PlanRow, type Run } from './operation.ts';
import { jobQueue, queueFlag } from './read-result.ts';
import { reprocessDeadLetters } from './reprocess-dead-letters.ts';
import type { Session } from './session.ts';

/** With more jobs the plan counts them instead of naming each. */
const MAX_NAMED = 20;

export interface RetryJobsResult {
  /** Jobs that were named, and dead letters of workflows that were. */
  readonly matched: number;
  /** Jobs that went back to their queues. */
  readonly changed: number;
  readonly failed: readonly { readonly id: string; readonly message: string }[];
  /** More than are named, when there are many. */
  readonly failedCount: number;
  /** Those of the ids that were of workflows. */
  readonly workflows: readonly string[];
  /** The id to undo it with; null when nothing was kept. */
  readonly undo: string | null;
  /** Why it ended before all was done; null when all was. */
  readonly stopped: string | null;
}

/** What the ids stand for. */
interface Found {
  readonly workflows: readonly { readonly id: string; readonly plan: RetryPlan }[];
  /** Dead letters that were named. */
  readonly dead: readonly JobSummary[];
  readonly failed: readonly { readonly id: string; readonly message: string }[];
}

export const retryJobs = defineOperation({
  name: 'retry-jobs',
  effect: 'destructive',
  summary: 'Send dead letters back to work, of a workflow all',
  input: strictObject({ ids: choiceEntries.ids, queue: jobQueue, where: choiceEntries.where }),
  async plan(session, { ids, queue, where }): Promise<Plan> {
    assertChoice('jobs retry', { ...(ids !== undefined && { ids }), ...(where !== undefined && { where }) });
    if (ids === undefined)
      return await planChanges(chooseJobs(session, { where: where ?? '' }, { places: PLACES }), PLAN);
    const { workflows, dead } = await findAll(session, ids, queue);
    const causes = [...dead, ...workflows.flatMap(({ plan }) => plan.causes)];
    const others = workflows.flatMap(({ plan }) => plan.consequences).length;
    return {
      summary: `would send ${countNoun(causes.length, 'job')} back to work${others === 0 ? '' : `, and have ${others} that failed because of them wait again`}`,
      count: causes.length,
      rows: causes.length > MAX_NAMED ? countByTask(causes) : causes.map(toRow),
    };
  },
  async run(session, { ids, queue, where }, run): Promise<RetryJobsResult> {
    const { progress } = run;
    if (ids === undefined) return await retryFound(session, where ?? '', run);
    const broker = await session.broker();
    const { workflows, dead, failed } = await findAll(session, ids, queue);
    const missed: JobSummary[] = [];
    let changed = 0;
    for (const job of dead) {
      const queue = broker.queue(job.queue);
      const records = run.keeper === undefined ? [] : await queue.bulk.readRecords([job.id]);
      await run.keeper?.keep(records, { queue: job.queue, place: 'waiting' });
      if (await queue.reprocess(job.id, { onlyDead: true })) changed += 1;
      else {
        run.keeper?.left(records);
        missed.push(job);
      }
      progress(changed);
    }
    let matched = dead.length + failed.length;
    const retrying = { broker, store: new WorkflowStore(broker.state), now: () => session.clock.now() };
    for (const { id } of workflows) {
      const before = changed;
      const report = await retryWorkflow(retrying, id, (done) => progress(before + done));
      if (report === undefined) continue;
      matched += report.retried.length + report.missed.length;
      changed += report.retried.length;
      missed.push(...report.missed);
    }
    const late = missed.map(({ id }) => ({ id, message: 'it is no dead letter any more' }));
    const left = [...failed, ...late];
    const names = workflows.map(({ id }) => id);
    const undo = run.keeper?.undo ?? null;
    return { matched, changed, failed: left, failedCount: left.length, workflows: names, undo, stopped: null };
  },
  commandLine: ({ ids = [], queue, where }) => [
    ...['jobs', 'retry', ...ids, ...queueFlag(queue)],
    ...(where === undefined ? [] : ['--where', where]),
    '--yes',
  ],
});

const PLACES = ['dead'] as const;
const PLAN = { verb: 'send … back to work', places: PLACES };

/** By a query it is what `dlq reprocess` does without its options. */
async function retryFound(session: Session, where: string, run: Run): Promise<RetryJobsResult> {
  const done = await reprocessDeadLetters.run(session, { where }, run);
  const { matched, reprocessed: changed, failed, failedCount, undo, stopped } = done;
  return { matched, changed, failed, failedCount, workflows: [], undo, stopped };
}

async function findAll(session: Session, given: readonly string[], queue: string | undefined): Promise<Found> {
  const broker = await session.broker();
  const ids = [...new Set(given)];
  const place = queue === undefined ? { likelyQueues: await readDeclaredQueues(session) } : { queue };
  const names = await findWorkflows(broker, ids, place);
  const store = new WorkflowStore(broker.state);
  const failed: Found['failed'][number][] = [];
  const workflows: Found['workflows'][number][] = [];
  for (const id of names) {
    const plan = await planWorkflowRetry(broker, store, id);
    if (plan === undefined) failed.push({ id, message: 'what its steps were is stored no more' });
    else workflows.push({ id, plan });
  }
  const single = ids.filter((id) => !names.has(id));
  const located = await locateJobs(broker, single, place);
  const dead: JobSummary[] = [];
  for (const id of single) {
    const brief = located.get(id);
    const job = brief === undefined ? undefined : await readSummary(broker, brief);
    if (job === undefined) failed.push({ id, message: UNKNOWN });
    else if (job.state !== 'FAILURE') failed.push({ id, message: `it is no dead letter: its state is ${job.state}` });
    else dead.push(job);
  }
  return { workflows, dead, failed };
}

async function readSummary(
  broker: Broker,
  { id, queue }: { id: string; queue: string },
): Promise<JobSummary | undefined> {
  const [job] = await broker.queue(queue).listSummaries([id]);
  return job;
}

function toRow({ id, task, queue, error }: JobSummary): PlanRow {
  return { id, task, queue, error: error === null ? null : `${error.name}: ${error.message.split('\n', 1)[0]}` };
}

function countByTask(jobs: readonly JobSummary[]): PlanRow[] {
  const groups = Map.groupBy(jobs, ({ task, queue }) => JSON.stringify([task, queue]));
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined ? [] : [{ task: first.task, queue: first.queue, jobs: group.length }];
  });
}

function countNoun(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
