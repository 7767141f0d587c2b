import { expect } from 'vitest';
import type { Outcome } from '../../../../src/engine/core/job.ts';
import { newJob, newJobs, queueName, SUCCEEDED } from '../workshop.ts';
import { defineRule, type Subject } from './rule.ts';

const HELD: Outcome = { kind: 'held', delayMs: 3_600_000 };

export const lettingGo: Subject = {
  subject: 'jobs that are held back',
  rules: [
    defineRule(
      'wait for their time, and no attempt and no row of their log is charged',
      async ({ broker, consume }) => {
        const queue = broker.queue(queueName());
        const job = newJob();
        await queue.add(job);
        const probe = await consume(queue.name, { perform: () => HELD });
        await probe.taken.next();
        await probe.settled();
        expect(await queue.counts()).toMatchObject({ waiting: 0, active: 0, scheduled: 1 });
        expect(await queue.readJob(job.id)).toMatchObject({ state: 'SCHEDULED', attempts: 0, error: null });
        expect(await queue.readLog(job.id)).toEqual([]);
      },
    ),

    defineRule('become the first of their queue when they are let go, in the order given', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const jobs = newJobs(4);
      await queue.addBulk(jobs);
      const probe = await workshop.consume(queue.name, { perform: () => HELD });
      for (const _ of jobs) await probe.taken.next();
      await probe.settled();
      await probe.stop();
      const later = newJob();
      await queue.add(later);
      const ids = jobs.map(({ id }) => id);
      // The second call is for older jobs, which go before those that were let go already.
      const [a = '', b = '', c = '', d = ''] = ids;
      expect((await queue.promoteToHead([c, d, 'unknown', later.id])).sort()).toEqual([c, d].sort());
      expect((await queue.promoteToHead([a, b, c])).sort()).toEqual([a, b].sort());
      const second = await workshop.consume(queue.name);
      const order: unknown[] = [];
      for (let job = 0; job < 5; job += 1) {
        const { id, timesTaken, attempts } = await second.taken.next();
        order.push(id);
        expect({ timesTaken, attempts }).toEqual({ timesTaken: id === later.id ? 1 : 2, attempts: 1 });
      }
      expect(order).toEqual([...ids, later.id]);
      await second.settled();
      expect(await queue.readJob(a)).toMatchObject({ state: 'SUCCESS', attempts: 1 });
    }),

    defineRule('wake a worker that waits for a job when they are let go', async ({ broker, openBroker, consume }) => {
      const queue = broker.queue(queueName());
      const job = newJob();
      await queue.add(job);
      const probe = await consume(queue.name, {
        perform: ({ timesTaken }) => (timesTaken === 1 ? HELD : SUCCEEDED),
      });
      await probe.taken.next();
      await probe.settled();
      const operator = await openBroker();
      expect(await operator.queue(queue.name).promoteToHead([job.id])).toEqual([job.id]);
      expect((await probe.taken.next()).id).toBe(job.id);
    }),

    defineRule('keep their priorities when they are let go', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      await queue.enablePriorities();
      const low = newJob({ priority: 1, delayMs: 3_600_000 });
      const high = newJob({ priority: 9, delayMs: 3_600_000 });
      const middle = newJob({ priority: 5 });
      const lower = newJob({ priority: 1 });
      await queue.addBulk([low, high, middle, lower]);
      expect((await queue.promoteToHead([low.id, high.id])).sort()).toEqual([low.id, high.id].sort());
      const probe = await consume(queue.name);
      const order: string[] = [];
      for (let job = 0; job < 4; job += 1) order.push((await probe.taken.next()).id);
      expect(order).toEqual([high.id, middle.id, low.id, lower.id]);
    }),

    defineRule('no job of a paused queue is started until it is resumed', async ({ broker, openBroker, consume }) => {
      const queue = broker.queue(queueName());
      const other = broker.queue(queueName());
      const operator = await openBroker();
      await operator.queue(queue.name).pause();
      const jobs = newJobs(2);
      await queue.addBulk(jobs);
      await other.add(newJob({ task: 'other' }));
      const probe = await consume([queue.name, other.name]);
      expect((await probe.taken.next()).task).toBe('other');
      await probe.settled();
      expect(await operator.queue(queue.name).status(0)).toMatchObject({ paused: true, waiting: 2, active: 0 });
      await operator.queue(queue.name).resume();
      expect([(await probe.taken.next()).id, (await probe.taken.next()).id]).toEqual(jobs.map(({ id }) => id));
      expect(await operator.queue(queue.name).status(0)).toMatchObject({ paused: false });
    }),
  ],
};
