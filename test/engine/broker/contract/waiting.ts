import { expect } from 'vitest';
import { createTap } from '../tap.ts';
import { newJob, newJobs, queueName, SUCCEEDED } from '../workshop.ts';
import { defineRule, defineWireRule, type Subject } from './rule.ts';

const ERROR = { name: 'Error', message: 'no', code: null, stack: null };

export const waiting: Subject = {
  subject: 'waiting for a job to finish',
  rules: [
    defineRule('one that has finished already is answered at once', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      const [fine, broken] = [newJob(), newJob({ task: 'broken' })];
      await queue.addBulk([fine, broken]);
      const probe = await consume(queue.name, {
        perform: ({ task }) => (task === 'broken' ? { kind: 'dead', error: ERROR } : SUCCEEDED),
      });
      await probe.taken.take(2);
      await probe.settled();
      expect(await queue.waitUntilFinished(fine.id)).toBe(true);
      expect(await queue.waitUntilFinished(broken.id, 0)).toBe(true);
    }),

    defineRule('one that finishes later is answered when it does, whatever its end', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      const jobs = ['fine', 'dead', 'ignored'].map((task) => newJob({ task }));
      await queue.addBulk(jobs);
      const waits = jobs.map(({ id }) => queue.waitUntilFinished(id));
      await consume(queue.name, {
        perform({ task }) {
          if (task === 'dead') return { kind: 'dead', error: ERROR };
          return task === 'ignored' ? { kind: 'ended', state: 'IGNORED', reason: '' } : SUCCEEDED;
        },
      });
      expect(await Promise.all(waits)).toEqual([true, true, true]);
    }),

    defineRule('a retry is not an end', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      const job = newJob();
      await queue.add(job);
      const waited = queue.waitUntilFinished(job.id);
      const probe = await consume(queue.name, {
        perform: ({ attempts }) => (attempts < 3 ? { kind: 'retry', delayMs: 50, error: ERROR } : SUCCEEDED),
      });
      expect(await waited).toBe(true);
      expect(probe.taken.all).toHaveLength(3);
    }),

    defineRule('one that does not finish in time is answered with false', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const job = newJob();
      await queue.add(job);
      expect(await queue.waitUntilFinished(job.id, 50)).toBe(false);
      expect(await queue.readJob(job.id)).toMatchObject({ state: 'PENDING' });
    }),

    defineRule('one that is removed meanwhile ends the wait', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const job = newJob();
      await queue.add(job);
      const waited = queue.waitUntilFinished(job.id);
      await queue.removeJob(job.id);
      expect(await waited).toBe(true);
    }),

    defineRule('one that nobody knows, removed or never sent, is not waited for', async ({ broker }) => {
      expect(await broker.queue(queueName()).waitUntilFinished('nobody')).toBe(true);
    }),

    defineRule('a job whose result is not kept ends the wait', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      const job = newJob({ ignoreResult: true });
      await queue.add(job);
      const waited = queue.waitUntilFinished(job.id);
      await consume(queue.name);
      expect(await waited).toBe(true);
    }),

    defineWireRule('a thousand waits on one queue open no more connections than the first', async (workshop) => {
      const tap = await createTap(workshop.url);
      workshop.afterwards(() => tap.close());
      const queue = (await workshop.openBroker(tap.url)).queue(queueName());
      const jobs = newJobs(1000);
      await queue.addBulk(jobs);
      await Promise.all(jobs.slice(0, 100).map(({ id }) => queue.readJob(id)));
      const before = tap.open;
      const [first, ...others] = jobs.map(({ id }) => id);
      const waits = [queue.waitUntilFinished(first as string)];
      waits.push(...others.map((id) => queue.waitUntilFinished(id)));
      await workshop.consume(queue.name, { concurrency: 50 });
      expect((await Promise.all(waits)).every((finished) => finished)).toBe(true);
      // Redis: one shared by all queues and one to block on. PostgreSQL: one to listen and one to read.
      expect(tap.open - before).toBeLessThanOrEqual(2);
    }),
  ],
};
