import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { WorkerOptions } from '../../../src/engine/app/contract.ts';
import type { DeadLetter } from '../../../src/engine/worker/dead-letters/dead-letter.ts';
import { brokersUnderTest } from '../../support/brokers.ts';
import { createLiveBench, createStore, type LiveBench } from './live-app.ts';
import { registerTasks } from './live-tasks.ts';

const module = new URL('./live-tasks.ts', import.meta.url);
const POOLS: readonly [string, WorkerOptions][] = [
  ['async', { pool: 'async', concurrency: 2 }],
  ['prefork', { pool: 'prefork', module, concurrency: 2 }],
];

describe.each(brokersUnderTest())('onDeadLetter on $name', (store) => {
  let url: string;
  let bench: LiveBench;
  beforeAll(async () => {
    url = await createStore(store);
  });
  beforeEach(() => {
    bench = createLiveBench(url);
  });
  afterEach(() => bench.close());

  test.each(POOLS)(
    'is called in the worker process with the pool %s, when the job is stored as one',
    async (_, pool) => {
      const told = Promise.withResolvers<[DeadLetter, number, string, unknown]>();
      const app = bench.createApp({
        onDeadLetter: async (letter) => {
          const stored = await app.result(letter.id, letter.queue).state();
          const [summary] = await (await app.broker()).queue(letter.queue).listSummaries([letter.id]);
          told.resolve([letter, process.pid, stored, summary?.fingerprint]);
        },
      });
      registerTasks(app);
      const { id } = await app.send('broken', ['a', 1], { requestId: 'r-1' });
      await bench.startWorker(app, pool);
      const [letter, pid, state, fingerprint] = await told.promise;
      expect(letter).toEqual({
        id,
        task: 'broken',
        queue: bench.queue,
        args: ['a', 1],
        error: { name: 'RangeError', message: 'a is out of range', code: 'ERANGE', fingerprint },
        attempts: 1,
        worker: 'worker-1',
        requestId: 'r-1',
      });
      expect(fingerprint).toMatch(/^[0-9a-f]{8}$/);
      expect([pid, state]).toEqual([process.pid, 'FAILURE']);
    },
  );

  test('is told also of jobs that no function of a task has ended', async () => {
    const told: DeadLetter[] = [];
    const all = Promise.withResolvers<void>();
    const app = bench.createApp({
      maxWorkerLost: 0,
      unknownTasks: { max: 0 },
      onDeadLetter: (letter) => {
        told.push(letter);
        if (told.length === 2) all.resolve();
        throw new Error('and its own failure changes nothing');
      },
    });
    registerTasks(app);
    const jobs = [await app.send('deadly'), await app.send('nobody.knows')];
    await bench.startWorker(app, { pool: 'prefork', module, concurrency: 2 });
    await all.promise;
    const codes = jobs.map(({ id }) => told.find((letter) => letter.id === id)?.error.code);
    expect(codes).toEqual(['WORKER_LOST', 'UNKNOWN_TASK_GIVEN_UP']);
  });
});
