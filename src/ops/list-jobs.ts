import {
  array,
  exactOptional,
  integer,
  maxValue,
  minValue,
  nonEmpty,
  number,
  pipe,
  strictObject,
  string,
} from 'valibot';
import type { Broker } from '../engine/broker/port.ts';
import { resolveQueues } from '../engine/control/known-queues.ts';
import type { StoredError, StoredJob } from '../engine/core/job.ts';
import type { JobState } from '../engine/core/state.ts';
import { listNewest, listSorted, parseJobOrder, readListed } from '../engine/jobs/job-listing.ts';
import { type JobQuery, parseJobQuery } from '../engine/jobs/job-query.ts';
import { defineOperation } from './operation.ts';
import { queryText } from './query-text.ts';

/** A job in a list. Instants are epoch milliseconds. */
export interface ListedJob {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly state: JobState;
  readonly args: readonly unknown[];
  readonly priority: number | null;
  readonly attempts: number;
  readonly createdAt: number;
  readonly dueAt: number | null;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly worker: string | null;
  readonly progress: unknown;
  readonly error: StoredError | null;
  readonly reason: string | null;
  readonly requestId: string | null;
  readonly parentId: string | null;
  readonly rootId: string | null;
  readonly workflowId: string | null;
}

export interface ListedJobs {
  readonly jobs: readonly ListedJob[];
  /** The limit was reached: there may be more. */
  readonly isFull: boolean;
}

const MAX_LISTED = 10_000;

export const listJobs = defineOperation({
  name: 'list-jobs',
  effect: 'read',
  summary: 'List jobs of every queue, the newest first',
  input: strictObject({
    where: exactOptional(queryText),
    /** All queues without it. */
    queues: exactOptional(pipe(array(string()), nonEmpty())),
    sort: exactOptional(string()),
    limit: pipe(number(), integer(), minValue(1), maxValue(MAX_LISTED)),
  }),
  async run(session, { where, queues, sort, limit }, { signal, progress }): Promise<ListedJobs> {
    const query = where === undefined ? undefined : parseJobQuery(where, session.clock.now());
    const order = sort === undefined ? undefined : parseJobOrder(sort);
    const broker = await session.broker();
    const options = { queues: await listNames(broker, queues, query), query, limit, signal };
    const found =
      order === undefined ? await listNewest(broker, options) : await listSorted(broker, options, order, progress);
    return { jobs: (await readListed(broker, found)).map(toListedJob), isFull: found.length === limit };
  },
  commandLine: ({ where, queues, sort, limit }) => [
    ...['jobs', 'list'],
    ...(where === undefined ? [] : ['--where', where]),
    ...(queues === undefined ? [] : ['-Q', queues.join(',')]),
    ...(sort === undefined ? [] : [`--sort=${sort}`]),
    ...['--limit', String(limit)],
  ],
});

/** The list of all queues is read only if it has to be. */
async function listNames(
  broker: Broker,
  queues: readonly string[] | undefined,
  query: JobQuery | undefined,
): Promise<readonly string[]> {
  if (queues !== undefined) return await resolveQueues(broker, queues);
  return query?.queueNames ?? (await broker.listQueues());
}

export function toListedJob(job: StoredJob): ListedJob {
  const { id, task, queue, state, args, priority, attempts, createdAt, dueAt, startedAt, finishedAt } = job;
  const { worker, progress, error, reason, meta } = job;
  const { requestId = null, parentId = null, rootId = null, workflow } = meta;
  return {
    ...{ id, task, queue, state, args, priority, attempts, createdAt, dueAt, startedAt, finishedAt },
    ...{ worker, progress, error, reason, requestId, parentId, rootId, workflowId: workflow?.id ?? null },
  };
}
