import pino from 'pino';
import { expect } from 'vitest';
import type { TakenJob } from '../../../../src/engine/broker/port.ts';
import type { Outcome } from '../../../../src/engine/core/job.ts';
import { NO_RETRY } from '../../../../src/engine/core/retry-policy.ts';
import { systemClock } from '../../../../src/engine/runtime/system-clock.ts';
import { defineTask, type TaskDefinition } from '../../../../src/engine/task/definition.ts';
import { createExecutor } from '../../../../src/engine/worker/executor.ts';
import { loseWorker } from '../lose-worker.ts';
import { newJob, queueName } from '../workshop.ts';
import { defineRule, type Subject } from './rule.ts';

const LOCK_MS = 300;

/** What a worker does with the jobs of a task `work` that may be started only once; `runs` are those that it started. */
function createWorkerOnce(): { perform: (job: TakenJob) => Promise<Outcome>; runs: string[] } {
  const runs: string[] = [];
  const work = defineTask('work', { delivery: 'at-most-once' }, (id: string) => void runs.push(id));
  const executor = createExecutor({
    worker: 'probe',
    tasks: new Map([['work', work as unknown as TaskDefinition]]),
    clock: systemClock,
    logger: pino({ level: 'silent' }),
    hooks: {},
    random: Math.random,
    unknownTasks: NO_RETRY,
    maxWorkerLost: 3,
  });
  return { perform: executor.perform, runs };
}

export const atMostOnce: Subject = {
  subject: 'starting at most once',
  rules: [
    defineRule(
      'the job of a worker that was killed is a dead letter, and no other worker starts it',
      async (workshop) => {
        const queue = workshop.broker.queue(queueName());
        const [job, next] = [newJob({ args: ['first'] }), newJob({ args: ['second'] })];
        await queue.add(job);
        expect(await loseWorker(workshop, queue.name, LOCK_MS)).toBe(job.id);
        await queue.add(next);
        const { perform, runs } = createWorkerOnce();
        const rescuer = await workshop.consume(queue.name, { lockDurationMs: LOCK_MS, perform });
        const ids = (await rescuer.taken.take(2)).map(({ id }) => id);
        expect(ids.toSorted()).toEqual([job.id, next.id].toSorted());
        await rescuer.settled();
        expect(await queue.readJob(job.id)).toMatchObject({
          state: 'FAILURE',
          workersLost: 1,
          error: { name: 'NotRunAgain', code: 'NOT_RUN_AGAIN' },
        });
        expect(runs).toEqual(['second']);
      },
    ),

    defineRule('a job that was handed back before it had started is started', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const job = newJob({ args: ['x'] });
      await queue.add(job);
      const { perform, runs } = createWorkerOnce();
      let isFirst = true;
      const probe = await workshop.consume(queue.name, {
        perform(taken) {
          if (!isFirst) return perform(taken);
          isFirst = false;
          return { kind: 'released' };
        },
      });
      expect((await probe.taken.take(2)).map(({ timesTaken }) => timesTaken)).toEqual([1, 2]);
      await probe.settled();
      expect(await queue.readJob(job.id)).toMatchObject({ state: 'SUCCESS' });
      expect(runs).toEqual(['x']);
    }),
  ],
};
