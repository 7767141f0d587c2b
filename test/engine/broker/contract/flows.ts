import { expect } from 'vitest';
import type { Broker, BrokerQueue, FlowJob } from '../../../../src/engine/broker/port.ts';
import type { NewJob, Outcome, ParentJob, StoredError } from '../../../../src/engine/core/job.ts';
import { newJob, queueName, SUCCEEDED, type Workshop } from '../workshop.ts';
import { defineRule, type Subject } from './rule.ts';

const ERROR: StoredError = { name: 'TypeError', message: 'cannot read', code: 'ERR_X', stack: null };
const DEAD: Outcome = { kind: 'dead', error: ERROR };
const NOTHING = { pending: 0, ended: new Map(), dead: new Map() };

/** What a job does by its task: succeeds with its first argument, or whatever the first argument names. */
function byTask({ task, args, revoked }: { task: string; args: readonly unknown[]; revoked?: unknown }): Outcome {
  if (revoked !== undefined) return { kind: 'ended', state: 'REVOKED', reason: 'it was revoked' };
  if (task === 'die') return DEAD;
  return { kind: 'succeeded', result: args[0] };
}

interface Family {
  readonly queue: BrokerQueue;
  readonly parent: NewJob;
  readonly children: readonly NewJob[];
  readonly jobs: readonly FlowJob[];
}

/** A parent and its children in one queue, not added yet. */
function createFamily(
  broker: Broker,
  children: readonly Partial<NewJob>[],
  { onDead = 'wait', ...fields }: Partial<NewJob> & { onDead?: ParentJob['onDead'] } = {},
): Family {
  const queue = broker.queue(queueName());
  const parent = newJob({ task: 'parent', ...fields });
  const of: ParentJob = { queue: queue.name, id: parent.id, onDead };
  const own = children.map((child) => newJob({ parent: of, ...child }));
  return {
    queue,
    parent,
    children: own,
    jobs: [
      { queue: queue.name, job: parent, hasChildren: true },
      ...own.map((job) => ({ queue: queue.name, job, hasChildren: false })),
    ],
  };
}

async function statesOf(queue: BrokerQueue, jobs: readonly NewJob[]): Promise<(string | undefined)[]> {
  return Promise.all(jobs.map(async ({ id }) => (await queue.readJob(id))?.state));
}

/** Takes jobs until the parent is taken, and gives their tasks in order. */
async function tasksUntilParent(
  { consume }: Workshop,
  { queue, parent }: Family,
  perform: NonNullable<Parameters<Workshop['consume']>[1]>['perform'] = byTask,
): Promise<string[]> {
  const probe = await consume(queue.name, { perform });
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

export const flows: Subject = {
  subject: 'flows',
  rules: [
    defineRule('a parent waits for its children and runs when the last one has ended', async (workshop) => {
      const { broker } = workshop;
      const family = createFamily(broker, [
        { task: 'child', args: [1] },
        { task: 'child', args: [{ $tq: 'looks like a marker' }] },
        { task: 'child', args: [null] },
      ]);
      const { queue, parent, children } = family;
      await broker.addFlow(family.jobs);
      expect(await statesOf(queue, [parent, ...children])).toEqual(['BLOCKED', 'PENDING', 'PENDING', 'PENDING']);
      expect(await queue.readChildren(parent.id)).toEqual({ ...NOTHING, pending: 3 });
      expect(await queue.counts()).toMatchObject({ blocked: 1, waiting: 3 });
      expect(await tasksUntilParent(workshop, family)).toEqual(['child', 'child', 'child', 'parent']);
      expect(await queue.readChildren(parent.id)).toEqual({
        ...NOTHING,
        ended: new Map([
          [children[0]?.id, { state: 'SUCCESS', value: 1 }],
          [children[1]?.id, { state: 'SUCCESS', value: { $tq: 'looks like a marker' } }],
          [children[2]?.id, { state: 'SUCCESS', value: null }],
        ]),
      });
      expect(await statesOf(queue, [parent, ...children])).toEqual(['SUCCESS', 'SUCCESS', 'SUCCESS', 'SUCCESS']);
    }),

    defineRule('a job without children has none', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const job = newJob();
      await queue.add(job);
      expect(await queue.readChildren(job.id)).toEqual(NOTHING);
      expect(await queue.readChildren('not there')).toEqual(NOTHING);
      await broker.addFlow([]);
    }),

    defineRule('a parent that waits in spite of a dead child runs after the last one', async (workshop) => {
      const family = createFamily(workshop.broker, [{ task: 'die' }, { task: 'second' }], { onDead: 'wait' });
      const { queue, parent, children } = family;
      await workshop.broker.addFlow(family.jobs);
      expect(await tasksUntilParent(workshop, family)).toEqual(['die', 'second', 'parent']);
      expect((await queue.readChildren(parent.id)).dead).toEqual(new Map([[children[0]?.id, 'cannot read']]));
    }),

    defineRule(
      'a parent that starts at a dead child waits for no other, and may fail before they end',
      async (workshop) => {
        const family = createFamily(workshop.broker, [{ task: 'die' }, { task: 'later', delayMs: 3_600_000 }], {
          onDead: 'start',
        });
        const { queue, parent, children } = family;
        await workshop.broker.addFlow(family.jobs);
        const perform = (job: Parameters<typeof byTask>[0]): Outcome => (job.task === 'parent' ? DEAD : byTask(job));
        expect(await tasksUntilParent(workshop, family, perform)).toEqual(['die', 'parent']);
        const dead = new Map([[children[0]?.id, 'cannot read']]);
        expect(await queue.readChildren(parent.id)).toEqual({ pending: 1, ended: new Map(), dead });
        expect(await statesOf(queue, [parent])).toEqual(['FAILURE']);
      },
    ),

    defineRule('the ends of children say how each of them ended', async (workshop) => {
      const ends: Record<string, Outcome> = {
        ignored: { kind: 'ended', state: 'IGNORED', reason: 'not wanted' },
        revoked: { kind: 'ended', state: 'REVOKED', reason: 'expired' },
        failed: { kind: 'failed', error: ERROR },
        replaced: { kind: 'replaced', graph: { nodes: [], entry: 0, exit: 0 } },
        dead: DEAD,
      };
      const family = createFamily(
        workshop.broker,
        Object.keys(ends).map((task) => ({ task })),
      );
      const { queue, parent, children } = family;
      await workshop.broker.addFlow(family.jobs);
      await tasksUntilParent(workshop, family, ({ task }) => ends[task] ?? SUCCEEDED);
      const [ignored, revoked, failed, replaced, dead] = children.map(({ id }) => id);
      expect(await queue.readChildren(parent.id)).toEqual({
        pending: 0,
        ended: new Map([
          [ignored, { state: 'IGNORED', reason: 'not wanted' }],
          [revoked, { state: 'REVOKED', reason: 'expired' }],
          [failed, { state: 'FAILURE', reason: 'cannot read' }],
          [replaced, { state: 'REPLACED', reason: expect.any(String) }],
        ]),
        dead: new Map([[dead, 'cannot read']]),
      });
      expect(await queue.counts()).toMatchObject({ completed: 5, dead: 1 });
    }),
  ],
};
