import type { Operation } from './operation.ts';

/** A sequence on which the two sides once differed, or on which BullMQ's scripts had to be mended, and what it is about. */
export interface NamedSequence {
  readonly title: string;
  readonly operations: readonly Operation[];
}

const JOB = { queue: 0, name: 'a', data: {}, opts: {} } as const;
const TAKE = { op: 'take', queue: 0, worker: 0, token: 0 } as const;

export const COUNTEREXAMPLES: readonly NamedSequence[] = [
  {
    title: 'schedulers are counted and listed like a state, under the name "repeat"',
    operations: [{ op: 'upsertJobScheduler', queue: 0, id: 'hourly', schedule: { pattern: '0 * * * *' } }],
  },
  {
    title: 'an option of a job that is null is as good as absent',
    operations: [{ op: 'upsertJobScheduler', queue: 0, id: 'hourly', schedule: { every: 10_000 } }],
  },
  {
    title: 'the jobs in a page of children have no ids of their own',
    operations: [
      { op: 'add', ...JOB },
      { op: 'addChild', ...JOB, parent: { queue: 0, state: 'any', nth: 0 } },
      { op: 'getChildren', job: { queue: 0, state: 'any', nth: 0 }, type: 'pending' },
    ],
  },
  {
    title: 'jobs are obliterated from the newest, which orders the parents that this lets go',
    operations: [
      { op: 'addFlow', tree: { ...JOB, queue: 1, children: [JOB] } },
      { op: 'addFlow', tree: { ...JOB, queue: 1, children: [JOB] } },
      { op: 'obliterate', queue: 0 },
    ],
  },
  {
    title: 'a drained list keeps the job of a scheduler',
    operations: [
      { op: 'add', ...JOB },
      { op: 'upsertJobScheduler', queue: 0, id: 'hourly', schedule: { every: 10_000 } },
      { op: 'drain', queue: 0 },
    ],
  },
  {
    title: 'an attempt that is refused leaves no stack trace',
    operations: [
      { op: 'add', ...JOB },
      TAKE,
      { op: 'fail', nth: 0, message: 'broken', claim: 'own', fetchNext: false },
      { op: 'fail', nth: 0, again: true, message: 'broken', claim: 'none', fetchNext: false },
    ],
  },
  {
    title: 'an attempt that is refused leaves the lock',
    operations: [
      { op: 'add', ...JOB },
      TAKE,
      { op: 'moveToWait', nth: 0, claim: 'none' },
      { op: 'process', nth: 0, again: true, outcome: { kind: 'return', value: 0 }, fetchNext: false },
    ],
  },
  {
    title: 'a retry that is refused promotes no delayed jobs',
    operations: [
      { op: 'add', ...JOB, opts: { attempts: 2 } },
      TAKE,
      { op: 'add', ...JOB, opts: { delay: 1000 } },
      { op: 'advance', ms: 60_000 },
      { op: 'process', nth: 0, outcome: { kind: 'throw', message: 'broken' }, fetchNext: true },
    ],
  },
  {
    title: 'the metrics of failed jobs are no orphans',
    operations: [
      { op: 'add', ...JOB },
      { op: 'run', queue: 0, worker: 0, token: 0, outcome: { kind: 'throw', message: 'broken' }, fetchNext: false },
      { op: 'removeOrphanedJobs', queue: 0 },
    ],
  },
  {
    title: 'a new pattern does not take the place of a finished job',
    operations: [
      { op: 'upsertJobScheduler', queue: 0, id: 'hourly', schedule: { every: 10_000 } },
      { op: 'run', queue: 0, worker: 0, token: 0, outcome: { kind: 'throw', message: 'broken' }, fetchNext: false },
      { op: 'upsertJobScheduler', queue: 0, id: 'hourly', schedule: { pattern: '*/10 * * * * *', immediately: true } },
    ],
  },
  {
    title: 'a job that is removed takes its lock with it',
    operations: [
      { op: 'add', ...JOB, opts: { jobId: 'job-a' } },
      TAKE,
      { op: 'moveToWait', nth: 0, claim: 'none' },
      { op: 'drain', queue: 0 },
      { op: 'add', ...JOB, opts: { jobId: 'job-a' } },
      { op: 'remove', job: { queue: 0, state: 'wait', nth: 0 } },
    ],
  },
  {
    title: 'jobs that stall wait in the order in which they were taken',
    operations: [
      { op: 'add', ...JOB, opts: { jobId: 'job-b' } },
      { op: 'add', ...JOB, opts: { jobId: 'job-a' } },
      { op: 'add', ...JOB },
      ...[TAKE, TAKE, TAKE],
      { op: 'checkStalled', queue: 0, worker: 0 },
      { op: 'advance', ms: 30_000 },
      { op: 'checkStalled', queue: 0, worker: 0 },
    ],
  },
  {
    title: 'a job that left the active state without its lock is no suspect when it is taken again',
    operations: [
      { op: 'add', ...JOB },
      TAKE,
      { op: 'checkStalled', queue: 0, worker: 0 },
      { op: 'moveToDelayed', nth: 0, ms: 10_000, claim: 'none' },
      { op: 'advance', ms: 10_000 },
      { op: 'checkStalled', queue: 0, worker: 0 },
      TAKE,
      { op: 'advance', ms: 30_000 },
      { op: 'checkStalled', queue: 0, worker: 0 },
    ],
  },
  {
    title: 'handing back a job that is not active any more takes its lock',
    operations: [
      { op: 'add', ...JOB },
      TAKE,
      { op: 'fail', nth: 0, message: 'broken', claim: 'none', fetchNext: false },
      { op: 'moveToWait', nth: 0, again: true, claim: 'own' },
      { op: 'remove', job: { queue: 0, state: 'failed', nth: 0 } },
    ],
  },
  {
    title: 'a parent that is removed with its last child lets go of its deduplication id',
    operations: [
      { op: 'addDeduplicated', ...JOB, opts: { deduplication: { id: 'once' } } },
      TAKE,
      { op: 'addChild', ...JOB, parent: { queue: 0, state: 'active', nth: 0 } },
      { op: 'moveToWaitingChildren', nth: 0, claim: 'own' },
      { op: 'drain', queue: 0 },
    ],
  },
];
