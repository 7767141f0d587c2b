import { expect } from 'vitest';
import { newJob, queueName } from '../workshop.ts';
import { defineRule, type Subject } from './rule.ts';

export const priorities: Subject = {
  subject: 'priorities',
  rules: [
    defineRule('9 goes first, 0 last, and within one priority the first added', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      await queue.enablePriorities();
      const given = [0, 5, 9, 5, 0, 9, 1, 8];
      const jobs = given.map((priority, index) => newJob({ priority, task: `p${priority}-${index}` }));
      for (const job of jobs.slice(0, 4)) await queue.add(job);
      await queue.addBulk(jobs.slice(4));
      const probe = await consume(queue.name);
      const taken = await probe.taken.take(given.length);
      expect(taken.map(({ task }) => task)).toEqual(['p9-2', 'p9-5', 'p8-7', 'p5-1', 'p5-3', 'p1-6', 'p0-0', 'p0-4']);
      expect(taken.map(({ priority }) => priority)).toEqual([9, 9, 8, 5, 5, 1, 0, 0]);
    }),

    defineRule('every priority is read back as it was given', async ({ broker }) => {
      const queue = broker.queue(queueName());
      await queue.enablePriorities();
      const jobs = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((priority) => newJob({ priority }));
      await queue.addBulk(jobs);
      const read = await Promise.all(jobs.map(({ id }) => queue.readJob(id)));
      expect(read.map((job) => job?.priority)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      expect(read.every((job) => job?.state === 'PENDING')).toBe(true);
    }),

    defineRule('a scheduled job keeps its priority when it is due', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      await queue.enablePriorities();
      const scheduled = newJob({ priority: 7, delayMs: 100 });
      await queue.add(scheduled);
      expect(await queue.readJob(scheduled.id)).toMatchObject({ state: 'SCHEDULED', priority: 7 });
      const probe = await consume(queue.name);
      expect(await probe.taken.next()).toMatchObject({ id: scheduled.id, priority: 7 });
    }),

    defineRule('a retried job keeps its priority', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      await queue.enablePriorities();
      await queue.add(newJob({ priority: 3 }));
      const error = { name: 'Error', message: 'no', code: null, stack: null };
      const probe = await consume(queue.name, { perform: () => ({ kind: 'retry', delayMs: 10, error }) });
      const taken = await probe.taken.take(3);
      expect(taken.map(({ priority }) => priority)).toEqual([3, 3, 3]);
    }),

    defineRule('that a queue has priorities is seen by every other process', async ({ broker, openBroker }) => {
      const name = queueName();
      const other = (await openBroker()).queue(name);
      expect(await other.hasPriorities()).toBe(false);
      await broker.queue(name).enablePriorities();
      expect(await broker.queue(name).hasPriorities()).toBe(true);
      expect(await (await openBroker()).queue(name).hasPriorities()).toBe(true);
      // What was read within the last minute is trusted, unless a fresh look is asked for.
      expect(await other.hasPriorities()).toBe(false);
      expect(await other.hasPriorities(true)).toBe(true);
      expect(await other.hasPriorities()).toBe(true);
    }),
  ],
};
