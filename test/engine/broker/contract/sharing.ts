import fc from 'fast-check';
import { expect } from 'vitest';
import type { QueueOrder } from '../../../../src/engine/broker/port.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { newJob, newJobs, queueName, SUCCEEDED, type Taken, type Workshop } from '../workshop.ts';
import { defineRule, type Subject } from './rule.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** How many of these jobs came from each queue, in the order of the queues. */
function countByQueue(taken: readonly Taken[], queues: readonly string[]): number[] {
  return queues.map((queue) => taken.filter((job) => job.queue === queue).length);
}

/** Fills each queue with so many jobs and gives the first `count` that one slot takes. */
async function takeFromFlood(
  workshop: Workshop,
  queues: readonly string[],
  options: { order: QueueOrder; weights?: Record<string, number>; jobs: number; count: number },
): Promise<Taken[]> {
  for (const queue of queues) await workshop.broker.queue(queue).addBulk(newJobs(options.jobs));
  const { order, weights = {} } = options;
  const probe = await workshop.consume(queues, { order, weights, concurrency: 1 });
  return probe.taken.take(options.count);
}

export const sharing: Subject = {
  subject: 'sharing slots between queues',
  rules: [
    defineRule(
      'whatever the order, every job runs once and no more run at a time than there are slots',
      async (workshop) => {
        const orders = fc.constantFrom<QueueOrder[]>('strict', 'weighted', 'fair');
        const sizes = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 2, maxLength: 4 });
        await fc.assert(
          fc.asyncProperty(orders, sizes, fc.integer({ min: 1, max: 5 }), async (order, jobsOf, concurrency) => {
            const queues = jobsOf.map(() => queueName());
            const jobs = jobsOf.map((count) => newJobs(count));
            const total = jobs.flat().length;
            let running = 0;
            let most = 0;
            const probe = await workshop.consume(queues, {
              order,
              concurrency,
              async perform() {
                running += 1;
                most = Math.max(most, running);
                await turn();
                running -= 1;
                return SUCCEEDED;
              },
            });
            await Promise.all(queues.map((queue, index) => workshop.broker.queue(queue).addBulk(jobs[index] ?? [])));
            const ids = (await probe.taken.take(total)).map(({ id }) => id);
            await probe.stop();
            expect(ids.toSorted()).toEqual(
              jobs
                .flat()
                .map(({ id }) => id)
                .toSorted(),
            );
            expect(most).toBeLessThanOrEqual(concurrency);
          }),
          { numRuns: 8 },
        );
      },
      60_000,
    ),

    defineRule('strict: a flood of low jobs delays a high job by the job that holds the slot', async (workshop) => {
      const [high, low] = [queueName(), queueName()];
      await workshop.broker.queue(low).addBulk(newJobs(40));
      const hold = workshop.gate();
      const probe = await workshop.consume([high, low], {
        order: 'strict',
        async perform() {
          await hold.promise;
          return SUCCEEDED;
        },
      });
      expect(await probe.taken.next()).toMatchObject({ queue: low });
      await workshop.broker.queue(high).add(newJob());
      // The worker has heard of it: it holds the job without a slot.
      await waitFor('the high job to be reserved', () => probe.consumer.held === 2);
      hold.resolve();
      expect(await probe.taken.next()).toMatchObject({ queue: high });
      expect(await probe.taken.next()).toMatchObject({ queue: low });
    }),

    defineRule('strict: also when the job that holds the slot runs for longer than a reservation', async (workshop) => {
      const [high, low] = [queueName(), queueName()];
      await workshop.broker.queue(low).addBulk(newJobs(10));
      const hold = workshop.gate();
      const probe = await workshop.consume([high, low], {
        order: 'strict',
        async perform() {
          await hold.promise;
          return SUCCEEDED;
        },
      });
      await probe.taken.next();
      await workshop.broker.queue(high).addBulk(newJobs(3));
      await waitFor('the high job to be reserved', () => probe.consumer.held === 2);
      await waitFor('the reservation to be given up', () => probe.consumer.held === 1);
      hold.resolve();
      const taken = await probe.taken.take(4);
      expect(taken.map(({ queue }) => queue)).toEqual([high, high, high, low]);
      expect(taken.every(({ attempts }) => attempts === 1)).toBe(true);
    }),

    defineRule('strict: the first queue is emptied before the second is served', async (workshop) => {
      const [high, low] = [queueName(), queueName()];
      const taken = await takeFromFlood(workshop, [high, low], { order: 'strict', jobs: 15, count: 30 });
      const queues = taken.map(({ queue }) => queue);
      // The second queue may have asked before the first one stood in line.
      expect(countByQueue(taken.slice(0, 16), [high, low])[0]).toBeGreaterThanOrEqual(14);
      expect(queues.slice(16).every((queue) => queue === low)).toBe(true);
    }),

    defineRule('weighted: the starts are shared as the weights say', async (workshop) => {
      const queues = [queueName(), queueName()];
      const weights = { [queues[0] as string]: 3, [queues[1] as string]: 1 };
      const taken = await takeFromFlood(workshop, queues, { order: 'weighted', weights, jobs: 60, count: 60 });
      const [first = 0] = countByQueue(taken, queues);
      expect(first).toBeGreaterThanOrEqual(42);
      expect(first).toBeLessThanOrEqual(48);
    }),

    defineRule('fair: every queue gets the same, whatever its weight, and none starves', async (workshop) => {
      const queues = [queueName(), queueName(), queueName()];
      const weights = { [queues[0] as string]: 100 };
      const taken = await takeFromFlood(workshop, queues, { order: 'fair', weights, jobs: 30, count: 45 });
      for (const share of countByQueue(taken, queues)) {
        expect(share).toBeGreaterThanOrEqual(13);
        expect(share).toBeLessThanOrEqual(17);
      }
    }),

    defineRule('two queues and one slot: jobs that come one by one to either are all run', async (workshop) => {
      const queues = [queueName(), queueName()];
      const probe = await workshop.consume(queues, { order: 'fair' });
      for (let index = 0; index < 20; index += 1) {
        const job = newJob();
        await workshop.broker.queue(queues[(index * 7) % 2] as string).add(job);
        expect(await probe.taken.next()).toMatchObject({ id: job.id });
      }
    }),

    defineRule('a wake-up that comes while all slots are busy is handed on to another worker', async (workshop) => {
      const [first, second] = [queueName(), queueName()];
      const hold = workshop.gate<void>();
      let looks = 0;
      const idle = Promise.withResolvers<void>();
      const busy = await workshop.consume([first, second], {
        onIdle: () => ++looks >= 2 && idle.resolve(),
        async perform() {
          await hold.promise;
          return SUCCEEDED;
        },
      });
      // Both queues were looked at and found empty: both now wait in the store.
      await idle.promise;
      await workshop.broker.queue(first).add(newJob());
      await busy.taken.next();
      const woken = newJob();
      await workshop.broker.queue(second).add(woken);
      const other = await workshop.consume(second, { broker: await workshop.openBroker() });
      expect(await other.taken.next()).toMatchObject({ id: woken.id, attempts: 1, workersLost: 0 });
      await other.settled();
      hold.resolve();
      await busy.settled();
      expect(busy.taken.all).toHaveLength(1);
      expect(await workshop.broker.queue(second).readJob(woken.id)).toMatchObject({ state: 'SUCCESS', attempts: 1 });
    }),

    defineRule('a job that was reserved while all slots were busy gets the slot that frees', async (workshop) => {
      const [first, second] = [queueName(), queueName()];
      const hold = workshop.gate<void>();
      let looks = 0;
      const idle = Promise.withResolvers<void>();
      const probe = await workshop.consume([first, second], {
        onIdle: () => ++looks >= 2 && idle.resolve(),
        async perform({ queue }) {
          if (queue === first) await hold.promise;
          return SUCCEEDED;
        },
      });
      await idle.promise;
      await workshop.broker.queue(first).add(newJob());
      await probe.taken.next();
      await workshop.broker.queue(second).add(newJob());
      await workshop.broker.queue(first).add(newJob());
      hold.resolve();
      const taken = await probe.taken.take(2);
      expect(countByQueue(taken, [first, second])).toEqual([1, 1]);
    }),

    defineRule('stop() with a job reserved hands it back, uncharged', async (workshop) => {
      const [first, second] = [queueName(), queueName()];
      const hold = workshop.gate<void>();
      let looks = 0;
      let stopping = false;
      const idle = Promise.withResolvers<void>();
      const probe = await workshop.consume([first, second], {
        onIdle: () => ++looks >= 2 && idle.resolve(),
        async perform() {
          if (stopping) return { kind: 'released' };
          await hold.promise;
          return SUCCEEDED;
        },
      });
      await idle.promise;
      await workshop.broker.queue(first).add(newJob());
      await probe.taken.next();
      const reserved = newJob();
      await workshop.broker.queue(second).add(reserved);
      stopping = true;
      const stopped = probe.stop();
      hold.resolve();
      await stopped;
      const job = await workshop.broker.queue(second).readJob(reserved.id);
      expect(job).toMatchObject({ state: 'PENDING', attempts: 0, workersLost: 0 });
    }),
  ],
};
