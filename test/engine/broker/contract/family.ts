import type { Broker, BrokerQueue, FlowJob } from '../../../../src/engine/broker/port.ts';
import type { NewJob, Outcome, ParentJob, StoredError } from '../../../../src/engine/core/job.ts';
import { newJob, queueName, type Taken, type Workshop } from '../workshop.ts';

export const ERROR: StoredError = { name: 'TypeError', message: 'cannot read', code: 'ERR_X', stack: null };
export const DEAD: Outcome = { kind: 'dead', error: ERROR };
export const NO_CHILDREN = { pending: 0, ended: new Map(), dead: new Map() };

/** Succeeds with its first argument, unless its task is `die` or it was revoked. */
export function byTask({ task, args, revoked }: Pick<Taken, 'task' | 'args' | 'revoked'>): Outcome {
  if (revoked !== undefined) return { kind: 'ended', state: 'REVOKED', reason: 'it was revoked' };
  return task === 'die' ? DEAD : { kind: 'succeeded', result: args[0] };
}

/** A parent and its children in one queue. */
export interface Family {
  readonly queue: BrokerQueue;
  readonly parent: NewJob;
  readonly children: readonly NewJob[];
  /** As `addFlow` takes them. */
  readonly jobs: readonly FlowJob[];
  /** What a further child names as its parent. */
  readonly link: ParentJob;
}

/** @param options.onDead of all children; the rest is the parent's */
export function createFamily(
  broker: Broker,
  children: readonly Partial<NewJob>[],
  { onDead = 'wait', ...fields }: Partial<NewJob> & { onDead?: ParentJob['onDead'] } = {},
): Family {
  const queue = broker.queue(queueName());
  const parent = newJob({ task: 'parent', ...fields });
  const link: ParentJob = { queue: queue.name, id: parent.id, onDead };
  const own = children.map((child) => newJob({ task: 'child', parent: link, ...child }));
  const jobs = [
    { queue: queue.name, job: parent, hasChildren: true },
    ...own.map((job) => ({ queue: queue.name, job, hasChildren: false })),
  ];
  return { queue, parent, children: own, jobs, link };
}

export async function statesOf(queue: BrokerQueue, jobs: readonly NewJob[]): Promise<(string | undefined)[]> {
  return Promise.all(jobs.map(async ({ id }) => (await queue.readJob(id))?.state));
}

/** Lets a worker take jobs until it has the parent, and gives their tasks in order. */
export async function tasksUntilParent(
  { consume }: Pick<Workshop, 'consume'>,
  { queue, parent }: Family,
  perform: (job: Taken) => Outcome | Promise<Outcome> = byTask,
): Promise<string[]> {
  const probe = await consume(queue.name, { perform: (job) => perform(job as unknown as Taken) });
  const tasks: string[] = [];
  for (;;) {
    const { task, id } = await probe.taken.next();
    tasks.push(task);
    if (id === parent.id) break;
  }
  await probe.settled();
  await probe.stop();
  return tasks;
}
