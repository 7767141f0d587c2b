import { expect } from 'vitest';
import type { Outcome } from '../../../../src/engine/core/job.ts';
import { newJob, newJobs, queueName } from '../workshop.ts';
import { defineRule, type Subject } from './rule.ts';

const ERROR = { name: 'TypeError', message: 'no', code: null, stack: null };
const NOTHING = { waiting: 0, active: 0, scheduled: 0, blocked: 0, dead: 0, completed: 0 };

/** How each store says what it is. */
const VERSIONS = {
  redis: /^(Redis|Valkey) \d+\.\d+/,
  postgres: /^PostgreSQL \d+\.\d+$/,
  sqlite: /^SQLite \d+\.\d+\.\d+$/,
};

export const reading: Subject = {
  subject: 'reading queues and jobs',
  rules: [
    defineRule('the list of queues is sorted and holds those of other applications', async ({ broker, plainQueue }) => {
      const [b, a, c] = ['a', 'b', 'c'].map((letter) => letter + queueName()) as [string, string, string];
      await broker.queue(a).add(newJob());
      await broker.queue(b).add(newJob());
      await plainQueue(c).add('task', {});
      const names = await broker.listQueues();
      expect(names.filter((name) => [a, b, c].includes(name))).toEqual([b, a, c]);
    }),

    defineRule('queues are looked for by their names, and all of them can be asked for', async (workshop) => {
      const { broker } = workshop;
      const [tq, plain, missing] = [queueName(), queueName(), queueName()];
      await broker.queue(tq).add(newJob());
      await workshop.plainQueue(plain).add('task', {});
      expect(await broker.listQueues({ among: [plain, missing, tq, plain] })).toEqual([tq, plain].sort());
      expect(await broker.listQueues({ among: [] })).toEqual([]);
      expect(await broker.listQueues({ isWhole: true })).toEqual(expect.arrayContaining([tq, plain]));
    }),

    defineRule('a queue that nobody made is empty, and reading does not make it', async ({ broker }) => {
      const queue = broker.queue(queueName());
      expect(await queue.counts()).toEqual(NOTHING);
      expect(await queue.status(0)).toEqual({
        ...NOTHING,
        queue: queue.name,
        paused: false,
        consumers: 0,
        oldestWaitingMs: null,
      });
      expect(await queue.listScheduled(0, 10)).toEqual([]);
      expect(await queue.readJob('nobody')).toBeUndefined();
      expect(await queue.readLog('nobody')).toEqual([]);
      expect(await queue.hasPriorities()).toBe(false);
      expect(await queue.removeJob('nobody')).toBe(false);
      expect(await queue.purge()).toBe(0);
      expect(await broker.listQueues()).not.toContain(queue.name);
    }),

    defineRule('an unknown id in a queue that exists is undefined', async ({ broker }) => {
      const queue = broker.queue(queueName());
      await queue.add(newJob());
      expect(await queue.readJob('nobody')).toBeUndefined();
    }),

    defineRule('jobs are counted by what they wait for', async ({ broker, consume, gate }) => {
      const queue = broker.queue(queueName());
      const hold = gate<void>();
      await queue.addBulk([newJob({ task: 'fine' }), newJob({ task: 'broken' }), newJob({ task: 'held' })]);
      await queue.addBulk([...newJobs(2), ...newJobs(3, { delayMs: 60_000 })]);
      const probe = await consume(queue.name, {
        async perform({ task }) {
          if (task === 'broken') return { kind: 'dead', error: ERROR };
          if (task === 'held') await hold.promise;
          return { kind: 'succeeded', result: 1 };
        },
      });
      await probe.taken.take(3);
      expect(await queue.counts()).toEqual({ waiting: 2, active: 1, scheduled: 3, blocked: 0, dead: 1, completed: 1 });
      hold.resolve();
      await probe.taken.take(2);
      await probe.settled();
      expect(await queue.counts()).toEqual({ waiting: 0, active: 0, scheduled: 3, blocked: 0, dead: 1, completed: 4 });
    }),

    defineRule('a queue is held back while it is paused', async ({ broker, plainQueue }) => {
      const queue = broker.queue(queueName());
      expect(await queue.isHeldBack()).toBe(false);
      await queue.add(newJob());
      expect(await queue.isHeldBack()).toBe(false);
      const plain = plainQueue(queue.name);
      await plain.pause();
      expect(await queue.isHeldBack()).toBe(true);
      await plain.resume();
      expect(await queue.isHeldBack()).toBe(false);
    }),

    defineRule('a queue is held back at its own concurrency, and over its own rate', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      await queue.addBulk(newJobs(2));
      const plain = workshop.plainQueue(queue.name);
      await plain.setGlobalConcurrency(1);
      expect(await queue.isHeldBack()).toBe(false);
      const hold = workshop.gate<Outcome>();
      const probe = await workshop.consume(queue.name, { perform: () => hold.promise });
      await probe.taken.next();
      expect(await queue.isHeldBack()).toBe(true);
      await plain.removeGlobalConcurrency();
      expect(await queue.isHeldBack()).toBe(false);
      await plain.rateLimit(60_000);
      expect(await queue.isHeldBack()).toBe(true);
      await plain.removeRateLimitKey();
      expect(await queue.isHeldBack()).toBe(false);
    }),

    defineRule('a job that waits for its children is blocked', async ({ broker, plainFlow }) => {
      const [parents, children] = [broker.queue(queueName()), broker.queue(queueName())];
      const parent = await plainFlow({
        name: 'parent',
        queueName: parents.name,
        children: [{ name: 'child', queueName: children.name }],
      });
      expect(await parents.counts()).toMatchObject({ blocked: 1, waiting: 0 });
      expect(await parents.readJob(parent)).toMatchObject({ state: 'BLOCKED', task: 'parent' });
    }),

    defineRule('a paused queue says so, and its waiting jobs are still counted', async ({ broker, plainQueue }) => {
      const queue = broker.queue(queueName());
      await queue.addBulk(newJobs(2));
      const plain = plainQueue(queue.name);
      await plain.pause();
      await queue.add(newJob());
      expect(await queue.status(Date.now())).toMatchObject({ paused: true, waiting: 3 });
      await plain.resume();
      expect(await queue.status(Date.now())).toMatchObject({ paused: false, waiting: 3 });
    }),

    defineRule(
      'the consumers of a queue are counted, and not those of a queue with a longer name',
      async (workshop) => {
        const name = queueName();
        const queue = workshop.broker.queue(name);
        await workshop.consume(name, { workerName: 'one' });
        const second = await workshop.consume([name, `${name}-more`], { workerName: 'two@host.example' });
        await workshop.consume(`${name}-more`, { workerName: 'three' });
        expect(await queue.status(Date.now())).toMatchObject({ consumers: 2 });
        await second.stop();
        expect(await queue.status(Date.now())).toMatchObject({ consumers: 1 });
      },
    ),

    defineRule('the age of the oldest waiting job is that of the one added first', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const now = Date.now();
      await queue.add(newJob({ createdAt: now - 5000 }));
      await queue.add(newJob({ createdAt: now - 1000 }));
      await queue.add(newJob({ createdAt: now - 9000, delayMs: 60_000 }));
      expect(await queue.status(now)).toMatchObject({ oldestWaitingMs: 5000 });
    }),

    defineRule('the oldest waiting job is found whatever its priority', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const now = Date.now();
      await queue.enablePriorities();
      await queue.add(newJob({ priority: 9, createdAt: now - 1000 }));
      await queue.add(newJob({ priority: 0, createdAt: now - 7000 }));
      await queue.add(newJob({ priority: 4, createdAt: now - 3000 }));
      expect(await queue.status(now)).toMatchObject({ waiting: 3, oldestWaitingMs: 7000 });
    }),

    defineRule('scheduled jobs are listed by when they are due, page by page', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const jobs = [30, 10, 50, 20, 40].map((seconds) => newJob({ delayMs: seconds * 1000, task: `in-${seconds}` }));
      await queue.addBulk(jobs);
      const tasks = async (offset: number, limit: number): Promise<string[]> =>
        (await queue.listScheduled(offset, limit)).map(({ task }) => task);
      expect(await tasks(0, 10)).toEqual(['in-10', 'in-20', 'in-30', 'in-40', 'in-50']);
      expect(await tasks(1, 2)).toEqual(['in-20', 'in-30']);
      expect(await tasks(5, 2)).toEqual([]);
      const [first] = await queue.listScheduled(0, 1);
      expect(first).toMatchObject({ state: 'SCHEDULED', dueAt: (jobs[1]?.createdAt ?? 0) + 10_000, attempts: 0 });
    }),

    defineRule(
      'a job that waits for its retry is listed with the scheduled ones, with its own time',
      async (workshop) => {
        const queue = workshop.broker.queue(queueName());
        const [retried, scheduled] = [newJob(), newJob({ delayMs: 60_000 })];
        await queue.addBulk([retried, scheduled]);
        const probe = await workshop.consume(queue.name, {
          perform: () => ({ kind: 'retry', delayMs: 30_000, error: ERROR }),
        });
        const before = Date.now();
        await probe.taken.next();
        await probe.settled();
        const [first, second, ...more] = await queue.listScheduled(0, 10);
        expect(more).toEqual([]);
        expect(first).toMatchObject({ id: retried.id, state: 'RETRY', attempts: 1, error: { name: 'TypeError' } });
        expect(first?.dueAt).toBeGreaterThanOrEqual(before + 30_000);
        expect(first?.dueAt).toBeLessThanOrEqual(Date.now() + 30_000);
        expect(second).toMatchObject({ id: scheduled.id, state: 'SCHEDULED' });
      },
    ),

    defineRule('progress and log of a running job are seen by another process', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const job = newJob();
      const [written, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      await workshop.consume(queue.name, {
        async perform(taken) {
          await taken.log('row one');
          await taken.log('row two');
          await taken.updateProgress({ done: 3, of: 4 });
          expect(await taken.readLog()).toEqual(['row one', 'row two']);
          written.resolve();
          await go.promise;
          return { kind: 'succeeded', result: null };
        },
        workerName: 'tq@host',
      });
      await queue.add(job);
      await written.promise;
      const other = (await workshop.openBroker()).queue(queue.name);
      expect(await other.readJob(job.id)).toMatchObject({
        state: 'STARTED',
        attempts: 1,
        progress: { done: 3, of: 4 },
        worker: 'tq@host',
      });
      expect(await other.readLog(job.id)).toEqual(['row one', 'row two']);
      go.resolve();
    }),

    defineRule(
      'a job that waits or has finished can be removed, a running one cannot',
      async ({ broker, consume, gate }) => {
        const queue = broker.queue(queueName());
        const hold = gate<void>();
        const [running, waiting] = [newJob(), newJob()];
        await queue.addBulk([running, waiting]);
        const probe = await consume(queue.name, {
          async perform() {
            await hold.promise;
            return { kind: 'succeeded', result: null };
          },
        });
        await probe.taken.next();
        expect(await queue.removeJob(running.id)).toBe(false);
        expect(await queue.removeJob(waiting.id)).toBe(true);
        hold.resolve();
        await probe.settled();
        expect(await queue.readJob(running.id)).toMatchObject({ state: 'SUCCESS' });
        expect(await queue.removeJob(running.id)).toBe(true);
        expect(await queue.readJob(running.id)).toBeUndefined();
      },
    ),

    defineRule('the broker says what it is', async ({ broker, store }) => {
      expect(broker.kind).toBe(store);
      expect(await broker.describe()).toMatch(VERSIONS[store]);
      expect(broker.url).not.toContain('tq-test:tq-test');
    }),

    defineRule('a closed broker gives out no queue, and closing it twice is harmless', async ({ openBroker }) => {
      const closed = await openBroker();
      await closed.close();
      await closed.close();
      expect(() => closed.queue('any')).toThrow(expect.objectContaining({ code: 'ALREADY_CLOSED' }));
    }),
  ],
};
