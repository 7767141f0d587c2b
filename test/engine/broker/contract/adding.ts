import { expect } from 'vitest';
import { createTap } from '../tap.ts';
import { newJob, newJobs, queueName } from '../workshop.ts';
import { defineRule, defineWireRule, type Subject } from './rule.ts';

export const adding: Subject = {
  subject: 'adding jobs',
  rules: [
    defineRule('a job is stored as it was given, and waits', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const meta = { requestId: 'r1', rootId: 'root', parentId: 'parent', expiresAt: 4e12, headers: { a: 'ä' } };
      const job = newJob({ task: 'email.send', args: [{ to: 'a@b.c' }, null, 'x', 1.5], meta });
      await queue.add(job);
      expect(await queue.readJob(job.id)).toEqual({
        id: job.id,
        task: 'email.send',
        queue: queue.name,
        state: 'PENDING',
        args: job.args,
        meta,
        priority: null,
        createdAt: job.createdAt,
        dueAt: null,
        startedAt: null,
        finishedAt: null,
        attempts: 0,
        workersLost: 0,
        worker: null,
        progress: null,
        result: null,
        error: null,
        reason: null,
        failures: [],
        stacks: [],
        unique: null,
        unreadable: null,
      });
    }),

    defineRule('a batch is stored whole and in its order', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      const jobs = newJobs(50);
      await queue.addBulk(jobs);
      expect(await queue.counts()).toMatchObject({ waiting: 50 });
      const probe = await consume(queue.name);
      expect((await probe.taken.take(50)).map(({ id }) => id)).toEqual(jobs.map(({ id }) => id));
    }),

    defineRule('an empty batch does nothing', async ({ broker }) => {
      const name = queueName();
      await broker.queue(name).addBulk([]);
      expect(await broker.listQueues()).not.toContain(name);
    }),

    defineWireRule('a batch of a hundred jobs takes as many round trips as a batch of two', async (workshop) => {
      const tap = await createTap(workshop.url);
      workshop.afterwards(() => tap.close());
      const queue = (await workshop.openBroker(tap.url)).queue(queueName());
      const turnsOf = async (count: number): Promise<number> => {
        const before = tap.turns;
        await queue.addBulk(newJobs(count));
        return tap.turns - before;
      };
      await turnsOf(1);
      expect(await turnsOf(2)).toBeLessThanOrEqual(2);
      expect(await turnsOf(100)).toBe(await turnsOf(2));
    }),

    defineRule('an id that waits already is left as it is', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const job = newJob({ args: ['first'] });
      await queue.add(job);
      await queue.add({ ...job, task: 'other', args: ['second'] });
      await queue.addBulk([{ ...job, args: ['third'] }, newJob()]);
      expect(await queue.readJob(job.id)).toMatchObject({ task: 'work', args: ['first'] });
      expect(await queue.counts()).toMatchObject({ waiting: 2 });
    }),

    defineRule('an id that has finished already does not run again', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      const [job, last] = [newJob(), newJob()];
      await queue.add(job);
      const probe = await consume(queue.name);
      await probe.taken.next();
      await probe.settled();
      await queue.add(job);
      await queue.add(last);
      expect((await probe.taken.next()).id).toBe(last.id);
      expect(await queue.readJob(job.id)).toMatchObject({ state: 'SUCCESS', attempts: 1 });
    }),

    defineRule('an id twice in one batch is one job, the first', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const job = newJob({ args: ['first'] });
      await queue.addBulk([job, { ...job, args: ['second'] }]);
      expect(await queue.counts()).toMatchObject({ waiting: 1 });
      expect(await queue.readJob(job.id)).toMatchObject({ args: ['first'] });
    }),

    defineRule(
      'a job with a delay is scheduled, and starts when it is due and not before',
      async ({ broker, consume }) => {
        const queue = broker.queue(queueName());
        const probe = await consume(queue.name);
        const [alone, inBatch] = [newJob({ delayMs: 300 }), newJob({ delayMs: 200 })];
        await queue.add(alone);
        await queue.addBulk([inBatch]);
        expect(await queue.readJob(alone.id)).toMatchObject({ state: 'SCHEDULED', dueAt: alone.createdAt + 300 });
        const taken = await probe.taken.take(2);
        expect(taken.map(({ id }) => id)).toEqual([inBatch.id, alone.id]);
        expect(taken[0]?.startedAt).toBeGreaterThanOrEqual(inBatch.createdAt + 200);
        expect(taken[1]?.startedAt).toBeGreaterThanOrEqual(alone.createdAt + 300);
      },
    ),

    defineRule('many producers of one queue lose nothing', async (workshop) => {
      const name = queueName();
      const brokers = await Promise.all([1, 2, 3].map(() => workshop.openBroker()));
      const jobs = newJobs(60);
      await Promise.all(jobs.map((job, index) => brokers[index % 3]?.queue(name).add(job)));
      const probe = await workshop.consume(name, { concurrency: 5 });
      const ids = (await probe.taken.take(60)).map(({ id }) => id);
      expect(new Set(ids)).toEqual(new Set(jobs.map(({ id }) => id)));
    }),
  ],
};
