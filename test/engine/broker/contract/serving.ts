import { expect } from 'vitest';
import type { QueueOrder } from '../../../../src/engine/broker/port.ts';
import type { Outcome } from '../../../../src/engine/core/job.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { newJob, newJobs, type ProbeOptions, queueName, SUCCEEDED, type Workshop } from '../workshop.ts';
import { defineRule, type Subject } from './rule.ts';

/** A consumer whose jobs are held until they are let go, in the order in which they began. */
async function hold(workshop: Workshop, queues: readonly string[], options: ProbeOptions = {}) {
  const held: { readonly id: string; readonly gate: PromiseWithResolvers<Outcome> }[] = [];
  const probe = await workshop.consume(queues, {
    ...options,
    perform({ id }) {
      const gate = workshop.gate<Outcome>();
      held.push({ id, gate });
      return gate.promise;
    },
  });
  return { ...probe, held, letGo: () => held.shift()?.gate.resolve(SUCCEEDED) };
}

const queue = (name: string, weight = 1) => ({ name, weight });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export const serving: Subject = {
  subject: 'adding and removing queues',
  rules: [
    defineRule('a queue that is added is served from then on', async (workshop) => {
      const [first, second] = [queueName(), queueName()];
      const { consumer, taken } = await workshop.consume(first);
      await workshop.broker.queue(second).add(newJob({ id: 'waits' }));
      await consumer.addQueue(queue(second));
      expect(await taken.next()).toMatchObject({ queue: second, id: 'waits' });
      await workshop.broker.queue(second).add(newJob({ id: 'comes' }));
      expect(await taken.next()).toMatchObject({ queue: second, id: 'comes' });
      await workshop.broker.queue(first).add(newJob({ id: 'as before' }));
      expect(await taken.next()).toMatchObject({ queue: first, id: 'as before' });
    }),

    defineRule('a queue that is served already may be added', async (workshop) => {
      const name = queueName();
      const { consumer, taken } = await workshop.consume(name);
      await consumer.addQueue(queue(name));
      await workshop.broker.queue(name).addBulk(newJobs(3));
      expect(new Set((await taken.take(3)).map(({ id }) => id)).size).toBe(3);
    }),

    defineRule('a queue can be added before the consumer runs', async (workshop) => {
      const [first, second] = [queueName(), queueName()];
      for (const name of [first, second]) await workshop.broker.queue(name).add(newJob());
      const { consumer, taken } = workshop.createProbe(first, { concurrency: 1 });
      await consumer.addQueue(queue(second));
      await consumer.run();
      expect((await taken.take(2)).map((job) => job.queue)).toEqual([first, second]);
    }),

    defineRule('jobs that run when the second queue comes keep their slots', async (workshop) => {
      const [first, second] = [queueName(), queueName()];
      await workshop.broker.queue(first).addBulk(newJobs(2));
      await workshop.broker.queue(second).addBulk(newJobs(2));
      const { consumer, taken, held, letGo } = await hold(workshop, [first], { concurrency: 2 });
      await taken.take(2);
      await consumer.addQueue(queue(second));
      // A third one would be taken at once, if a slot were counted as free.
      await waitFor(
        'the added queue to be looked at',
        async () => (await workshop.broker.queue(second).status(0)).consumers > 0,
      );
      expect(held).toHaveLength(2);
      letGo();
      expect(await taken.next()).toMatchObject({ queue: second });
      expect(held).toHaveLength(2);
      letGo();
      expect(await taken.next()).toMatchObject({ queue: second });
      expect(held).toHaveLength(2);
    }),

    ...(['strict', 'weighted', 'fair'] as const).map((order: QueueOrder) =>
      defineRule(`${order}: a queue that is added takes its place in the order`, async (workshop) => {
        const [first, second] = [queueName(), queueName()];
        const { consumer, taken, letGo } = await hold(workshop, [first], { concurrency: 1, order });
        await workshop.broker.queue(first).addBulk(newJobs(60));
        await taken.next();
        await workshop.broker.queue(second).addBulk(newJobs(10));
        await consumer.addQueue(queue(second, 3));
        const next = async (): Promise<string> => {
          letGo();
          return (await taken.next()).queue;
        };
        if (order === 'strict') {
          for (let job = 1; job < 60; job += 1) expect(await next()).toBe(first);
          expect(await next()).toBe(second);
          return;
        }
        // It stands in line from its first look at the store on.
        while ((await next()) !== second);
        const turns: string[] = [];
        for (let turn = 0; turn < 8; turn += 1) turns.push(await next());
        const ofSecond = turns.filter((name) => name === second).length;
        expect(ofSecond).toBeGreaterThanOrEqual(order === 'fair' ? 3 : 5);
        expect(ofSecond).toBeLessThanOrEqual(order === 'fair' ? 5 : 7);
      }),
    ),

    defineRule('of a queue that is removed running jobs end, and no other is taken', async (workshop) => {
      const [first, second] = [queueName(), queueName()];
      const { consumer, taken, held, letGo } = await hold(workshop, [first, second], { concurrency: 2 });
      await workshop.broker.queue(second).addBulk(newJobs(2));
      const [running] = await taken.take(2);
      await workshop.broker.queue(second).addBulk(newJobs(3));
      const removed = consumer.removeQueue(second);
      letGo();
      letGo();
      await removed;
      expect(await workshop.broker.queue(second).readJob(running?.id ?? '')).toMatchObject({ state: 'SUCCESS' });
      expect(await workshop.broker.queue(second).counts()).toMatchObject({ waiting: 3, active: 0, completed: 2 });
      expect(held).toEqual([]);
      await workshop.broker.queue(first).addBulk(newJobs(2));
      expect((await taken.take(2)).map((job) => job.queue)).toEqual([first, first]);
    }),

    defineRule('what a removed queue has reserved goes back, before the jobs of others end', async (workshop) => {
      const [high, low] = [queueName(), queueName()];
      const { consumer, taken, letGo } = await hold(workshop, [high, low], { concurrency: 1 });
      await workshop.broker.queue(low).add(newJob());
      await taken.next();
      await workshop.broker.queue(high).add(newJob());
      await waitFor('the job to be reserved', () => consumer.held === 2);
      await consumer.removeQueue(high);
      expect(consumer.held).toBe(1);
      expect(await workshop.broker.queue(high).counts()).toMatchObject({ waiting: 1, active: 0 });
      letGo();
    }),

    defineRule('the last queue may be removed, and one be added after that', async (workshop) => {
      const [first, second] = [queueName(), queueName()];
      const { consumer, taken, settled } = await workshop.consume(first);
      await workshop.broker.queue(first).add(newJob());
      await taken.next();
      await settled();
      await consumer.removeQueue(first);
      await workshop.broker.queue(first).add(newJob());
      await workshop.broker.queue(second).add(newJob());
      await consumer.addQueue(queue(second));
      expect(await taken.next()).toMatchObject({ queue: second });
      expect(await workshop.broker.queue(first).counts()).toMatchObject({ waiting: 1 });
    }),

    defineRule('a queue may come back while its old jobs still run', async (workshop) => {
      const name = queueName();
      await workshop.broker.queue(name).addBulk(newJobs(4));
      const { consumer, taken, held, letGo } = await hold(workshop, [name], { concurrency: 2 });
      await taken.take(2);
      const removed = consumer.removeQueue(name);
      await consumer.addQueue(queue(name));
      expect(held).toHaveLength(2);
      letGo();
      await taken.next();
      expect(held).toHaveLength(2);
      letGo();
      await removed;
      await taken.next();
      expect(held).toHaveLength(2);
    }),

    defineRule(
      'while queues come and go every job runs once, and no more at a time than there are slots',
      async (workshop) => {
        const [first, ...others] = [queueName(), queueName(), queueName()];
        let running = 0;
        let most = 0;
        const probe = await workshop.consume(first as string, {
          concurrency: 3,
          order: 'fair',
          async perform() {
            running += 1;
            most = Math.max(most, running);
            await turn();
            running -= 1;
            return SUCCEEDED;
          },
        });
        const jobs = newJobs(120);
        const adding = Promise.all(
          [first as string, ...others].map((name, index) =>
            workshop.broker.queue(name).addBulk(jobs.filter((_, at) => at % 3 === index)),
          ),
        );
        for (let round = 0; round < 4; round += 1) {
          await Promise.all(others.map((name) => probe.consumer.addQueue(queue(name))));
          await probe.taken.next();
          await Promise.all(others.map((name) => probe.consumer.removeQueue(name)));
        }
        await adding;
        await Promise.all(others.map((name) => probe.consumer.addQueue(queue(name))));
        await probe.taken.take(jobs.length - 4);
        await probe.settled();
        for (const name of [first as string, ...others]) {
          expect(await workshop.broker.queue(name).counts()).toMatchObject({ completed: 40, waiting: 0, active: 0 });
        }
        expect(most).toBeLessThanOrEqual(3);
      },
      60_000,
    ),
  ],
};
