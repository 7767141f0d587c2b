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
import { resolveQueues } from '../engine/control/known-queues.ts';
import type { StoredJob } from '../engine/core/job.ts';
import type { HeldBy } from '../engine/worker/admission/held-index.ts';
import { readHeldBy } from './held-jobs.ts';
import { defineOperation } from './operation.ts';

export interface ScheduledJob {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  /** Epoch milliseconds. */
  readonly dueAt: number | null;
  readonly priority: number | null;
  /** What holds it back, when it does not wait for its own time: it is let go before `dueAt`. */
  readonly held: HeldBy | null;
}

export interface ScheduledJobs {
  /** The next due first, over all queues. */
  readonly jobs: readonly ScheduledJob[];
  /** Scheduled jobs of these queues, listed or not. */
  readonly total: number;
}

/** Each queue may have to give all of them, so the limit bounds what is read: limit × queues jobs. */
const MAX_LISTED = 10_000;

export const listScheduled = defineOperation({
  name: 'list-scheduled',
  effect: 'read',
  summary: 'List the jobs that wait for their time, the next due first',
  input: strictObject({
    /** All queues without it. */
    queues: exactOptional(pipe(array(string()), nonEmpty())),
    limit: pipe(number(), integer(), minValue(1), maxValue(MAX_LISTED)),
  }),
  async run(session, { queues, limit }): Promise<ScheduledJobs> {
    const broker = await session.broker();
    const names = queues === undefined ? await broker.listQueues() : await resolveQueues(broker, queues);
    const stores = names.map((name) => broker.queue(name));
    const [lists, counts, held] = await Promise.all([
      Promise.all(stores.map((store) => store.listScheduled(0, limit))),
      Promise.all(stores.map((store) => store.counts())),
      Promise.all(names.map(async (name) => [name, await readHeldBy(broker, name)] as const)),
    ]);
    const listed = lists.flat();
    // A revoked one lies there until a worker files it away, and waits for nothing.
    const waiting = listed.filter(({ revoked }) => revoked === undefined);
    const heldBy = new Map(held);
    const jobs = waiting
      .sort(byDueTime)
      .slice(0, limit)
      .map((job) => toScheduledJob(job, heldBy.get(job.queue)?.get(job.id) ?? null));
    const total = counts.reduce((sum, count) => sum + count.scheduled, 0) - (listed.length - waiting.length);
    return { jobs, total: Math.max(total, jobs.length) };
  },
  commandLine: ({ queues, limit }) => [
    'inspect',
    'scheduled',
    ...(queues === undefined ? [] : ['-Q', queues.join(',')]),
    '--limit',
    String(limit),
  ],
});

function byDueTime(a: StoredJob, b: StoredJob): number {
  return (a.dueAt ?? 0) - (b.dueAt ?? 0) || a.id.localeCompare(b.id);
}

function toScheduledJob({ id, task, queue, dueAt, priority }: StoredJob, held: HeldBy | null): ScheduledJob {
  return { id, task, queue, dueAt, priority, held };
}
