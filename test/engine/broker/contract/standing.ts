import { expect } from 'vitest';
import type { Outcome } from '../../../../src/engine/core/job.ts';
import { systemClock } from '../../../../src/engine/runtime/system-clock.ts';
import { newJob, newJobs, queueName, type Workshop } from '../workshop.ts';
import { defineRule, type Subject } from './rule.ts';

const read = ({ broker }: Workshop, queue: string, id: string) =>
  broker.queue(queue).readStanding(id, systemClock.now());

export const standing: Subject = {
  subject: 'how a job stands in its queue',
  rules: [
    defineRule('the waiting jobs before one are counted in the order in which they are taken', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const jobs = newJobs(4);
      await queue.addBulk(jobs);
      const standings = await Promise.all(jobs.map(({ id }) => read(workshop, queue.name, id)));
      expect(standings.map(({ before }) => before)).toEqual([0, 1, 2, 3]);
      expect(standings[3]).toMatchObject({ lockLeftMs: null, pending: 0, pendingChildren: [] });
    }),

    defineRule(
      'jobs without a priority come before those that have one, high ones before low ones',
      async (workshop) => {
        const name = queueName();
        const plain = workshop.plainQueue(name);
        const low = await plain.add('low', 1, { priority: 9 });
        const high = await plain.add('high', 1, { priority: 2 });
        const none = await plain.add('none', 1);
        const last = await plain.add('last', 1, { lifo: true });
        const ids = [last, none, high, low].map(({ id }) => id ?? '');
        const standings = await Promise.all(ids.map((id) => read(workshop, name, id)));
        expect(standings.map(({ before }) => before)).toEqual([0, 1, 2, 3]);
      },
    ),

    defineRule('a job that does not wait has no jobs before it', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const scheduled = newJob({ delayMs: 60_000 });
      await queue.add(scheduled);
      expect(await read(workshop, queue.name, scheduled.id)).toMatchObject({ before: null, lockLeftMs: null });
      expect(await read(workshop, queue.name, 'gone')).toMatchObject({ before: null, pending: 0 });
    }),

    defineRule('a running job has a lock that runs', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const hold = workshop.gate<Outcome>();
      const job = newJob();
      await queue.add(job);
      const probe = await workshop.consume(queue.name, { perform: () => hold.promise });
      await probe.taken.next();
      const { lockLeftMs, queue: standing } = await read(workshop, queue.name, job.id);
      expect(lockLeftMs).toBeGreaterThan(0);
      expect(standing).toMatchObject({ active: 1, waiting: 0, consumers: 1, paused: false });
    }),

    defineRule('the pause, the concurrency and the rate of the queue itself are said', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const job = newJob();
      await queue.add(job);
      const plain = workshop.plainQueue(queue.name);
      expect((await read(workshop, queue.name, job.id)).queue).toEqual({
        ...{ paused: false, waiting: 1, active: 0, concurrency: null, limitedForMs: 0, windowMs: 0, consumers: 0 },
      });
      await plain.pause();
      await plain.setGlobalConcurrency(3);
      await plain.rateLimit(60_000);
      const held = (await read(workshop, queue.name, job.id)).queue;
      expect(held).toMatchObject({ paused: true, concurrency: 3, windowMs: 0, waiting: 1 });
      expect(held.limitedForMs).toBeGreaterThan(0);
    }),

    defineRule('a rate of the queue that is not used up holds nothing back', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const [first, second] = newJobs(2);
      if (first === undefined || second === undefined) throw new Error('there are two');
      const plain = workshop.plainQueue(queue.name);
      await plain.setGlobalRateLimit(1, 60_000);
      await queue.addBulk([first, second]);
      expect((await read(workshop, queue.name, second.id)).queue.limitedForMs).toBe(0);
      const hold = workshop.gate<Outcome>();
      const probe = await workshop.consume(queue.name, { perform: () => hold.promise });
      await probe.taken.next();
      expect((await read(workshop, queue.name, second.id)).queue.limitedForMs).toBeGreaterThan(0);
      // A consumer that has nothing to do but wait for the window would keep the end of the test waiting.
      await plain.removeGlobalRateLimit();
      await plain.removeRateLimitKey();
    }),

    defineRule('a blocked job names the children that it waits for', async (workshop) => {
      const [parents, children] = [queueName(), queueName()];
      const parent = await workshop.plainFlow({
        name: 'parent',
        queueName: parents,
        children: [
          { name: 'a', queueName: children, opts: { jobId: 'a' } },
          { name: 'b', queueName: children, opts: { jobId: 'b' } },
        ],
      });
      const { pending, pendingChildren } = await read(workshop, parents, parent);
      expect(pending).toBe(2);
      expect(pendingChildren.toSorted((a, b) => a.id.localeCompare(b.id))).toEqual([
        { queue: children, id: 'a' },
        { queue: children, id: 'b' },
      ]);
    }),
  ],
};
