import { expect, onTestFinished, test, vi } from 'vitest';
import { parseRetry } from '../../../src/engine/core/retry-policy.ts';
import { context } from '../../../src/engine/task/context.ts';
import { Worker } from '../../../src/engine/worker/worker.ts';
import type { WorkerSettings } from '../../../src/engine/worker/worker-settings.ts';
import { define } from './executor-setup.ts';
import { FakeBroker, type FakeConsumer } from './fake-broker.ts';
import { FakeJob } from './fake-job.ts';
import { createFakeClock, recordHooks, recordLog } from './recorded.ts';

const untilAborted = (): Promise<unknown> => {
  const { signal } = context();
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
};

async function start(options: Partial<WorkerSettings> = {}) {
  const broker = new FakeBroker();
  const log = recordLog();
  const worker = new Worker({
    worker: 'tq@test',
    broker,
    tasks: new Map([['a.task', define('a.task', { timeLimit: '1h' }, untilAborted)]]),
    queues: [{ name: 'high', weight: 1 }],
    order: 'strict',
    concurrency: 4,
    clock: createFakeClock(),
    logger: log.logger,
    random: () => 0.5,
    unknownTasks: parseRetry({}, 'unknownTasks'),
    maxWorkerLost: 3,
    lockDurationMs: 30_000,
    shutdownTimeoutMs: 25_000,
    keepResultSeconds: 60,
    burst: false,
    ...options,
    hooks: recordHooks().hooks,
  });
  onTestFinished(async () => {
    await worker.stopNow();
  });
  await worker.start();
  return { worker, broker, log, consumer: broker.consumers[0] as FakeConsumer };
}

test('the number of slots of a running worker changes', async () => {
  const { worker, consumer } = await start();
  worker.resize(7);
  expect({ concurrency: worker.concurrency, asked: consumer.sizes }).toEqual({ concurrency: 7, asked: [7] });
  for (const wrong of [0, 1.5, 10_001, Number.NaN]) {
    expect(() => worker.resize(wrong)).toThrow('concurrency of the worker must be a whole number from 1 to 10000');
  }
  expect(worker.concurrency).toBe(7);
});

test('queues are added last and removed', async () => {
  const { worker, consumer } = await start();
  expect(await worker.addQueue('low')).toBe(true);
  expect(await worker.addQueue('low')).toBe(false);
  expect(worker.queues).toEqual(['high', 'low']);
  expect(await worker.removeQueue('high')).toBe(true);
  expect(await worker.removeQueue('high')).toBe(false);
  expect(await worker.removeQueue('low')).toBe(true);
  expect(worker.queues).toEqual([]);
  expect(consumer.queueChanges).toEqual(['+low', '-high', '-low']);
});

test('a queue that the worker may not serve is refused', async () => {
  const { worker, consumer } = await start({
    parseQueue(text) {
      throw new Error(`no queue ${text}`);
    },
  });
  await expect(worker.addQueue('wrong')).rejects.toThrow('no queue wrong');
  expect({ queues: worker.queues, changes: consumer.queueChanges }).toEqual({ queues: ['high'], changes: [] });
});

test('a queue that cannot be connected is not served', async () => {
  const { worker, broker } = await start();
  broker.failures.addQueue = new Error('away');
  await expect(worker.addQueue('low')).rejects.toThrow('away');
  expect(worker.queues).toEqual(['high']);
});

test('a burst ends when the queue that still has jobs is removed', async () => {
  const { worker, broker, consumer } = await start({ burst: true, queues: [{ name: 'full', weight: 1 }] });
  broker.queue('full').waiting.push(new FakeJob());
  consumer.findNothing();
  await worker.removeQueue('full');
  expect(await worker.ended).toEqual({ handedBack: 0, reason: 'empty' });
});

test('slots that change by need cannot be set by hand, and bounds need autoscale', async () => {
  const { worker: scaled } = await start({ autoscale: { max: 6, min: 4 } });
  expect(() => scaled.resize(5)).toThrow(expect.objectContaining({ code: 'AUTOSCALE_ON' }));
  scaled.setAutoscale({ max: 9, min: 5 });
  expect({ bounds: scaled.autoscale, slots: scaled.concurrency }).toEqual({ bounds: { max: 9, min: 5 }, slots: 5 });
  expect(() => scaled.setAutoscale({ max: 2, min: 3 })).toThrow('at most its max, 2');
  const { worker: fixed } = await start();
  expect(() => fixed.setAutoscale({ max: 9, min: 5 })).toThrow(expect.objectContaining({ code: 'AUTOSCALE_OFF' }));
  expect(fixed.autoscale).toBeUndefined();
});

test('a worker with autoscale grows when its slots are busy and jobs wait, and not for those of a paused queue', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const { worker, broker, consumer } = await start({ concurrency: 1, autoscale: { max: 3, min: 1 } });
  const queue = broker.queue('high');
  void consumer.feed(new FakeJob({ task: 'a.task' }));
  queue.waiting.push(...Array.from({ length: 5 }, () => new FakeJob()));
  queue.paused = true;
  await vi.advanceTimersByTimeAsync(1000);
  expect(worker.concurrency).toBe(1);
  queue.paused = false;
  await vi.advanceTimersByTimeAsync(1000);
  expect({ slots: worker.concurrency, asked: consumer.sizes }).toEqual({ slots: 3, asked: [3] });
});

test('limits of a task are replaced for attempts that begin after that, and may be removed', async () => {
  const { worker, consumer } = await start({ timeLimitMs: 20 });
  worker.setTimeLimits('a.task', { softTimeLimitMs: 5, timeLimitMs: undefined });
  expect(await consumer.feed(new FakeJob({ task: 'a.task' }))).toMatchObject({ error: { code: 'SOFT_TIME_LIMIT' } });
  // The limit of the worker holds where the task has none any more.
  worker.setTimeLimits('a.task', { softTimeLimitMs: undefined, timeLimitMs: undefined });
  expect(await consumer.feed(new FakeJob({ task: 'a.task' }))).toMatchObject({ error: { code: 'TIME_LIMIT' } });
  expect(() => worker.setTimeLimits('b.task', { softTimeLimitMs: 5, timeLimitMs: 6 })).toThrow(
    expect.objectContaining({ code: 'UNKNOWN_TASK' }),
  );
  expect(() => worker.setTimeLimits('a.task', { softTimeLimitMs: 6, timeLimitMs: 6 })).toThrow('task "a.task"');
});

test('jobs of two queues that have the same number are held side by side', async () => {
  const { worker, consumer } = await start({ queues: ['high', 'low'].map((name) => ({ name, weight: 1 })) });
  const ended = ['high', 'low'].map((queue) => consumer.feed(new FakeJob({ id: '1', queue })));
  await vi.waitFor(() => expect(worker.running).toBe(2));
  expect(worker.listHeld().map(({ id, queue, pid }) => ({ id, queue, pid }))).toEqual([
    { id: '1', queue: 'high', pid: process.pid },
    { id: '1', queue: 'low', pid: process.pid },
  ]);
  await worker.stopNow();
  await Promise.all(ended);
  expect(worker.listHeld()).toEqual([]);
});

test('a worker that is stopped at once does not wait for a broker that does not say whether a job may start', async () => {
  const tasks = new Map([['a.task', define('a.task', { concurrency: 1 }, untilAborted)]]);
  const { worker, broker, consumer } = await start({ tasks });
  Object.assign(broker.state, { occupy: () => new Promise(() => {}) });
  const outcome = consumer.feed(new FakeJob());
  expect(await worker.stopNow()).toEqual({ handedBack: 0, reason: 'cold' });
  expect(await outcome).toEqual({ kind: 'released' });
});

test('a job that is revoked while it is decided whether it may start ends, and is not held', async () => {
  const tasks = new Map([['a.task', define('a.task', { concurrency: 1 }, untilAborted)]]);
  const { worker, broker, consumer } = await start({ tasks });
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<{ taken: boolean; free: number; leftMs: number }>();
  Object.assign(broker.state, {
    occupy() {
      asked.resolve();
      return answer.promise;
    },
  });
  const outcome = consumer.feed(new FakeJob({ queue: 'high' }));
  await asked.promise;
  const jobs = [{ id: 'job-1', queue: 'high', worker: 'tq@test' }];
  const receipts = worker.revoke({ jobs, revocation: { at: 0, by: null }, terminate: false, graceMs: 10_000 });
  answer.resolve({ taken: false, free: 0, leftMs: 1000 });
  expect(await receipts).toMatchObject([{ happened: 'never started' }]);
  expect(await outcome).toMatchObject({ kind: 'ended', state: 'REVOKED' });
});

test('a worker with autoscale does not grow for a job that may not start yet', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const tasks = new Map([['a.task', define('a.task', { concurrency: 1 }, untilAborted)]]);
  const { worker, broker, consumer } = await start({ tasks, concurrency: 1, autoscale: { max: 3, min: 1 } });
  broker.queue('high').waiting.push(new FakeJob({ id: 'w1' }), new FakeJob({ id: 'w2' }));
  const answer = Promise.withResolvers<{ taken: boolean; free: number; leftMs: number }>();
  Object.assign(broker.state, { occupy: () => answer.promise });
  void consumer.feed(new FakeJob({ queue: 'high' }));
  await vi.advanceTimersByTimeAsync(1000);
  expect(worker.concurrency).toBe(1);
  answer.resolve({ taken: true, free: 0, leftMs: 1000 });
  await vi.advanceTimersByTimeAsync(1000);
  expect(worker.concurrency).toBe(3);
});
