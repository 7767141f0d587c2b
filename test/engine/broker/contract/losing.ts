import { fork } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'vitest';
import type { Outcome, StoredError } from '../../../../src/engine/core/job.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { loseWorker as lose } from '../lose-worker.ts';
import { newJob, queueName, SUCCEEDED, type Workshop } from '../workshop.ts';
import { defineRule, type Subject } from './rule.ts';

const LOCK_MS = 300;
const CRASH: StoredError = { name: 'WorkerLost', message: 'died: SIGSEGV', code: 'WORKER_LOST', stack: null };

/** Of the tests whose ceiling is a promise about the lock duration: long enough for a busy machine, short enough to wait for. */
const PROMISED_LOCK_MS = 2000;

const loseWorker = (workshop: Workshop, queue: string, lockDurationMs = LOCK_MS): Promise<string> =>
  lose(workshop, queue, lockDurationMs);

export const losing: Subject = {
  subject: 'losing workers',
  rules: [
    defineRule('the job of a worker that was killed is run by another one', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const job = newJob();
      await queue.add(job);
      expect(await loseWorker(workshop, queue.name)).toBe(job.id);
      const rescuer = await workshop.consume(queue.name, { lockDurationMs: LOCK_MS, workerName: 'rescuer' });
      expect(await rescuer.taken.next()).toMatchObject({ id: job.id, workersLost: 1, attempts: 1, timesTaken: 2 });
      await rescuer.settled();
      expect(await queue.readJob(job.id)).toMatchObject({ state: 'SUCCESS', worker: 'rescuer', workersLost: 1 });
    }),

    defineRule(
      'it runs elsewhere soon after its lock has run out, where another worker serves the queue',
      async (workshop) => {
        const queue = workshop.broker.queue(queueName());
        const job = newJob();
        await queue.add(job);
        await loseWorker(workshop, queue.name, PROMISED_LOCK_MS);
        // Two lock durations are the promise, which the benchmark of recovery measures; this is a ceiling.
        const ceiling = AbortSignal.timeout(5 * PROMISED_LOCK_MS);
        const rescuer = await workshop.consume(queue.name, { lockDurationMs: PROMISED_LOCK_MS });
        const tooLate = once(ceiling, 'abort').then(() => 'nobody took it up');
        expect(await Promise.race([rescuer.taken.next(), tooLate])).toMatchObject({ id: job.id, workersLost: 1 });
      },
    ),

    defineRule(
      'a worker whose event loop is blocked for less than the lock duration keeps its job',
      async (workshop) => {
        const queue = workshop.broker.queue(queueName());
        await queue.add(newJob({ id: 'only' }));
        const script = new URL('../blocking-consumer.ts', import.meta.url);
        const times = [PROMISED_LOCK_MS, 0.9 * PROMISED_LOCK_MS].map(String);
        const child = fork(script, [workshop.url, queue.name, ...times]);
        workshop.afterwards(() => child.kill('SIGKILL'));
        expect(await once(child, 'message')).toContain('blocking');
        const other = await workshop.consume(queue.name, { lockDurationMs: PROMISED_LOCK_MS });
        expect(await once(child, 'message')).toContain('SUCCESS blocking 0');
        expect(other.taken.all).toEqual([]);
      },
    ),

    defineRule('the job of a worker that was killed is listed as active, and its lock runs out', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const job = newJob();
      await queue.add(job);
      await loseWorker(workshop, queue.name);
      await waitFor('the lock to run out', async () => (await queue.listActive(0, 1))[0]?.lockLeftMs === null);
      expect(await queue.listActive(0, 10)).toMatchObject([{ id: job.id, worker: 'doomed', lockLeftMs: null }]);
    }),

    defineRule('a job that lost more workers than it may still reaches perform, which can say so', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const job = newJob();
      await queue.add(job);
      expect(await loseWorker(workshop, queue.name)).toBe(job.id);
      const error = { name: 'WorkerLost', message: 'died 1 times', code: 'WORKER_LOST', stack: null };
      const rescuer = await workshop.consume(queue.name, {
        lockDurationMs: LOCK_MS,
        maxWorkerLost: 0,
        perform: ({ workersLost }) => (workersLost > 0 ? { kind: 'dead', error } : { kind: 'succeeded', result: null }),
      });
      expect(await rescuer.taken.next()).toMatchObject({ id: job.id, workersLost: 1 });
      await rescuer.settled();
      expect(await queue.readJob(job.id)).toMatchObject({
        state: 'FAILURE',
        error: { name: 'WorkerLost', code: 'WORKER_LOST', message: 'died 1 times' },
      });
    }),

    defineRule(
      'a job that its process lost is counted as that, charged no attempt, and runs again',
      async (workshop) => {
        const queue = workshop.broker.queue(queueName());
        const job = newJob();
        await queue.add(job);
        const ends: Outcome[] = [
          { kind: 'lost', delayMs: 200, error: CRASH },
          { kind: 'lost', delayMs: 0, error: { ...CRASH, message: 'died: exit code 1' } },
        ];
        const probe = await workshop.consume(queue.name, { perform: () => ends.shift() ?? SUCCEEDED });
        expect(await probe.taken.next()).toMatchObject({ workersLost: 0, attempts: 1 });
        await probe.settled();
        expect(await queue.readJob(job.id)).toMatchObject({
          attempts: 0,
          workersLost: 1,
          dueAt: expect.any(Number),
          error: { code: 'WORKER_LOST', message: 'died: SIGSEGV' },
        });
        expect(await probe.taken.next()).toMatchObject({ workersLost: 1, attempts: 1, timesTaken: 2 });
        expect(await probe.taken.next()).toMatchObject({ workersLost: 2, attempts: 1, timesTaken: 3 });
        await probe.settled();
        const stacks = ['WorkerLost [WORKER_LOST]: died: SIGSEGV', 'WorkerLost [WORKER_LOST]: died: exit code 1'];
        expect(await queue.readJob(job.id)).toMatchObject({
          state: 'SUCCESS',
          attempts: 1,
          workersLost: 2,
          error: null,
          stacks,
        });
      },
    ),

    defineRule('lost processes and lost workers have one count', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const job = newJob();
      await queue.add(job);
      expect(await loseWorker(workshop, queue.name)).toBe(job.id);
      const ends: Outcome[] = [{ kind: 'lost', delayMs: 0, error: CRASH }];
      const rescuer = await workshop.consume(queue.name, {
        lockDurationMs: LOCK_MS,
        perform: () => ends.shift() ?? SUCCEEDED,
      });
      const taken = await rescuer.taken.take(2);
      expect(taken.map(({ workersLost }) => workersLost)).toEqual([1, 2]);
    }),

    defineRule('a job that its process lost keeps its priority, and no other job is counted', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      await queue.enablePriorities();
      const [low, high] = [newJob({ priority: 1 }), newJob({ priority: 9 })];
      await queue.addBulk([low, high]);
      const ends: Outcome[] = [{ kind: 'lost', delayMs: 0, error: CRASH }];
      const hold = workshop.gate<Outcome>();
      const probe = await workshop.consume(queue.name, { perform: () => ends.shift() ?? hold.promise });
      const [first, second] = await probe.taken.take(2);
      expect(first).toMatchObject({ id: high.id, priority: 9, workersLost: 0 });
      expect([low.id, high.id]).toContain(second?.id);
      hold.resolve(SUCCEEDED);
      const third = await probe.taken.next();
      await probe.settled();
      const both = [second, third].toSorted((a, b) => (b?.priority ?? 0) - (a?.priority ?? 0));
      expect(both).toMatchObject([
        { id: high.id, priority: 9, workersLost: 1 },
        { id: low.id, priority: 1, workersLost: 0 },
      ]);
    }),
  ],
};
