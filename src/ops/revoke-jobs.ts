import { hostname, userInfo } from 'node:os';
import { array, boolean, exactOptional, nonEmpty, pipe, strictObject } from 'valibot';
import type { JobBrief } from '../engine/broker/port.ts';
import { locateJobs, type Place } from '../engine/control/locate-jobs.ts';
import { type RevokeReport, revokeJobs as revoke } from '../engine/control/revoke-jobs.ts';
import { readDeclaredQueues } from './job-lookup.ts';
import { defineOperation, type Plan, type PlanRow } from './operation.ts';
import { jobId, jobQueue, queueFlag } from './read-result.ts';
import type { Session } from './session.ts';
import { addressedInput, formatAddressed } from './worker-replies.ts';

/** With more jobs the plan counts them instead of naming each. */
const MAX_NAMED = 20;

export const revokeJobs = defineOperation({
  name: 'revoke-jobs',
  effect: 'destructive',
  summary: 'Revoke jobs: never start those that wait, abort those that run',
  input: strictObject({
    ids: pipe(array(jobId), nonEmpty('no id was given')),
    queue: jobQueue,
    /** End the processes of running jobs. */
    terminate: exactOptional(boolean()),
    ...addressedInput,
  }),
  async plan(session, { ids, queue, terminate }): Promise<Plan> {
    const found = await locateJobs(await session.broker(), [...new Set(ids)], await readPlace(session, queue));
    const touched = [...found.values()].filter(({ phase }) => phase !== 'finished');
    return {
      summary: `would revoke ${touched.length === 1 ? '1 job' : `${touched.length} jobs`}${terminate === true ? ', and end the processes of those that run' : ''}`,
      count: touched.length,
      rows: touched.length > MAX_NAMED ? countByKind(touched) : touched.map(toRow),
    };
  },
  async run(session, { ids, queue, terminate, destinations, timeoutMs }, progress): Promise<RevokeReport> {
    const broker = await session.broker();
    return await revoke(
      { broker, clock: session.clock },
      {
        ids,
        terminate,
        destinations,
        timeoutMs,
        by: describeUser(),
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

/** `ada@web-1`: who does it, for those who ask later. A container may have a user without a name. */
function describeUser(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    return hostname();
  }
}
