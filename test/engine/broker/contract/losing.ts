import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'vitest';
import { newJob, queueName, type Workshop } from '../workshop.ts';
import { defineRule, type Subject } from './rule.ts';

const LOCK_MS = 300;

/** Starts a worker in a process of its own and kills it as soon as it has taken a job. */
async function loseWorker(workshop: Workshop, queue: string): Promise<string> {
  const child: ChildProcess = fork(new URL('../doomed-consumer.ts', import.meta.url), [
    workshop.url,
    queue,
    String(LOCK_MS),
  ]);
  workshop.afterwards(() => child.kill('SIGKILL'));
  const exited = once(child, 'exit').then(() => ['the worker ended before it took a job']);
  const [jobId = ''] = (await Promise.race([once(child, 'message'), exited])) as string[];
  child.kill('SIGKILL');
  await exited;
  return jobId;
}

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
  ],
};
