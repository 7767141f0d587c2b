import { expect } from 'vitest';
import type { FlowJob } from '../../../../src/engine/broker/port.ts';
import type { Outcome } from '../../../../src/engine/core/job.ts';
import { newJob, newJobs, queueName, SUCCEEDED, type Taken } from '../workshop.ts';
import { byTask, createFamily, DEAD, ERROR, NO_CHILDREN, statesOf, tasksUntilParent } from './family.ts';
import { defineRule, type Subject } from './rule.ts';

const REVOCATION = { at: Date.parse('2031-05-01T12:00:00Z'), by: 'ada@box' };
const HOUR_MS = 3_600_000;
const BLOCKED: Outcome = { kind: 'blocked' };

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
      expect(await queue.readChildren(parent.id)).toEqual({ ...NO_CHILDREN, pending: 3 });
      expect(await queue.counts()).toMatchObject({ blocked: 1, waiting: 3 });
      expect(await tasksUntilParent(workshop, family)).toEqual(['child', 'child', 'child', 'parent']);
      expect(await queue.readChildren(parent.id)).toEqual({
        ...NO_CHILDREN,
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
      expect(await queue.readChildren(job.id)).toEqual(NO_CHILDREN);
      expect(await queue.readChildren('not there')).toEqual(NO_CHILDREN);
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
        const family = createFamily(workshop.broker, [{ task: 'die' }, { task: 'later', delayMs: HOUR_MS }], {
          onDead: 'start',
        });
        const { queue, parent, children } = family;
        await workshop.broker.addFlow(family.jobs);
        const perform = (job: Taken): Outcome => (job.task === 'parent' ? DEAD : byTask(job));
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
        dead: DEAD,
      };
      const family = createFamily(
        workshop.broker,
        Object.keys(ends).map((task) => ({ task })),
      );
      const { queue, parent, children } = family;
      await workshop.broker.addFlow(family.jobs);
      await tasksUntilParent(workshop, family, ({ task }) => ends[task] ?? SUCCEEDED);
      const [ignored, revoked, failed, dead] = children.map(({ id }) => id);
      expect(await queue.readChildren(parent.id)).toEqual({
        pending: 0,
        ended: new Map([
          [ignored, { state: 'IGNORED', reason: 'not wanted' }],
          [revoked, { state: 'REVOKED', reason: 'expired' }],
          [failed, { state: 'FAILURE', reason: 'cannot read' }],
        ]),
        dead: new Map([[dead, 'cannot read']]),
      });
      expect(await queue.counts()).toMatchObject({ completed: 4, dead: 1 });
    }),

    defineRule('flows may be nested, and lie in several queues', async (workshop) => {
      const { broker, consume } = workshop;
      const [above, below] = [broker.queue(queueName()), broker.queue(queueName())];
      const root = newJob({ task: 'root' });
      const middle = newJob({ task: 'middle', args: [2], parent: { queue: above.name, id: root.id, onDead: 'wait' } });
      const leaves = newJobs(3, {
        task: 'leaf',
        args: [1],
        parent: { queue: below.name, id: middle.id, onDead: 'start' },
      });
      await broker.addFlow([
        { queue: above.name, job: root, hasChildren: true },
        { queue: below.name, job: middle, hasChildren: true },
        ...leaves.map((job) => ({ queue: below.name, job, hasChildren: false })),
      ]);
      expect(await statesOf(above, [root])).toEqual(['BLOCKED']);
      expect(await statesOf(below, [middle, ...leaves])).toEqual(['BLOCKED', 'PENDING', 'PENDING', 'PENDING']);
      expect(await broker.listQueues()).toEqual(expect.arrayContaining([above.name, below.name]));
      const probe = await consume([above.name, below.name], { perform: byTask });
      const taken = await probe.taken.take(5);
      expect(taken.map(({ task }) => task)).toEqual(['leaf', 'leaf', 'leaf', 'middle', 'root']);
      await probe.settled();
      const value = { state: 'SUCCESS', value: 2 };
      expect(await above.readChildren(root.id)).toEqual({ ...NO_CHILDREN, ended: new Map([[middle.id, value]]) });
      expect((await below.readChildren(middle.id)).ended.size).toBe(3);
    }),

    defineRule('a child that adds another one before it ends keeps its parent waiting', async (workshop) => {
      const family = createFamily(workshop.broker, [{ task: 'first' }]);
      const { queue, parent, link } = family;
      await workshop.broker.addFlow(family.jobs);
      const steps = ['second', 'third'].map((task) => newJob({ task, parent: link }));
      const next = [...steps];
      const tasks = await tasksUntilParent(workshop, family, async (job) => {
        const step = job.id === parent.id ? undefined : next.shift();
        if (step !== undefined) await queue.add(step);
        return byTask(job);
      });
      expect(tasks).toEqual(['first', 'second', 'third', 'parent']);
      expect((await queue.readChildren(parent.id)).ended.size).toBe(3);
    }),

    defineRule(
      'children keep their priorities and delays, and a parent has its delay after its children',
      async (workshop) => {
        const { broker, consume } = workshop;
        const family = createFamily(
          broker,
          [
            { task: 'low', priority: 1 },
            { task: 'high', priority: 9 },
            { task: 'later', delayMs: HOUR_MS },
          ],
          { priority: 5, delayMs: 2 * HOUR_MS },
        );
        const { queue, parent, children } = family;
        await queue.enablePriorities();
        await broker.addFlow(family.jobs);
        expect(await statesOf(queue, [parent, ...children])).toEqual(['BLOCKED', 'PENDING', 'PENDING', 'SCHEDULED']);
        const probe = await consume(queue.name);
        expect((await probe.taken.take(2)).map(({ task }) => task)).toEqual(['high', 'low']);
        await queue.promoteToHead([children[2]?.id ?? '']);
        expect(await probe.taken.next()).toMatchObject({ task: 'later' });
        await probe.settled();
        const waiting = await queue.readJob(parent.id);
        expect(waiting).toMatchObject({ state: 'SCHEDULED', priority: 5 });
        expect(waiting?.dueAt).toBeGreaterThan(parent.createdAt + HOUR_MS);
      },
    ),

    defineRule('a flow whose parent is not stored is refused, and nothing of it is added', async ({ broker }) => {
      const { jobs, queue, children, parent } = createFamily(broker, [{}, {}]);
      const aside = newJob();
      const orphans = [{ queue: queue.name, job: aside, hasChildren: false }, ...jobs.slice(1)];
      await expect(broker.addFlow(orphans)).rejects.toMatchObject({
        code: 'PARENT_MISSING',
        message: expect.stringContaining(`job ${children[0]?.id} cannot be added as a child of job ${parent.id}`),
      });
      expect(await statesOf(queue, [aside, ...children])).toEqual([undefined, undefined, undefined]);
      expect(await queue.counts()).toMatchObject({ waiting: 0, blocked: 0 });
    }),

    defineRule('a flow is refused whole when one of its two parents is not stored', async ({ broker }) => {
      const { jobs, queue, link } = createFamily(broker, [{}]);
      await broker.addFlow(jobs);
      const further = newJob({ parent: link });
      const lost = newJob({ parent: { ...link, id: 'nobody' } });
      const below = newJob({ parent: { ...link, id: lost.id } });
      const flow: FlowJob[] = [
        { queue: queue.name, job: further, hasChildren: false },
        { queue: queue.name, job: lost, hasChildren: true },
        { queue: queue.name, job: below, hasChildren: false },
      ];
      await expect(broker.addFlow(flow)).rejects.toMatchObject({ code: 'PARENT_MISSING' });
      await expect(broker.addFlow(flow.slice(1))).rejects.toMatchObject({ code: 'PARENT_MISSING' });
      expect(await statesOf(queue, [further, lost, below])).toEqual([undefined, undefined, undefined]);
      expect(await queue.readChildren(link.id)).toEqual({ ...NO_CHILDREN, pending: 1 });
    }),

    defineRule(
      'a job alone, or in a batch, is refused as the child of a job that is not stored',
      async ({ broker }) => {
        const queue = broker.queue(queueName());
        const [child, other] = newJobs(2, { parent: { queue: queue.name, id: 'nobody', onDead: 'wait' } });
        await expect(queue.add(child ?? newJob())).rejects.toMatchObject({ code: 'PARENT_MISSING' });
        await expect(queue.addBulk([other ?? newJob(), newJob()])).rejects.toMatchObject({ code: 'PARENT_MISSING' });
        expect(await queue.counts()).toMatchObject({ waiting: 0 });
      },
    ),

    defineRule('a flow that is added twice is stored once, whatever has become of it', async (workshop) => {
      const { broker } = workshop;
      const family = createFamily(broker, [
        { task: 'child', args: [1] },
        { task: 'later', delayMs: HOUR_MS },
      ]);
      const { queue, parent, children } = family;
      await broker.addFlow(family.jobs);
      await broker.addFlow(family.jobs);
      expect(await queue.readChildren(parent.id)).toEqual({ ...NO_CHILDREN, pending: 2 });
      const probe = await workshop.consume(queue.name, { perform: byTask });
      await probe.taken.next();
      await probe.settled();
      await broker.addFlow(family.jobs);
      const ended = new Map([[children[0]?.id, { state: 'SUCCESS', value: 1 }]]);
      expect(await queue.readChildren(parent.id)).toEqual({ ...NO_CHILDREN, pending: 1, ended });
      await queue.promoteToHead([children[1]?.id ?? '']);
      expect((await probe.taken.take(2)).map(({ task }) => task)).toEqual(['later', 'parent']);
      await probe.settled();
      await broker.addFlow(family.jobs);
      expect(await statesOf(queue, [parent, ...children])).toEqual(['SUCCESS', 'SUCCESS', 'SUCCESS']);
      expect(await queue.counts()).toMatchObject({ waiting: 0, blocked: 0, completed: 3 });
    }),

    defineRule('a child that has ended before its flow is added holds its parent back no longer', async (workshop) => {
      const family = createFamily(workshop.broker, [
        { task: 'child', args: [1] },
        { task: 'child', args: [2] },
      ]);
      const { queue, parent, children } = family;
      const probe = await workshop.consume(queue.name, { perform: byTask });
      await queue.addBulk(children.map(({ parent: _, ...child }) => child));
      await probe.taken.take(2);
      await probe.settled();
      await workshop.broker.addFlow(family.jobs);
      expect(await probe.taken.next()).toMatchObject({ id: parent.id });
      expect((await queue.readChildren(parent.id)).ended).toEqual(
        new Map(children.map(({ id, args }) => [id, { state: 'SUCCESS', value: args[0] }])),
      );
    }),

    ...(['wait', 'start'] as const).flatMap((onDead) => [
      defineRule(`a dead child that is added again holds back no parent that is to ${onDead}`, async (workshop) => {
        const { broker } = workshop;
        const family = createFamily(broker, [{ task: 'die' }], { onDead });
        const { queue, parent, children, link } = family;
        await broker.addFlow(family.jobs);
        const hold = workshop.gate<Outcome>();
        const perform = (job: Pick<Taken, 'task' | 'args'>) => (job.task === 'parent' ? hold.promise : byTask(job));
        const probe = await workshop.consume(queue.name, { perform });
        await probe.taken.take(2);
        const [dead = newJob()] = children;
        await queue.add(dead);
        await broker.addFlow([{ queue: queue.name, job: dead, hasChildren: false }]);
        expect(await queue.readChildren(parent.id)).toEqual({
          ...NO_CHILDREN,
          dead: new Map([[dead.id, 'cannot read']]),
        });
        hold.resolve(SUCCEEDED);
        await probe.settled();
        expect(await statesOf(queue, [parent, dead])).toEqual(['SUCCESS', 'FAILURE']);
        expect(link.onDead).toBe(onDead);
      }),

      defineRule(
        `a dead letter that becomes the child of a job to ${onDead} is counted as dead at once`,
        async (workshop) => {
          const { broker } = workshop;
          const family = createFamily(broker, [{ task: 'die' }, { task: 'later', delayMs: HOUR_MS }], { onDead });
          const { queue, parent, children } = family;
          const [dead, later] = children;
          const { parent: _, ...alone } = dead ?? newJob();
          const probe = await workshop.consume(queue.name, { perform: byTask });
          await queue.add(alone);
          await probe.taken.next();
          await probe.settled();
          await broker.addFlow(family.jobs);
          expect(await queue.readChildren(parent.id)).toMatchObject({
            pending: 1,
            dead: new Map([[alone.id, 'cannot read']]),
          });
          if (onDead === 'wait') {
            expect(await statesOf(queue, [parent])).toEqual(['BLOCKED']);
            await queue.promoteToHead([later?.id ?? '']);
            expect(await probe.taken.next()).toMatchObject({ task: 'later' });
          }
          expect(await probe.taken.next()).toMatchObject({ id: parent.id });
        },
      ),
    ]),

    defineRule('a blocked job waits for its children again, and is charged no attempt', async (workshop) => {
      const { broker, consume } = workshop;
      const family = createFamily(broker, [{ task: 'die' }, { task: 'later', delayMs: HOUR_MS }], { onDead: 'start' });
      const { queue, parent, children } = family;
      await broker.addFlow(family.jobs);
      const ends = [BLOCKED];
      const probe = await consume(queue.name, {
        perform: (job) => (job.task === 'parent' ? (ends.shift() ?? SUCCEEDED) : byTask(job)),
      });
      await probe.taken.take(2);
      await probe.settled();
      expect(await queue.readJob(parent.id)).toMatchObject({ state: 'BLOCKED', attempts: 0, error: null, stacks: [] });
      expect(await queue.counts()).toMatchObject({ blocked: 1, active: 0 });
      await queue.promoteToHead([children[1]?.id ?? '']);
      const [, again] = await probe.taken.take(2);
      expect(again).toMatchObject({ id: parent.id, attempts: 1, timesTaken: 2, workersLost: 0 });
      await probe.settled();
      expect(await queue.readJob(parent.id)).toMatchObject({ state: 'SUCCESS', attempts: 1 });
      expect(probe.troubles.all).toEqual([]);
    }),

    ...[undefined, 5].map((priority) =>
      defineRule(
        `a blocked job ${priority === undefined ? 'without' : 'with'} a priority whose children have all ended runs again at once`,
        async ({ broker, consume }) => {
          const { queue, parent, jobs } = createFamily(broker, [{}], priority === undefined ? {} : { priority });
          if (priority !== undefined) await queue.enablePriorities();
          await broker.addFlow(jobs);
          const ends = [BLOCKED];
          const probe = await consume(queue.name, {
            perform: ({ task }) => (task === 'parent' ? (ends.shift() ?? SUCCEEDED) : SUCCEEDED),
          });
          const [, , again] = await probe.taken.take(3);
          expect(again).toMatchObject({ id: parent.id, attempts: 1, timesTaken: 2 });
        },
      ),
    ),

    defineRule('a worker that blocks a job goes on with the next one', async ({ broker, consume }) => {
      const { queue, jobs } = createFamily(broker, [{ task: 'die' }, { delayMs: HOUR_MS }], { onDead: 'start' });
      await broker.addFlow(jobs);
      const probe = await consume(queue.name, { perform: (job) => (job.task === 'parent' ? BLOCKED : byTask(job)) });
      await probe.taken.take(2);
      const next = newJob({ task: 'next' });
      await queue.add(next);
      expect(await probe.taken.next()).toMatchObject({ id: next.id });
    }),

    defineRule(
      'a parent that is revoked while it waits is filed away when its children have ended',
      async (workshop) => {
        const family = createFamily(workshop.broker, [{ task: 'child' }, { task: 'child' }]);
        const { queue, parent, children } = family;
        await workshop.broker.addFlow(family.jobs);
        expect(await queue.revoke([parent.id], REVOCATION)).toMatchObject([{ phase: 'blocked', revoked: REVOCATION }]);
        expect(await queue.readJob(parent.id)).toMatchObject({ state: 'REVOKED', finishedAt: null });
        expect(await tasksUntilParent(workshop, family)).toEqual(['child', 'child', 'parent']);
        expect(await queue.readJob(parent.id)).toMatchObject({ state: 'REVOKED', reason: 'it was revoked' });
        expect(await statesOf(queue, children)).toEqual(['SUCCESS', 'SUCCESS']);
        expect(await queue.counts()).toMatchObject({ completed: 3, dead: 0, blocked: 0 });
      },
    ),

    defineRule('a revoked parent that starts at a dead child waits for the others all the same', async (workshop) => {
      const family = createFamily(workshop.broker, [{ task: 'die' }, { delayMs: HOUR_MS }], { onDead: 'start' });
      const { queue, parent, children } = family;
      await workshop.broker.addFlow(family.jobs);
      await queue.revoke([parent.id], REVOCATION);
      expect(await tasksUntilParent(workshop, family)).toEqual(['die', 'parent']);
      expect(await queue.listBriefs([parent.id])).toMatchObject([{ phase: 'blocked', revoked: REVOCATION }]);
      await queue.promoteToHead([children[1]?.id ?? '']);
      expect(await tasksUntilParent(workshop, family)).toEqual(['child', 'parent']);
      expect(await queue.readJob(parent.id)).toMatchObject({ state: 'REVOKED', reason: 'it was revoked', attempts: 1 });
    }),

    defineRule('a large flow is whole before its parent runs, though its first jobs end at once', async (workshop) => {
      const { broker, consume, openBroker } = workshop;
      const COUNT = 1500;
      const { queue, parent, children, jobs } = createFamily(
        broker,
        Array.from({ length: COUNT }, (_, index) => ({ args: [index] })),
      );
      const seen = Promise.withResolvers<number>();
      await consume(queue.name, {
        broker: await openBroker(),
        concurrency: 50,
        async perform(job) {
          if (job.id === parent.id) seen.resolve((await queue.readChildren(parent.id)).ended.size);
          return byTask(job);
        },
      });
      await broker.addFlow(jobs);
      expect(await seen.promise).toBe(COUNT);
      // Added again, as by a step that is delivered twice, it changes nothing.
      await broker.addFlow(jobs);
      expect(await queue.counts()).toMatchObject({ waiting: 0, scheduled: 0, blocked: 0 });
      expect(await queue.readJob(children.at(-1)?.id ?? '')).toMatchObject({ state: 'SUCCESS', result: COUNT - 1 });
    }),

    defineRule('a large flow whose parent is not stored is refused whole', async ({ broker }) => {
      const { queue, jobs } = createFamily(
        broker,
        Array.from({ length: 1500 }, () => ({})),
      );
      const flow = [...newJobs(1100).map((job) => ({ queue: queue.name, job, hasChildren: false })), ...jobs.slice(1)];
      await expect(broker.addFlow(flow)).rejects.toMatchObject({ code: 'PARENT_MISSING' });
      expect(await queue.counts()).toMatchObject({ waiting: 0, scheduled: 0 });
    }),

    defineRule('a job that gives a result while a child is out waits for it, and runs again', async (workshop) => {
      const { broker, consume } = workshop;
      const queue = broker.queue(queueName());
      const job = newJob();
      await queue.add(job);
      const child = newJob({
        task: 'later',
        delayMs: HOUR_MS,
        parent: { queue: queue.name, id: job.id, onDead: 'wait' },
      });
      const probe = await consume(queue.name, {
        async perform(taken) {
          if (taken.id === job.id && taken.timesTaken === 1) await queue.add(child);
          return SUCCEEDED;
        },
      });
      await probe.taken.next();
      await probe.settled();
      expect(await queue.readJob(job.id)).toMatchObject({ state: 'BLOCKED', attempts: 0, error: null });
      await queue.promoteToHead([child.id]);
      expect((await probe.taken.take(2)).map(({ id }) => id)).toEqual([child.id, job.id]);
      await probe.settled();
      expect(await statesOf(queue, [job, child])).toEqual(['SUCCESS', 'SUCCESS']);
    }),

    defineRule(
      'the children of a large flow are counted, and their values read, at once',
      async (workshop) => {
        const { broker, consume, store } = workshop;
        // BullMQ's PostgreSQL looks through all children of a parent when one of them ends.
        const count = store === 'postgres' ? 1500 : 10_000;
        const values = Array.from({ length: count }, (_, index) => ({ args: [index] }));
        const { queue, parent, children, jobs } = createFamily(broker, values);
        await broker.addFlow(jobs);
        expect((await queue.readChildren(parent.id)).pending).toBe(count);
        const done = Promise.withResolvers<void>();
        await consume(queue.name, {
          concurrency: 100,
          perform(job) {
            if (job.task === 'parent') done.resolve();
            return byTask(job);
          },
        });
        await done.promise;
        const { pending, ended, dead } = await queue.readChildren(parent.id);
        expect({ pending, ended: ended.size, dead: dead.size }).toEqual({ pending: 0, ended: count, dead: 0 });
        for (const [index, { id }] of children.entries())
          expect(ended.get(id)).toEqual({ state: 'SUCCESS', value: index });
      },
      120_000,
    ),
  ],
};
