import { expect } from 'vitest';
import { planLocks } from '../../../../src/engine/core/lock-timing.ts';
import { newJob, queueName } from '../workshop.ts';
import { defineRule, type Subject } from './rule.ts';

export const holding: Subject = {
  subject: 'jobs that workers hold',
  rules: [
    defineRule('are listed with how long their locks run, the first taken first', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      expect(await queue.listActive(0, 10)).toEqual([]);
      const gate = workshop.gate<never>();
      const probe = await workshop.consume(queue.name, {
        concurrency: 3,
        lockDurationMs: 30_000,
        workerName: 'holder',
        perform: () => gate.promise,
      });
      const jobs = [newJob(), newJob(), newJob()];
      for (const job of jobs) {
        await queue.add(job);
        await probe.taken.next();
      }
      const ids = jobs.map(({ id }) => id);
      const active = await queue.listActive(0, 10);
      expect(active.map(({ id }) => id)).toEqual(ids);
      for (const { state, worker, attempts, startedAt, lockLeftMs } of active) {
        expect({ state, worker, attempts }).toEqual({ state: 'STARTED', worker: 'holder', attempts: 1 });
        expect(startedAt).toEqual(expect.any(Number));
        expect(lockLeftMs).toBeGreaterThan(0);
        expect(lockLeftMs).toBeLessThanOrEqual(planLocks(30_000).lifeMs);
      }
      expect((await queue.listActive(1, 1)).map(({ id }) => id)).toEqual([ids[1]]);
    }),
  ],
};
