import { expect } from 'vitest';
import type { Outcome } from '../../../../src/engine/core/job.ts';
import { newJobs, queueName, SUCCEEDED, type Workshop } from '../workshop.ts';
import { defineRule, type Rule, type Subject } from './rule.ts';

/** A consumer of so many queues, and its jobs: each is held until it is let go. */
async function hold(workshop: Workshop, { queues, jobs, slots }: { queues: number; jobs: number; slots: number }) {
  const names = Array.from({ length: queues }, () => queueName());
  await Promise.all(names.map((name) => workshop.broker.queue(name).addBulk(newJobs(jobs))));
  const held: PromiseWithResolvers<Outcome>[] = [];
  const probe = await workshop.consume(names, {
    concurrency: slots,
    order: 'fair',
    perform() {
      const gate = workshop.gate<Outcome>();
      held.push(gate);
      return gate.promise;
    },
  });
  return {
    ...probe,
    held,
    /** Lets the job go that has been held longest. */
    letGo: () => held.shift()?.resolve(SUCCEEDED),
  };
}

const forQueues = (title: string, holds: (workshop: Workshop, queues: number) => Promise<void>): Rule[] =>
  [1, 2].map((queues) =>
    defineRule(`${title} (${queues === 1 ? 'one queue' : 'two queues'})`, (workshop) => holds(workshop, queues)),
  );

export const resizing: Subject = {
  subject: 'changing the number of slots',
  rules: [
    ...forQueues('more slots take more jobs while those that run go on', async (workshop, queues) => {
      const { consumer, taken, held } = await hold(workshop, { queues, jobs: 6, slots: 1 });
      await taken.next();
      consumer.resize(3);
      await taken.take(2);
      expect(held).toHaveLength(3);
      expect(consumer.held).toBe(3);
    }),

    ...forQueues('fewer slots start no job until enough have ended', async (workshop, queues) => {
      const jobs = 6 / queues;
      const { consumer, taken, held, letGo } = await hold(workshop, { queues, jobs, slots: 3 });
      await taken.take(3);
      consumer.resize(1);
      letGo();
      letGo();
      letGo();
      for (let job = 3; job < 6; job += 1) {
        await taken.next();
        expect(held).toHaveLength(1);
        letGo();
      }
    }),

    ...forQueues('slots that come back are used again', async (workshop, queues) => {
      const { consumer, taken, held, letGo } = await hold(workshop, { queues, jobs: 8 / queues, slots: 2 });
      await taken.take(2);
      consumer.resize(1);
      letGo();
      consumer.resize(2);
      await taken.next();
      expect(held).toHaveLength(2);
    }),
  ],
};
