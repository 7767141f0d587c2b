import { expect } from 'vitest';
import type { ScanPlace } from '../../../../src/engine/broker/bulk-port.ts';
import type { Outcome } from '../../../../src/engine/core/job.ts';
import type { JobRecord } from '../../../../src/engine/core/job-record.ts';
import { newJob, newJobs, queueName, SUCCEEDED } from '../workshop.ts';
import { byTask, createFamily, DEAD } from './family.ts';
import { defineRule, type Subject } from './rule.ts';

const HOUR_MS = 3_600_000;
const ALL: readonly ScanPlace[] = ['waiting', 'active', 'scheduled', 'blocked', 'dead', 'completed'];

/** What a move keeps. */
function kept({ rank: _, queue: __, ...record }: JobRecord): Omit<JobRecord, 'rank' | 'queue'> {
  return record;
}

export const movingBulk: Subject = {
  subject: 'moving and changing many',
  rules: [
    defineRule('a moved job is at the same place of the other queue, and is what it was', async (workshop) => {
      const { broker, consume } = workshop;
      const [queue, target] = [broker.queue(queueName()), broker.queue(queueName())];
      const ended = [newJob({ task: 'fine', args: [{ a: 1 }] }), newJob({ task: 'die' })];
      await queue.addBulk(ended);
      const probe = await consume(queue.name, {
        async perform(job) {
          await job.log('at work');
          return byTask(job);
        },
      });
      await probe.taken.take(2);
      await probe.settled();
      await probe.stop();
      const open = [newJob({ args: ['x'] }), newJob({ delayMs: HOUR_MS })];
      await queue.addBulk(open);
      const ids = [...ended, ...open].map(({ id }) => id);
      const records = await queue.bulk.readRecords(ids);
      expect((await queue.bulk.move(ids, target.name, ALL)).toSorted()).toEqual(ids.toSorted());
      const moved = await target.bulk.readRecords(ids);
      expect(moved.map(kept)).toEqual(records.map(kept));
      expect(moved.map((record) => [record.queue, record.place, record.log.length])).toEqual([
        [target.name, 'completed', 1],
        [target.name, 'dead', 1],
        [target.name, 'waiting', 0],
        [target.name, 'scheduled', 0],
      ]);
      expect(await queue.counts()).toMatchObject({ waiting: 0, scheduled: 0, dead: 0, completed: 0 });
      expect(await target.counts()).toMatchObject({ waiting: 1, scheduled: 1, dead: 1, completed: 1 });
      expect(await broker.listQueues()).toContain(target.name);
      const there = await consume(target.name);
      expect(await there.taken.next()).toMatchObject({ id: open[0]?.id, args: ['x'] });
      await there.settled();
    }),

    defineRule('moved jobs run in the order in which they were, after those that wait there', async (workshop) => {
      const { broker, consume } = workshop;
      const [queue, target] = [broker.queue(queueName()), broker.queue(queueName())];
      const [there, ...jobs] = newJobs(5);
      await queue.addBulk(jobs);
      await target.add(there as (typeof jobs)[number]);
      const ids = jobs.map(({ id }) => id);
      await queue.bulk.move(ids.toReversed(), target.name, ['waiting']);
      const probe = await consume(target.name);
      expect((await probe.taken.take(5)).map(({ id }) => id)).toEqual([there?.id, ...ids]);
    }),

    defineRule('a worker that waits takes a moved job at once', async ({ broker, consume }) => {
      const [queue, target] = [broker.queue(queueName()), broker.queue(queueName())];
      const [first, job] = [newJob(), newJob()];
      await target.add(first);
      await queue.add(job);
      const probe = await consume(target.name);
      await probe.taken.next();
      await probe.settled();
      expect(await queue.bulk.move([job.id], target.name, ['waiting'])).toEqual([job.id]);
      expect(await probe.taken.next()).toMatchObject({ id: job.id, queue: target.name });
    }),

    defineRule('what is not where the caller saw it stays, and so does what is there already', async (workshop) => {
      const { broker, consume, gate } = workshop;
      const [queue, target] = [broker.queue(queueName()), broker.queue(queueName())];
      const [running, waiting, twin, later] = [newJob(), newJob(), newJob(), newJob({ delayMs: HOUR_MS })];
      await queue.add(running);
      const hold = gate<Outcome>();
      const probe = await consume(queue.name, { perform: () => hold.promise });
      await probe.taken.next();
      await queue.addBulk([waiting, twin, later]);
      await target.add({ ...twin, args: ['the other'] });
      const ids = [running, waiting, twin, later].map(({ id }) => id);
      expect(await queue.bulk.move(['nobody', ...ids], target.name, ['active', 'waiting'])).toEqual([waiting.id]);
      expect(await queue.bulk.move(ids, queue.name, ALL)).toEqual([]);
      expect(await target.readJob(twin.id)).toMatchObject({ args: ['the other'] });
      expect(await queue.counts()).toMatchObject({ active: 1, waiting: 1, scheduled: 1 });
      hold.resolve(SUCCEEDED);
    }),

    defineRule('jobs of flows and of schedule entries stay', async ({ broker, plainQueue }) => {
      const { queue, parent, children, jobs } = createFamily(broker, [{}, { task: 'other' }]);
      const target = broker.queue(queueName());
      await broker.addFlow(jobs);
      const fired = await plainQueue(queue.name).upsertJobScheduler('entry', { every: HOUR_MS });
      const ids = [parent, ...children].map(({ id }) => id);
      expect(await queue.bulk.move([...ids, fired?.id ?? ''], target.name, ALL)).toEqual([]);
      expect(await target.counts()).toMatchObject({ waiting: 0, blocked: 0, scheduled: 0 });
      expect(await queue.readChildren(parent.id)).toMatchObject({ pending: 2 });
    }),

    defineRule('a unique key goes with its job', async ({ broker }) => {
      const [queue, target] = [broker.queue(queueName()), broker.queue(queueName())];
      const unique = { key: 'work k' };
      const [job, next] = [newJob({ unique }), newJob({ unique })];
      await queue.add(job);
      await queue.bulk.move([job.id], target.name, ['waiting']);
      expect(await target.add(newJob({ unique }))).toBe(job.id);
      expect(await queue.add(next)).toBe(next.id);
      // There it is held by the first one, and stays with that.
      await queue.bulk.move([next.id], target.name, ['waiting']);
      expect(await target.add(newJob({ unique }))).toBe(job.id);
      expect(await target.counts()).toMatchObject({ waiting: 2 });
    }),

    defineRule('of two who move the same jobs each job has one', async ({ broker, openBroker }) => {
      const queue = broker.queue(queueName());
      const other = (await openBroker()).queue(queue.name);
      const targets = [broker.queue(queueName()), broker.queue(queueName())];
      const jobs = newJobs(40);
      await queue.addBulk(jobs);
      const ids = jobs.map(({ id }) => id);
      const [one = [], two = []] = await Promise.all([
        queue.bulk.move(ids, targets[0]?.name ?? '', ['waiting']),
        other.bulk.move(ids.toReversed(), targets[1]?.name ?? '', ['waiting']),
      ]);
      expect([...one, ...two].toSorted()).toEqual(ids.toSorted());
      const counts = await Promise.all(targets.map((target) => target.counts()));
      expect(counts.map(({ waiting }) => waiting)).toEqual([one.length, two.length]);
      expect(await queue.counts()).toMatchObject({ waiting: 0 });
    }),

    defineRule('data, priority and due time are changed, and the job runs with them', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      await queue.enablePriorities();
      const [one, other] = [newJob({ args: [1], priority: 5 }), newJob({ priority: 5 })];
      const later = newJob({ delayMs: HOUR_MS, priority: 5 });
      await queue.addBulk([other, one, later]);
      const [record] = await queue.bulk.readRecords([one.id]);
      const next = '{"args":[2],"meta":{"requestId":"r"}}';
      const dueAt = later.createdAt + 2 * HOUR_MS;
      const changes = [
        { id: one.id, data: { seen: record?.data ?? '', next }, priority: 9 },
        { id: later.id, dueAt, priority: 0 },
      ];
      expect((await queue.bulk.rewrite(changes)).toSorted()).toEqual([one.id, later.id].toSorted());
      expect(await queue.readJob(later.id)).toMatchObject({ state: 'SCHEDULED', dueAt, priority: 0 });
      expect((await queue.listScheduled(0, 10)).map((job) => job.dueAt)).toEqual([dueAt]);
      const probe = await consume(queue.name);
      expect(await probe.taken.next()).toMatchObject({ id: one.id, args: [2], meta: { requestId: 'r' }, priority: 9 });
      expect(await probe.taken.next()).toMatchObject({ id: other.id });
    }),

    defineRule('a job that is due now after a change is taken', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      const [first, later] = [newJob(), newJob({ delayMs: HOUR_MS })];
      await queue.addBulk([first, later]);
      const probe = await consume(queue.name);
      await probe.taken.next();
      await probe.settled();
      expect(await queue.bulk.rewrite([{ id: later.id, dueAt: later.createdAt }])).toEqual([later.id]);
      expect(await probe.taken.next()).toMatchObject({ id: later.id });
    }),

    defineRule('a job whose data is another by now is not changed at all', async ({ broker }) => {
      const queue = broker.queue(queueName());
      await queue.enablePriorities();
      const job = newJob({ args: [1], priority: 5 });
      await queue.add(job);
      const next = '{"args":[2],"meta":{}}';
      const change = { id: job.id, data: { seen: '{"args":[0],"meta":{}}', next }, priority: 9 };
      expect(await queue.bulk.rewrite([change])).toEqual([]);
      expect(await queue.readJob(job.id)).toMatchObject({ args: [1], priority: 5 });
    }),

    defineRule(
      'what runs or was completed, and what is not scheduled, keeps its data and its time',
      async (workshop) => {
        const { broker, consume, gate } = workshop;
        const queue = broker.queue(queueName());
        const [fine, dead, running, waiting] = ['fine', 'die', 'run', 'wait'].map((task) =>
          newJob({ task, args: [1] }),
        );
        await queue.addBulk([fine, dead, running] as never);
        const hold = gate<Outcome>();
        const probe = await consume(queue.name, {
          perform: ({ task }) => (task === 'run' ? hold.promise : task === 'die' ? DEAD : SUCCEEDED),
        });
        await probe.taken.take(3);
        await queue.add(waiting as never);
        const ids = [fine, dead, running, waiting].map((job) => job?.id ?? '');
        const records = await queue.bulk.readRecords(ids);
        const next = '{"args":[2],"meta":{}}';
        const changes = records.map(({ id, data: seen }) => ({ id, data: { seen, next } }));
        expect((await queue.bulk.rewrite(changes)).toSorted()).toEqual([dead?.id, waiting?.id].toSorted());
        expect(await queue.bulk.rewrite([{ id: waiting?.id ?? '', dueAt: Date.now() + HOUR_MS }])).toEqual([]);
        const args = await Promise.all(ids.map(async (id) => (await queue.readJob(id))?.args[0]));
        expect(args).toEqual([1, 2, 1, 2]);
        expect(await queue.readJob(dead?.id ?? '')).toMatchObject({ state: 'FAILURE' });
        hold.resolve(SUCCEEDED);
      },
    ),

    defineRule(
      'a queue that jobs are moved or put back into is found by others, also when it was not there',
      async ({ broker }) => {
        const [from, to, back] = [broker.queue(queueName()), queueName(), queueName()];
        const jobs = [newJob(), newJob()];
        await from.addBulk(jobs);
        const [first, second] = jobs.map(({ id }) => id) as [string, string];
        expect(await from.bulk.move([first], to, ['waiting'])).toEqual([first]);
        await broker.queue(back).bulk.restore(await from.bulk.readRecords([second]));
        expect(await broker.listQueues()).toEqual(expect.arrayContaining([from.name, to, back]));
      },
    ),
  ],
};
