import { array, boolean, exactOptional, nonEmpty, pipe, strictObject } from 'valibot';
import { findWorkflows, type RevokeAllReport, revokeAll } from '../engine/app/revoke-all.ts';
import type { Broker, JobBrief } from '../engine/broker/port.ts';
import { listLiveJobs } from '../engine/canvas/cancel-workflow.ts';
import { openWholeWorkflow } from '../engine/canvas/whole-workflow.ts';
import { WorkflowStore } from '../engine/canvas/workflow-store.ts';
import { locateJobs, type Place } from '../engine/control/locate-jobs.ts';
import { readDeclaredQueues } from './job-lookup.ts';
import { defineOperation, type Plan, type PlanRow } from './operation.ts';
import { formatOperator, readOperator } from './operator.ts';
import { jobId, jobQueue, queueFlag } from './read-result.ts';
import type { Session } from './session.ts';
import { addressedInput, formatAddressed } from './worker-replies.ts';

/** With more jobs the plan counts them instead of naming each. */
const MAX_NAMED = 20;

export const revokeJobs = defineOperation({
  name: 'revoke-jobs',
  effect: 'destructive',
  summary: 'Revoke jobs and workflows: never start what waits, abort what runs',
  input: strictObject({
    ids: pipe(array(jobId), nonEmpty('no id was given')),
    queue: jobQueue,
    /** End the processes of running jobs. */
    terminate: exactOptional(boolean()),
    ...addressedInput,
  }),
  async plan(session, { ids, queue, terminate }): Promise<Plan> {
    const broker = await session.broker();
    const place = await readPlace(session, queue);
    const named = [...new Set(ids)];
    const workflows = await findWorkflows(broker, named, place);
    const single = named.filter((id) => !workflows.has(id));
    const found = new Map((await locateJobs(broker, single, place)).entries());
    for (const id of workflows) for (const brief of await listLiveBriefs(broker, id)) found.set(brief.id, brief);
    const touched = [...found.values()].filter(({ phase }) => phase !== 'finished');
    return {
      summary: `would revoke ${countNoun(touched.length, 'job')}${workflows.size === 0 ? '' : `, all that has not ended of ${countNoun(workflows.size, 'workflow')}`}${terminate === true ? ', and end the processes of those that run' : ''}`,
      count: touched.length,
      rows: touched.length > MAX_NAMED ? countByKind(touched) : touched.map(toRow),
    };
  },
  async run(session, { ids, queue, terminate, destinations, timeoutMs }, { progress }): Promise<RevokeAllReport> {
    const broker = await session.broker();
    return await revokeAll(
      { broker, clock: session.clock },
      {
        ids,
        terminate,
        destinations,
        timeoutMs,
        by: formatOperator(readOperator()),
        onProgress: progress,
        ...(await readPlace(session, queue)),
      },
    );
  },
  commandLine: ({ ids, queue, terminate, ...addressed }) => [
    ...['control', 'revoke', ...ids],
    ...queueFlag(queue),
    ...(terminate === true ? ['--terminate'] : []),
    ...formatAddressed(addressed),
    '--yes',
  ],
});

/** Jobs of one round trip. */
const BATCH = 500;

/** What of a workflow would be revoked now. */
async function listLiveBriefs(broker: Broker, id: string): Promise<JobBrief[]> {
  const workflow = await openWholeWorkflow(new WorkflowStore(broker.state), id);
  const live = workflow === undefined ? [] : await listLiveJobs(broker, workflow);
  const briefs: JobBrief[] = [];
  for (const [queue, jobs] of Map.groupBy(live, (job) => job.queue)) {
    for (let from = 0; from < jobs.length; from += BATCH) {
      const batch = jobs.slice(from, from + BATCH).map((job) => job.id);
      briefs.push(...(await broker.queue(queue).listBriefs(batch)));
    }
  }
  return briefs;
}

function countNoun(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

async function readPlace(session: Session, queue: string | undefined): Promise<Place> {
  return queue === undefined ? { likelyQueues: await readDeclaredQueues(session) } : { queue };
}

function toRow({ id, task, queue, phase }: JobBrief): PlanRow {
  return { id, task, queue, is: phase };
}

function countByKind(briefs: readonly JobBrief[]): PlanRow[] {
  const kinds = Map.groupBy(briefs, ({ task, queue, phase }) => JSON.stringify([task, queue, phase]));
  return [...kinds.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined ? [] : [{ task: first.task, queue: first.queue, is: first.phase, jobs: group.length }];
  });
}
