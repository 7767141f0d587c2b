import { expect } from 'vitest';
import { newJob, newJobs, queueName, SUCCEEDED } from '../workshop.ts';
import { defineRule, type Subject } from './rule.ts';

export const purging: Subject = {
  subject: 'purging',
  rules: [
    defineRule(
      'what waits and what is scheduled goes; what runs or has finished stays',
      async ({ broker, consume, gate }) => {
        const queue = broker.queue(queueName());
        const [done, running] = [newJob({ task: 'done' }), newJob({ task: 'running' })];
        await queue.addBulk([done, running, ...newJobs(3), ...newJobs(2, { delayMs: 60_000 })]);
        const hold = gate<void>();
        const probe = await consume(queue.name, {
          async perform({ task }) {
            if (task === 'running') await hold.promise;
            return SUCCEEDED;
          },
        });
        await probe.taken.take(2);
        const progress: number[] = [];
        expect(await queue.purge((removed) => progress.push(removed))).toBe(5);
        expect(progress.at(-1)).toBe(5);
        expect(await queue.counts()).toMatchObject({ waiting: 0, scheduled: 0, active: 1, completed: 1 });
        hold.resolve();
        await probe.settled();
        expect(await queue.readJob(running.id)).toMatchObject({ state: 'SUCCESS' });
        expect(probe.taken.all).toHaveLength(2);
      },
    ),

    defineRule('jobs of every priority go', async ({ broker }) => {
      const queue = broker.queue(queueName());
      await queue.enablePriorities();
      await queue.addBulk([...newJobs(4, { priority: 9 }), ...newJobs(3, { priority: 0 })]);
      await queue.addBulk([...newJobs(2, { priority: 5, delayMs: 60_000 }), ...newJobs(2)]);
      expect(await queue.purge()).toBe(11);
      expect(await queue.counts()).toMatchObject({ waiting: 0, scheduled: 0 });
      expect(await queue.hasPriorities(true)).toBe(true);
    }),

    defineRule('a paused queue is purged too, and stays paused', async ({ broker, plainQueue }) => {
      const queue = broker.queue(queueName());
      await queue.addBulk(newJobs(3));
      await plainQueue(queue.name).pause();
      expect(await queue.purge()).toBe(3);
      expect(await queue.status(0)).toMatchObject({ waiting: 0, paused: true });
    }),

    defineRule('jobs that wait for a retry go too', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      await queue.add(newJob());
      const error = { name: 'Error', message: 'no', code: null, stack: null };
      const probe = await consume(queue.name, { perform: () => ({ kind: 'retry', delayMs: 60_000, error }) });
      await probe.taken.next();
      await probe.settled();
      expect(await queue.purge()).toBe(1);
      expect(await queue.counts()).toMatchObject({ scheduled: 0 });
    }),

    defineRule(
      '12,000 jobs go in batches, with progress, and jobs added meanwhile stay',
      async ({ broker }) => {
        const queue = broker.queue(queueName());
        for (let batch = 0; batch < 12; batch += 1) {
          await queue.addBulk(newJobs(1000, batch % 3 === 0 ? { delayMs: 600_000 } : {}));
        }
        const progress: number[] = [];
        const added: Promise<unknown>[] = [];
        const removed = await queue.purge((count) => {
          progress.push(count);
          // As a producer on another machine does; its clock is at least a millisecond on.
          if (added.length < 5) added.push(queue.add(newJob({ task: 'late', createdAt: Date.now() + 1 })));
        });
        await Promise.all(added);
        expect(removed).toBe(12_000);
        expect(progress.length).toBeGreaterThanOrEqual(12);
        expect(progress).toEqual(progress.toSorted((a, b) => a - b));
        expect(progress.at(-1)).toBe(12_000);
        expect(await queue.counts()).toMatchObject({ waiting: 5, scheduled: 0 });
      },
      60_000,
    ),

    defineRule('other queues are left alone', async ({ broker }) => {
      const [one, other] = [broker.queue(queueName()), broker.queue(queueName())];
      await one.addBulk(newJobs(2));
      await other.addBulk(newJobs(2));
      await one.purge();
      expect(await other.counts()).toMatchObject({ waiting: 2 });
    }),
  ],
};
