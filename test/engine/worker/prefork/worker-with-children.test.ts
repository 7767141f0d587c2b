import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { parseRetry } from '../../../../src/engine/core/retry-policy.ts';
import type { Hooks } from '../../../../src/engine/events/hooks.ts';
import { systemClock } from '../../../../src/engine/runtime/system-clock.ts';
import { Worker } from '../../../../src/engine/worker/worker.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { FakeBroker, type FakeConsumer } from '../fake-broker.ts';
import { FakeJob } from '../fake-job.ts';
import { recordHooks, recordLog } from '../recorded.ts';
import { app } from './faulty-app.ts';
import { isAlive } from './prefork-setup.ts';

function setUp({ hooks = {}, module = './faulty-app.ts' }: { hooks?: Hooks; module?: string } = {}) {
  const broker = new FakeBroker();
  const recorded = recordHooks(hooks);
  const log = recordLog();
  const worker = new Worker({
    worker: 'tq@test',
    broker,
    tasks: app.tasks,
    queues: [{ name: 'default', weight: 1 }],
    order: 'strict',
    concurrency: 2,
    clock: systemClock,
    logger: log.logger,
    random: () => 0.5,
    unknownTasks: parseRetry({}, 'unknownTasks'),
    maxWorkerLost: 3,
    lockDurationMs: 30_000,
    shutdownTimeoutMs: 25_000,
    keepResultSeconds: 60,
    burst: false,
    hooks: recorded.hooks,
    prefork: { module: fileURLToPath(new URL(module, import.meta.url)), brokerUrl: undefined },
  });
  onTestFinished(async () => {
    await worker.stopNow();
  });
  return { worker, log, hookNames: recorded.names, consumer: broker.consumers[0] as FakeConsumer };
}

test('a worker takes jobs when its children are ready, runs them there, and leaves none behind', async () => {
  const seen: number[] = [];
  const { worker, consumer, hookNames } = setUp({
    hooks: { workerStart: () => void seen.push(worker.children.length) },
  });
  expect(worker.pool).toBe('prefork');
  await worker.start();
  expect(seen).toEqual([0]);
  const pids = worker.children;
  expect(pids).toHaveLength(2);
  const outcome = await consumer.feed(new FakeJob({ task: 'where' }));
  expect(pids).toContain((outcome as { result: { pid: number } }).result.pid);
  expect(await worker.stop()).toEqual({ handedBack: 0, reason: 'stopped' });
  expect(worker.children).toEqual([]);
  // Those of the process run where tasks do.
  expect(hookNames()).toEqual(['workerStart', 'workerStop']);
});

test('it asks for as many jobs as there are children', async () => {
  const { worker, consumer } = setUp();
  await worker.start();
  expect(consumer.sizes.at(-1)).toBe(2);
  process.kill(worker.children[0] as number, 'SIGKILL');
  await waitFor('one job less', () => consumer.sizes.at(-1) === 1);
  await waitFor('both again', () => consumer.sizes.at(-1) === 2);
});

test('a child that cannot load the app keeps the worker from starting, and what was opened is closed', async () => {
  const { worker, consumer, hookNames } = setUp({ module: './nothing.ts' });
  await expect(worker.start()).rejects.toMatchObject({ code: 'APP_NOT_FOUND' });
  expect(consumer.running).toBe(false);
  expect(worker.children).toEqual([]);
  expect(hookNames()).toEqual(['workerStart', 'workerStop']);
});

test('a worker that is stopped while its children start takes no job', async () => {
  const { worker, consumer, hookNames } = setUp();
  const started = worker.start();
  await waitFor('the children', () => worker.children.length === 2);
  const pids = worker.children;
  expect(await worker.stop()).toEqual({ handedBack: 0, reason: 'stopped' });
  await started;
  expect(consumer.running).toBe(false);
  expect(pids.filter(isAlive)).toEqual([]);
  expect(hookNames()).toEqual(['workerStart', 'workerStop']);
});

test('a job that does not end in time is handed back, and its process is killed', async () => {
  const { worker, consumer, log } = setUp();
  await worker.start();
  const outcome = consumer.feed(new FakeJob({ task: 'block' }));
  await waitFor('the job to run', () => log.messages.includes('task started'));
  const pids = worker.children;
  expect(await worker.stop(10)).toEqual({ handedBack: 1, reason: 'timeout' });
  expect(await outcome).toEqual({ kind: 'released' });
  expect(pids.filter(isAlive)).toEqual([]);
});

test('more slots are more children, fewer slots fewer, and running jobs are not disturbed', async () => {
  const { worker, consumer } = setUp();
  await worker.start();
  worker.resize(3);
  expect(worker.concurrency).toBe(3);
  await waitFor('the third child', () => consumer.sizes.at(-1) === 3);
  const outcomes = [500, 500, 500].map((ms) => consumer.feed(new FakeJob({ task: 'hold-for', args: [ms] })));
  await waitFor('all to run', () => worker.running === 3);
  worker.resize(1);
  expect((await Promise.all(outcomes)).map(({ kind }) => kind)).toEqual(['succeeded', 'succeeded', 'succeeded']);
  await waitFor('one child to be left', () => worker.children.length === 1);
  expect(consumer.sizes.at(-1)).toBe(1);
});

test('a limit that an operator gives a task ends its process', async () => {
  const { worker, consumer } = setUp();
  await worker.start();
  worker.setTimeLimits('block', { softTimeLimitMs: undefined, timeLimitMs: 100 });
  expect(await consumer.feed(new FakeJob({ task: 'block' }))).toMatchObject({ error: { code: 'TIME_LIMIT' } });
});
