import { fork } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'vitest';
import { createTap } from '../tap.ts';
import { newJob, newJobs, queueName, SUCCEEDED } from '../workshop.ts';
import { defineRule, defineWireRule, type Subject } from './rule.ts';

/** A turn of the event loop: long enough for everything that is ready to happen. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export const taking: Subject = {
  subject: 'taking jobs',
  rules: [
    defineRule('one slot takes the jobs of a queue one after the other, in their order', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const jobs = newJobs(20);
      await queue.addBulk(jobs);
      let running = 0;
      const probe = await workshop.consume(queue.name, {
        async perform() {
          running += 1;
          expect(running).toBe(1);
          await turn();
          running -= 1;
          return SUCCEEDED;
        },
      });
      expect((await probe.taken.take(20)).map(({ id }) => id)).toEqual(jobs.map(({ id }) => id));
      await probe.settled();
      expect(await queue.counts()).toMatchObject({ completed: 20, waiting: 0, active: 0 });
    }),

    defineRule('all slots are used and never more, and the consumer says what it holds', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      await queue.addBulk(newJobs(30));
      let running = 0;
      let most = 0;
      const full = Promise.withResolvers<void>();
      const go = Promise.withResolvers<void>();
      const probe = await workshop.consume(queue.name, {
        concurrency: 4,
        async perform() {
          running += 1;
          most = Math.max(most, running);
          if (running === 4) full.resolve();
          await go.promise;
          await turn();
          running -= 1;
          return SUCCEEDED;
        },
      });
      await full.promise;
      expect(probe.consumer.held).toBe(4);
      expect(await queue.counts()).toMatchObject({ active: 4, waiting: 26 });
      go.resolve();
      await probe.taken.take(30);
      await probe.settled();
      expect(probe.consumer.held).toBe(0);
      expect(most).toBe(4);
      expect(await queue.counts()).toMatchObject({ completed: 30, active: 0 });
    }),

    defineRule(
      'a running job leaves the other slots free for jobs that come later',
      async ({ broker, consume, gate }) => {
        const queue = broker.queue(queueName());
        const hold = gate<void>();
        const probe = await consume(queue.name, {
          concurrency: 2,
          async perform({ task }) {
            if (task === 'long') await hold.promise;
            return SUCCEEDED;
          },
        });
        await queue.add(newJob({ task: 'long' }));
        await probe.taken.next();
        for (const task of ['a', 'b', 'c']) {
          await queue.add(newJob({ task }));
          expect(await probe.taken.next()).toMatchObject({ task });
        }
        hold.resolve();
      },
    ),

    defineRule('an idle consumer says so, also when its last job has ended', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      let idle = Promise.withResolvers<void>();
      const probe = await consume(queue.name, { onIdle: () => idle.resolve() });
      await idle.promise;
      idle = Promise.withResolvers();
      await queue.add(newJob());
      await probe.taken.next();
      await idle.promise;
      await probe.settled();
      expect(probe.consumer.held).toBe(0);
    }),

    defineRule('two consumers of one queue share its jobs and run none twice', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const jobs = newJobs(100);
      const all = Promise.withResolvers<void>();
      const runs: string[] = [];
      const start = async () =>
        workshop.consume(queue.name, {
          broker: await workshop.openBroker(),
          concurrency: 3,
          async perform({ id }) {
            runs.push(id);
            if (runs.length === jobs.length) all.resolve();
            await turn();
            return SUCCEEDED;
          },
        });
      const probes = await Promise.all([start(), start()]);
      await queue.addBulk(jobs);
      await all.promise;
      await Promise.all(probes.map((probe) => probe.settled()));
      expect(runs.toSorted()).toEqual(jobs.map(({ id }) => id).toSorted());
      expect(await queue.counts()).toMatchObject({ completed: 100, active: 0, waiting: 0 });
    }),

    defineRule('a paused queue gives no job until it is resumed', async ({ broker, consume, plainQueue }) => {
      const [queue, witness] = [broker.queue(queueName()), broker.queue(queueName())];
      const plain = plainQueue(queue.name);
      await plain.pause();
      await queue.add(newJob({ task: 'paused' }));
      const probe = await consume([queue.name, witness.name]);
      await witness.add(newJob({ task: 'witness' }));
      expect(await probe.taken.next()).toMatchObject({ task: 'witness' });
      await plain.resume();
      expect(await probe.taken.next()).toMatchObject({ task: 'paused' });
    }),

    defineRule(
      'the lock of a running job is renewed: nobody else takes it',
      async ({ broker, consume, openBroker, gate }) => {
        const queue = broker.queue(queueName());
        const lockDurationMs = 400;
        const hold = gate<void>();
        const long = newJob({ task: 'long' });
        await queue.add(long);
        const busy = await consume(queue.name, {
          lockDurationMs,
          async perform() {
            await hold.promise;
            return SUCCEEDED;
          },
        });
        await busy.taken.next();
        const other = await consume(queue.name, { lockDurationMs, broker: await openBroker() });
        // That this job is due shows that five lock durations have passed.
        await queue.add(newJob({ task: 'later', delayMs: 5 * lockDurationMs }));
        expect(await other.taken.next()).toMatchObject({ task: 'later' });
        hold.resolve();
        await busy.settled();
        expect(other.taken.all).toHaveLength(1);
        expect(await queue.readJob(long.id)).toMatchObject({ state: 'SUCCESS', workersLost: 0, attempts: 1 });
      },
    ),

    defineRule('a job that vanished while it ran is reported, and the next one runs', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const hold = workshop.gate<void>();
      const gone = newJob();
      await queue.add(gone);
      const probe = await workshop.consume(queue.name, {
        async perform() {
          await hold.promise;
          return SUCCEEDED;
        },
      });
      await probe.taken.next();
      const plain = workshop.plainQueue(queue.name);
      await plain.obliterate({ force: true });
      hold.resolve();
      const trouble = await probe.troubles.next();
      expect(trouble).toMatchObject({ code: 'LOCK_LOST', message: expect.stringContaining(gone.id) });
      const next = newJob();
      await queue.add(next);
      expect(await probe.taken.next()).toMatchObject({ id: next.id });
      expect(await queue.readJob(gone.id)).toBeUndefined();
    }),

    defineRule(
      'stop() waits for the held jobs, stores their outcomes and takes no more',
      async ({ broker, consume, gate }) => {
        const queue = broker.queue(queueName());
        const jobs = newJobs(5);
        await queue.addBulk(jobs);
        const hold = gate<void>();
        const probe = await consume(queue.name, {
          concurrency: 2,
          async perform() {
            await hold.promise;
            return SUCCEEDED;
          },
        });
        await probe.taken.take(2);
        let stopped = false;
        const stopping = probe.stop().then(() => {
          stopped = true;
        });
        await queue.counts();
        expect(stopped).toBe(false);
        hold.resolve();
        await stopping;
        expect(probe.taken.all).toHaveLength(2);
        expect(await queue.counts()).toMatchObject({ completed: 2, waiting: 3, active: 0 });
      },
    ),

    defineWireRule('a job that is being fetched while the consumer stops goes back untouched', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const tap = await createTap(workshop.url);
      workshop.afterwards(() => tap.close());
      const looked = Promise.withResolvers<void>();
      let stopping = false;
      const probe = await workshop.consume(queue.name, {
        broker: await workshop.openBroker(tap.url),
        workerName: 'fetching-worker',
        onIdle: looked.resolve,
        perform: () => (stopping ? { kind: 'released' } : SUCCEEDED),
      });
      await looked.promise;
      const fetching = tap.holdAnswersTo('fetching-worker');
      const jobs = newJobs(2);
      await queue.addBulk(jobs);
      await fetching;
      stopping = true;
      const stopped = probe.stop();
      tap.letThrough();
      await stopped;
      expect(probe.taken.all.length).toBeLessThanOrEqual(1);
      expect(await queue.counts()).toMatchObject({ waiting: 2, active: 0, completed: 0 });
      expect(await queue.readJob(jobs[0]?.id ?? '')).toMatchObject({ state: 'PENDING', attempts: 0, workersLost: 0 });
      const next = await workshop.consume(queue.name);
      expect((await next.taken.take(2)).map(({ id }) => id)).toEqual(jobs.map(({ id }) => id));
    }),

    defineRule('stop() of an idle consumer ends at once, also twice and before run()', async (workshop) => {
      const queues = [queueName(), queueName()];
      const looked = Promise.withResolvers<void>();
      const idle = await workshop.consume(queues, { onIdle: looked.resolve });
      await looked.promise;
      await Promise.all([idle.consumer.stop(), idle.consumer.stop()]);
      const never = workshop.createProbe(queues);
      await never.consumer.stop();
      expect(idle.consumer.held + never.consumer.held).toBe(0);
    }),

    defineWireRule('a stopped consumer and a closed broker leave no connection open', async (workshop) => {
      const tap = await createTap(workshop.url);
      workshop.afterwards(() => tap.close());
      const broker = await workshop.openBroker(tap.url);
      const queue = broker.queue(queueName());
      const probe = await workshop.consume([queue.name, queueName()], { broker, concurrency: 3 });
      const job = newJob();
      await queue.add(job);
      await queue.waitUntilFinished(job.id);
      await probe.stop();
      await broker.close();
      await tap.untilUnused();
      expect(tap.open).toBe(0);
    }),

    defineRule(
      'nothing keeps a process alive that has stopped its consumer and closed its broker',
      async (workshop) => {
        const script = new URL('../passing-consumer.ts', import.meta.url);
        const child = fork(script, [workshop.url, queueName()]);
        workshop.afterwards(() => child.kill('SIGKILL'));
        const exited = once(child, 'exit');
        expect(await once(child, 'message')).toEqual(['SUCCESS', undefined]);
        expect(await exited).toEqual([0, null]);
      },
    ),
  ],
};
