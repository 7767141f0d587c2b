import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createError } from '../../../src/engine/core/errors.ts';
import { parseRetry } from '../../../src/engine/core/retry-policy.ts';
import type { Hooks } from '../../../src/engine/events/hooks.ts';
import { context } from '../../../src/engine/task/context.ts';
import type { TaskDefinition } from '../../../src/engine/task/definition.ts';
import { Worker } from '../../../src/engine/worker/worker.ts';
import type { WorkerEnd, WorkerSettings } from '../../../src/engine/worker/worker-settings.ts';
import { define } from './executor-setup.ts';
import { FakeBroker, type FakeConsumer } from './fake-broker.ts';
import { FakeJob } from './fake-job.ts';
import { createFakeClock, recordHooks, recordLog } from './recorded.ts';

function setUp(
  handler: TaskDefinition['handler'] = () => 'done',
  { hooks, ...options }: Partial<WorkerSettings> & { readonly hooks?: Hooks } = {},
) {
  const broker = new FakeBroker();
  const log = recordLog();
  const recorded = recordHooks(hooks);
  const worker = new Worker({
    worker: 'tq@test',
    broker,
    tasks: new Map([['a.task', define('a.task', {}, handler)]]),
    queues: [
      { name: 'high', weight: 1 },
      { name: 'low', weight: 1 },
    ],
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
    hooks: recorded.hooks,
  });
  const consumer = broker.consumers[0] as FakeConsumer;
  return { broker, consumer, log, worker, calls: recorded.calls, hookNames: recorded.names };
}

/** A task that ends when the test says so, and does not listen to its signal. */
function createDeafTask() {
  const { promise, resolve: finish } = Promise.withResolvers<string>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const handler = (): Promise<string> => {
    begin();
    return promise;
  };
  return { handler, begun, finish: () => finish('done') };
}

describe('a worker that starts', () => {
  test('calls workerStart and processStart, then takes jobs', async () => {
    const seen: boolean[] = [];
    const look = (): void => void seen.push(bench.consumer.running);
    const hooks: Hooks = { workerStart: look, processStart: look };
    const bench = setUp(undefined, { hooks });
    await bench.worker.start();
    expect(seen).toEqual([false, false]);
    expect(bench.consumer.running).toBe(true);
    const event = { worker: 'tq@test', queues: ['high', 'low'] };
    expect(bench.calls).toEqual([
      { name: 'workerStart', event },
      { name: 'processStart', event },
    ]);
    expect(await bench.consumer.feed(new FakeJob())).toEqual({ kind: 'succeeded', result: 'done' });
  });

  test('tells the consumer what it was told', () => {
    const { consumer, worker } = setUp();
    expect(consumer.options).toMatchObject({
      queues: [
        { name: 'high', weight: 1 },
        { name: 'low', weight: 1 },
      ],
      order: 'strict',
      concurrency: 4,
      workerName: 'tq@test',
      lockDurationMs: 30_000,
      maxWorkerLost: 3,
      keepResultSeconds: 60,
    });
    expect(worker).toMatchObject({ name: 'tq@test', queues: ['high', 'low'], concurrency: 4, running: 0 });
  });

  test('does not start when workerStart throws, and calls workerStop for what was opened', async () => {
    const hooks: Hooks = {
      workerStart: () => {
        throw new Error('no database');
      },
    };
    const { worker, consumer, hookNames } = setUp(undefined, { hooks });
    await expect(worker.start()).rejects.toThrow('no database');
    expect(consumer.running).toBe(false);
    expect(consumer.stopped).toBe(true);
    expect(hookNames()).toEqual(['workerStart', 'workerStop']);
  });

  test('does not start when processStart throws, and closes what both have opened', async () => {
    const hooks: Hooks = { processStart: () => Promise.reject(new Error('no database')) };
    const { worker, consumer, hookNames } = setUp(undefined, { hooks });
    await expect(worker.start()).rejects.toThrow('no database');
    expect(consumer.running).toBe(false);
    expect(hookNames()).toEqual(['workerStart', 'processStart', 'processStop', 'workerStop']);
  });

  test('does not start without its broker, and calls processStop and workerStop', async () => {
    const { worker, broker, hookNames } = setUp();
    broker.failures.run = new Error('cannot connect to the broker');
    await expect(worker.start()).rejects.toThrow('cannot connect to the broker');
    expect(hookNames()).toEqual(['workerStart', 'processStart', 'processStop', 'workerStop']);
  });

  test('takes no job when it was stopped while workerStart ran, and calls workerStop after it', async () => {
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    const { worker, consumer, hookNames } = setUp(undefined, { hooks: { workerStart: () => opened } });
    const started = worker.start();
    const ended = worker.stop();
    await nextTurn();
    expect(hookNames()).toEqual(['workerStart']);
    open();
    await started;
    expect(await ended).toEqual({ handedBack: 0, reason: 'stopped' });
    expect(consumer.running).toBe(false);
    expect(hookNames()).toEqual(['workerStart', 'workerStop']);
  });

  test('that was stopped before it started opens nothing and closes nothing', async () => {
    const { worker, consumer, hookNames } = setUp();
    await worker.stop();
    await worker.start();
    expect(consumer.running).toBe(false);
    expect(hookNames()).toEqual([]);
  });
});

describe('a worker that stops', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('waits for the running jobs, takes no other, then calls workerStop', async () => {
    const deaf = createDeafTask();
    const { worker, consumer, hookNames } = setUp(deaf.handler);
    await worker.start();
    const outcome = consumer.feed(new FakeJob());
    await deaf.begun;
    expect(worker.running).toBe(1);
    const ended = worker.stop();
    expect(await consumer.feed(new FakeJob({ id: 'job-2' }))).toEqual({ kind: 'released' });
    expect(hookNames()).not.toContain('workerStop');
    deaf.finish();
    expect(await outcome).toEqual({ kind: 'succeeded', result: 'done' });
    expect(await ended).toEqual({ handedBack: 0, reason: 'stopped' });
    expect(hookNames()).toEqual([
      'workerStart',
      'processStart',
      'taskStart',
      'taskSuccess',
      'processStop',
      'workerStop',
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('aborts the signals when the shutdown timeout has passed, and hands back the jobs that give up', async () => {
    const reasons: unknown[] = [];
    const { worker, consumer } = setUp(async () => {
      const { signal } = context();
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      reasons.push((signal.reason as { code?: unknown }).code);
      signal.throwIfAborted();
    });
    await worker.start();
    const outcome = consumer.feed(new FakeJob());
    await nextTurn();
    const ended = worker.stop();
    await vi.advanceTimersByTimeAsync(24_999);
    expect(reasons).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(await outcome).toEqual({ kind: 'released' });
    expect(reasons).toEqual(['WORKER_STOPPING']);
    expect(await ended).toEqual({ handedBack: 1, reason: 'timeout' });
  });

  test('hands back the jobs of tasks that do not listen a second after their signals', async () => {
    const deaf = createDeafTask();
    const { worker, consumer } = setUp(deaf.handler);
    await worker.start();
    const outcome = consumer.feed(new FakeJob());
    await deaf.begun;
    const ended = worker.stop(100);
    await vi.advanceTimersByTimeAsync(1099);
    expect(worker.running).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(await outcome).toEqual({ kind: 'released' });
    expect(await ended).toEqual({ handedBack: 1, reason: 'timeout' });
    deaf.finish();
  });

  test('does not wait any longer once it is told to stop now', async () => {
    const deaf = createDeafTask();
    const { worker, consumer } = setUp(deaf.handler);
    await worker.start();
    const outcome = consumer.feed(new FakeJob());
    await deaf.begun;
    const ended = worker.stop();
    await vi.advanceTimersByTimeAsync(5000);
    const endedNow = worker.stopNow();
    await vi.advanceTimersByTimeAsync(1000);
    expect(await outcome).toEqual({ kind: 'released' });
    expect(await ended).toEqual({ handedBack: 1, reason: 'cold' });
    expect(await endedNow).toBe(await ended);
    expect(vi.getTimerCount()).toBe(0);
    deaf.finish();
  });

  test('does not wait at all when it is told to stop now first', async () => {
    const { worker, consumer } = setUp(async () => {
      const { signal } = context();
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
    });
    await worker.start();
    const outcome = consumer.feed(new FakeJob());
    await nextTurn();
    const ended = worker.stopNow();
    expect(await outcome).toEqual({ kind: 'released' });
    expect(await ended).toEqual({ handedBack: 1, reason: 'cold' });
  });

  test('stops once, however often it is told', async () => {
    const { worker, hookNames } = setUp();
    await worker.start();
    const ends = await Promise.all([worker.stop(), worker.stop(0), worker.ended]);
    expect(new Set(ends).size).toBe(1);
    expect(hookNames()).toEqual(['workerStart', 'processStart', 'processStop', 'workerStop']);
  });

  test('ends although processStop or workerStop throws or its connections do not end, and says so in the log', async () => {
    const hooks: Hooks = {
      processStop: () => Promise.reject(new Error('the cache is stuck')),
      workerStop: () => Promise.reject(new Error('the database is stuck')),
    };
    const { worker, broker, log } = setUp(undefined, { hooks });
    broker.failures.stop = new Error('the broker is gone');
    await worker.start();
    expect(await worker.stop()).toEqual({ handedBack: 0, reason: 'stopped' });
    expect(log.lines).toMatchObject([
      {
        level: 'ERROR',
        message: 'could not end the connections of the worker',
        err: { message: 'the broker is gone' },
      },
      { level: 'ERROR', message: 'the hook processStop failed', err: { message: 'the cache is stuck' } },
      { level: 'ERROR', message: 'the hook workerStop failed', err: { message: 'the database is stuck' } },
    ]);
  });

  test('does not pass a shutdown timeout at once that is longer than a timer can wait', async () => {
    const deaf = createDeafTask();
    const { worker, consumer } = setUp(deaf.handler, { shutdownTimeoutMs: 30 * 86_400_000 });
    await worker.start();
    const outcome = consumer.feed(new FakeJob());
    await deaf.begun;
    const ended = worker.stop();
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(worker.running).toBe(1);
    deaf.finish();
    expect(await outcome).toMatchObject({ kind: 'succeeded' });
    expect(await ended).toMatchObject({ reason: 'stopped' });
  });
});

describe('a worker in burst mode', () => {
  const EMPTY: WorkerEnd = { handedBack: 0, reason: 'empty' };

  test('ends at once when nothing waits', async () => {
    const { worker, hookNames } = setUp(undefined, { burst: true });
    await worker.start();
    expect(await worker.ended).toEqual(EMPTY);
    expect(hookNames()).toEqual(['workerStart', 'processStart', 'processStop', 'workerStop']);
  });

  test('goes on while a job waits in any of its queues, and ends after the last', async () => {
    const { worker, broker, consumer } = setUp(undefined, { burst: true });
    const waiting = new FakeJob({ queue: 'low' });
    broker.queue('low').waiting.push(waiting);
    await worker.start();
    consumer.findNothing();
    await nextTurn();
    expect(consumer.stopped).toBe(false);
    broker.queue('low').waiting.pop();
    expect(await consumer.feed(waiting)).toEqual({ kind: 'succeeded', result: 'done' });
    expect(await worker.ended).toEqual(EMPTY);
  });

  test('goes on while a job runs', async () => {
    const deaf = createDeafTask();
    const { worker, broker, consumer } = setUp(deaf.handler, { burst: true });
    broker.queue('high').waiting.push(new FakeJob());
    await worker.start();
    const outcome = consumer.feed(new FakeJob());
    broker.queue('high').waiting.pop();
    consumer.findNothing();
    await nextTurn();
    expect(consumer.stopped).toBe(false);
    deaf.finish();
    await outcome;
    expect(await worker.ended).toEqual(EMPTY);
  });

  test('still runs a job that was on its way when its queues looked empty', async () => {
    const { worker, consumer } = setUp(undefined, { burst: true });
    await worker.start();
    await vi.waitFor(() => expect(consumer.stopped).toBe(true));
    expect(await consumer.feed(new FakeJob())).toEqual({ kind: 'succeeded', result: 'done' });
    expect(await worker.ended).toEqual(EMPTY);
  });

  test('goes on when it cannot look, and looks again when it is idle the next time', async () => {
    const { worker, broker, consumer, log } = setUp(undefined, { burst: true });
    broker.failures.counts = new Error('the broker is away');
    await worker.start();
    await vi.waitFor(() => expect(log.messages).toContain('could not look whether the queues are empty'));
    expect(consumer.stopped).toBe(false);
    delete broker.failures.counts;
    consumer.findNothing();
    expect(await worker.ended).toEqual(EMPTY);
  });

  test('is not meant without being asked for: an idle worker waits for jobs', async () => {
    const { worker, consumer } = setUp();
    await worker.start();
    consumer.findNothing();
    await nextTurn();
    expect(consumer.stopped).toBe(false);
    await worker.stop();
  });
});

test("the broker's troubles and its return stand in the log", () => {
  const { consumer, log } = setUp();
  consumer.options.onTrouble(new Error('cannot connect to the broker'), '');
  consumer.options.onTrouble(new Error('could not renew'), 'high');
  consumer.options.onRecovered(1234.5);
  expect(log.lines).toMatchObject([
    { level: 'ERROR', message: 'cannot connect to the broker', err: { message: 'cannot connect to the broker' } },
    { level: 'ERROR', message: 'could not renew', queue: 'high' },
    { level: 'INFO', message: 'the broker answers again', down_ms: 1235 },
  ]);
  expect(log.lines[0]).not.toHaveProperty('queue');
});

describe('the health of a worker', () => {
  test('is not ready before it has started and from the first moment of its stop on', async () => {
    const { worker } = setUp();
    expect(worker.health).toMatchObject({ live: true, ready: false, phase: 'starting' });
    await worker.start();
    expect(worker.health).toMatchObject({ live: true, ready: true, phase: 'running' });
    const ended = worker.stop();
    expect(worker.health).toMatchObject({ live: true, ready: false, phase: 'stopping' });
    await ended;
    expect(worker.health).toMatchObject({ ready: false, phase: 'stopping' });
  });

  test('follows the broker, but no other trouble', async () => {
    const { worker, consumer } = setUp();
    await worker.start();
    consumer.options.onTrouble(new Error('a lock was lost'), 'high');
    expect(worker.health.ready).toBe(true);
    const facts = { url: 'redis://host', doing: 'working', reason: 'gone', causes: 'start it' };
    consumer.options.onTrouble(createError('BROKER_UNAVAILABLE', facts), '');
    expect(worker.health).toMatchObject({ live: true, ready: false, components: { broker: { ok: false } } });
    consumer.options.onRecovered(5);
    expect(worker.health).toMatchObject({ ready: true, components: { broker: { ok: true } } });
  });

  test('is not live when it takes none of the jobs that wait for two lock durations, unless its slots are full', async () => {
    vi.useFakeTimers();
    try {
      const clock = createFakeClock();
      const task = createDeafTask();
      const { worker, broker, consumer } = setUp(task.handler, { clock, concurrency: 1, lockDurationMs: 5000 });
      const pass = async (ms: number): Promise<void> => {
        for (let passed = 0; passed < ms; passed += 500) {
          clock.advance(500);
          await vi.advanceTimersByTimeAsync(500);
        }
      };
      await worker.start();
      const fed = consumer.feed(new FakeJob());
      broker.queue('low').waiting.push(new FakeJob());
      await pass(20_000);
      expect(worker.health.live).toBe(true);
      task.finish();
      await fed;
      await pass(20_000);
      expect(worker.health).toMatchObject({ live: false, ready: false, components: { fetch: { ok: false } } });
      await worker.stop();
    } finally {
      vi.useRealTimers();
    }
  });
});
