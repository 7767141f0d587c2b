import type { JobStanding } from '../../../../src/engine/core/job-standing.ts';
import type { WhyFacts, WorkerFacts } from '../../../../src/engine/core/why/job-facts.ts';
import { createStoredJob, NOW } from '../../../cli/fake-broker.ts';

type Given = Partial<Omit<WhyFacts, 'job' | 'standing'>> & {
  readonly job?: Parameters<typeof createStoredJob>[0];
  readonly standing?: Partial<Omit<JobStanding, 'queue'>>;
  readonly queue?: Partial<JobStanding['queue']>;
};

/** The facts of a job that nothing holds back: it is the next of a queue that an idle worker serves. */
export function createFacts({ job, standing, queue, ...given }: Given = {}): WhyFacts {
  return {
    now: NOW,
    job: createStoredJob({ id: 'j', task: 'mail.send', queue: 'mail', ...job }),
    standing: {
      before: 0,
      lockLeftMs: null,
      pending: 0,
      pendingChildren: [],
      ...standing,
      queue: {
        ...{ paused: false, waiting: 1, active: 0, concurrency: null, limitedForMs: 0, windowMs: 0, consumers: 1 },
        ...queue,
      },
    },
    workers: [createWorker()],
    silent: [],
    taskPausedSince: null,
    held: null,
    putBackBy: [],
    children: [],
    workflow: null,
    ...given,
  };
}

export function createWorker(given: Partial<WorkerFacts> = {}): WorkerFacts {
  return {
    name: 'tq@a',
    queues: ['mail'],
    slots: 2,
    running: [],
    reserved: [],
    lockDurationMs: 30_000,
    problems: [],
    tasks: new Map([['mail.send', { timeLimitMs: null, rateLimit: null, concurrency: null }]]),
    ...given,
  };
}
