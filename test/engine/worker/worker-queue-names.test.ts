import { expect, test, vi } from 'vitest';
import { parseRetry } from '../../../src/engine/core/retry-policy.ts';
import type { QueueNameWalkOptions } from '../../../src/engine/worker/queue-name-walk.ts';
import { Worker } from '../../../src/engine/worker/worker.ts';
import { FakeBroker } from './fake-broker.ts';
import { createFakeClock, recordLog } from './recorded.ts';

vi.mock('../../../src/engine/worker/queue-name-walk.ts', async (load) => {
  const { createQueueNameWalk } = (await load()) as typeof import('../../../src/engine/worker/queue-name-walk.ts');
  return { createQueueNameWalk: (options: QueueNameWalkOptions) => createQueueNameWalk({ ...options, everyMs: 1 }) };
});

test('a worker looks for queues where its broker needs that, until it stops', async () => {
  const walked = Promise.withResolvers<void>();
  let looks = 0;
  const names = {
    async isWalkDue() {
      looks += 1;
      return looks < 3;
    },
    async *walk() {
      walked.resolve();
      yield 0;
    },
  };
  const worker = new Worker({
    worker: 'tq@test',
    broker: Object.assign(new FakeBroker(), { queueNames: names }),
    tasks: new Map(),
    queues: [{ name: 'high', weight: 1 }],
    order: 'strict',
    concurrency: 1,
    clock: createFakeClock(),
    logger: recordLog().logger,
    hooks: {},
    random: () => 0.5,
    unknownTasks: parseRetry({}, 'unknownTasks'),
    maxWorkerLost: 3,
    lockDurationMs: 30_000,
    shutdownTimeoutMs: 25_000,
    keepResultSeconds: 60,
    burst: false,
  });
  await worker.start();
  await walked.promise;
  expect(looks).toBeGreaterThan(1);
  await worker.stop();
});
