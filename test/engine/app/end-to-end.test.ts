import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ResultTimeout, TaskFailed, TaskRevoked } from '../../../src/engine/core/errors.ts';
import { context } from '../../../src/engine/task/context.ts';
import { Ignore } from '../../../src/engine/task/exceptions.ts';
import { brokersUnderTest } from '../../support/brokers.ts';
import { waitFor } from '../../support/wait-for.ts';
import { createLiveBench, createStore, type LiveBench } from './live-app.ts';

describe.each(brokersUnderTest())('on $name', (store) => {
  let url: string;
  let bench: LiveBench;
  beforeAll(async () => {
    url = await createStore(store);
  });
  beforeEach(() => {
    bench = createLiveBench(url);
  });
  afterEach(() => bench.close());

  test('a task runs in a worker and its result comes back, converted by its schema on the way', async () => {
    const app = bench.createApp();
    const input = z.object({ at: z.coerce.date<string>(), times: z.number().default(2) });
    const task = app.task('a.task', { input }, ({ at, times }) => ({ ms: at.getTime() * times }));
    await bench.startWorker(app);
    const result = await task.delay({ at: '1970-01-01T00:00:01Z' });
    expect(await result.get({ timeout: '20s' })).toEqual({ ms: 2000 });
    expect(await result.state()).toBe('SUCCESS');
    expect(await result.job()).toMatchObject({ task: 'a.task', queue: bench.queue, worker: 'worker-1', attempts: 1 });
  });

  test('a task that fails twice succeeds on its third attempt', async () => {
    const app = bench.createApp();
    const attempts: number[] = [];
    const retry = { max: 5, delay: 1, jitter: false };
    const task = app.task('flaky', { retry }, () => {
      attempts.push(context().attempt);
      if (attempts.length < 3) throw new Error('busy');
      return 'made it';
    });
    await bench.startWorker(app);
    const result = await task.delay();
    expect(await result.get({ timeout: '20s' })).toBe('made it');
    expect(attempts).toEqual([1, 2, 3]);
    expect(await result.attempts()).toBe(3);
  });

  test('a task whose retries are spent is a dead letter, and get() throws what the worker stored', async () => {
    const app = bench.createApp();
    class QuotaError extends Error {
      override readonly name = 'QuotaError';
      readonly code = 'E_QUOTA';
    }
    const task = app.task('failing', { retry: { max: 1, delay: 1 } }, () => {
      throw new QuotaError('no quota left');
    });
    await bench.startWorker(app);
    const result = await task.delay();
    const error: unknown = await result.get({ timeout: '20s' }).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(TaskFailed);
    const { cause } = error as TaskFailed;
    expect(cause).toMatchObject({ name: 'QuotaError', code: 'E_QUOTA', message: 'no quota left' });
    expect((cause as Error).stack).toMatch(/^QuotaError \[E_QUOTA\]: no quota left\n\s+at .*end-to-end\.test\.ts/);
    expect(await result.state()).toBe('FAILURE');
    expect(await result.error()).toMatchObject({ name: 'QuotaError', code: 'E_QUOTA' });
    expect(await result.job()).toMatchObject({ attempts: 2, stacks: [expect.any(String), expect.any(String)] });
  });

  test('get() with a timeout says that the job is still waiting, and waits for it the next time', async () => {
    const app = bench.createApp();
    const task = app.task('late', () => 'at last');
    const result = await task.delay();
    const error: unknown = await result.get({ timeout: 50 }).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(ResultTimeout);
    expect((error as ResultTimeout).message).toBe(`waited 50 ms for job ${result.id}, it is PENDING`);
    const waiting = result.get({ timeout: '20s' });
    await bench.startWorker(app);
    expect(await waiting).toBe('at last');
  });

  test('a job that has expired is revoked and never runs', async () => {
    const app = bench.createApp();
    let ran = false;
    const task = app.task('stale', () => {
      ran = true;
    });
    const result = await task.apply([], { expires: new Date(Date.now() - 1000) });
    await bench.startWorker(app);
    await expect(result.get({ timeout: '20s' })).rejects.toThrow(TaskRevoked);
    expect(await result.state()).toBe('REVOKED');
    expect(ran).toBe(false);
  });

  test('a job that its task ignores ends as IGNORED, with null for a result', async () => {
    const app = bench.createApp();
    const task = app.task('picky', () => {
      throw new Ignore('not mine');
    });
    await bench.startWorker(app);
    const result = await task.delay();
    expect(await result.get({ timeout: '20s' })).toBeNull();
    expect(await result.job()).toMatchObject({ state: 'IGNORED', reason: 'not mine', error: null });
  });

  test('a job with a countdown is SCHEDULED until it is due', async () => {
    const app = bench.createApp();
    const task = app.task('later', () => 'ran');
    const result = await task.apply([], { countdown: '1h' });
    expect(await result.state()).toBe('SCHEDULED');
    const { createdAt, dueAt } = (await result.job()) ?? {};
    expect(dueAt).toBe((createdAt ?? 0) + 3_600_000);
    const soon = await task.apply([], { countdown: 20 });
    await bench.startWorker(app);
    expect(await soon.get({ timeout: '20s' })).toBe('ran');
  });

  test('a call with an id that is stored already does nothing', async () => {
    const app = bench.createApp();
    const inputs: unknown[] = [];
    const task = app.task('once', (input: string) => inputs.push(input));
    const [first, second] = [
      await task.apply(['first'], { id: 'order-17' }),
      await task.apply(['second'], { id: 'order-17' }),
    ];
    await bench.startWorker(app, { burst: true });
    expect(await first.get({ timeout: '20s' })).toBe(1);
    expect(await second.get({ timeout: '20s' })).toBe(1);
    expect(inputs).toEqual(['first']);
  });

  test('forget() removes a result, but no job that is still to run', async () => {
    const app = bench.createApp();
    const task = app.task('a.task', () => 1);
    const result = await task.delay();
    expect(await result.forget()).toBe(false);
    await bench.startWorker(app);
    await result.get({ timeout: '20s' });
    expect(await result.forget()).toBe(true);
    expect(await result.state()).toBe('UNKNOWN');
    await expect(result.get()).rejects.toMatchObject({ code: 'UNKNOWN_JOB' });
  });

  test('results are kept as long as the call says', async () => {
    const app = bench.createApp();
    const task = app.task('a.task', () => 1);
    await bench.startWorker(app);
    const usual = await task.delay();
    await usual.get({ timeout: '20s' });
    const short = await task.apply([], { resultExpires: '1s' });
    const none = await task.apply([], { ignoreResult: true });
    expect(await short.get({ timeout: '20s' })).toBe(1);
    expect(await short.state()).toBe('SUCCESS');
    await waitFor('the result that is not kept to be gone', async () => (await none.state()) === 'UNKNOWN');
    await waitFor('the short result to expire', async () => (await short.state()) === 'UNKNOWN');
    expect(await usual.state()).toBe('SUCCESS');
  });

  test('progress is seen while the job runs', async () => {
    const app = bench.createApp();
    const { promise: reported, resolve: report } = Promise.withResolvers<void>();
    const { promise: seen, resolve: finish } = Promise.withResolvers<void>();
    const task = app.task('slow', async () => {
      await context().progress({ done: 3, of: 10 });
      report();
      await seen;
    });
    await bench.startWorker(app);
    const result = await task.delay();
    await reported;
    expect(await result.progress()).toEqual({ done: 3, of: 10 });
    expect(await result.state()).toBe('STARTED');
    finish();
    await result.get({ timeout: '20s' });
    expect(await result.progress()).toEqual({ done: 3, of: 10 });
  });

  test('a task calls another, which knows where it comes from', async () => {
    const app = bench.createApp();
    const child = app.task('child', (n: number) => {
      const { requestId, rootId, parentId, headers } = context();
      return { n, requestId, rootId, parentId, headers };
    });
    const parent = app.task('parent', async () => (await child.apply([7], { headers: { tenant: 'a' } })).id);
    await bench.startWorker(app);
    const result = await parent.apply([], { requestId: 'request-1' });
    const childId = await result.get({ timeout: '20s' });
    expect(await app.result(childId).get({ timeout: '20s' })).toEqual({
      n: 7,
      requestId: 'request-1',
      rootId: result.id,
      parentId: result.id,
      headers: { tenant: 'a' },
    });
  });

  test('a graceful stop hands back a running job, and another worker finishes it on the same attempt', async () => {
    const app = bench.createApp();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const runs: { worker: string; attempt: number }[] = [];
    const task = app.task('long', async () => {
      const { worker, attempt, signal } = context();
      runs.push({ worker, attempt });
      begin();
      if (worker === 'worker-2') return 'finished';
      return new Promise<string>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    });
    const first = await bench.startWorker(app);
    const result = await task.delay();
    await begun;
    expect(await first.stop(0)).toEqual({ handedBack: 1, reason: 'timeout' });
    expect(await result.state()).toBe('PENDING');
    await bench.startWorker(app);
    expect(await result.get({ timeout: '20s' })).toBe('finished');
    expect(runs).toEqual([
      { worker: 'worker-1', attempt: 1 },
      { worker: 'worker-2', attempt: 1 },
    ]);
    expect(await result.attempts()).toBe(1);
  });

  test('a job of a task that no worker here knows runs once a newer worker comes', async () => {
    const options = { unknownTasks: { max: 1000, delay: 50, jitter: false, backoff: 'fixed' as const } };
    const old = bench.createApp(options);
    const newer = bench.createApp(options);
    newer.task('new.task', () => context().attempt);
    await bench.startWorker(old);
    const result = await old.send<number>('new.task');
    await waitFor('the old worker to put it back', async () => (await result.job())?.worker === 'worker-1');
    await bench.startWorker(newer);
    expect(await result.get({ timeout: '20s' })).toBe(1);
  });

  test('two workers share one queue and every one of 1000 jobs runs once', async () => {
    const app = bench.createApp();
    const runs = new Map<number, string[]>();
    const { promise: bothTake, resolve: go } = Promise.withResolvers<void>();
    const takers = new Set<string>();
    const task = app.task('count', async (n: number) => {
      const { worker } = context();
      runs.set(n, [...(runs.get(n) ?? []), worker]);
      if (takers.add(worker).size === 2) go();
      await bothTake;
      return n;
    });
    const results = await task.bulk(Array.from({ length: 1000 }, (_, n): [number] => [n]));
    await Promise.all([bench.startWorker(app, { concurrency: 10 }), bench.startWorker(app, { concurrency: 10 })]);
    const numbers = Array.from({ length: 1000 }, (_, n) => n);
    expect(await Promise.all(results.map((result) => result.get({ timeout: '25s' })))).toEqual(numbers);
    expect([...runs.keys()].toSorted((a, b) => a - b)).toEqual(numbers);
    expect([...runs.values()].every((workers) => workers.length === 1)).toBe(true);
    expect([...takers].toSorted()).toEqual(['worker-1', 'worker-2']);
  });

  test('a burst worker runs what waits, also what its jobs call, and ends', async () => {
    const app = bench.createApp();
    const seen: number[] = [];
    const task = app.task('countdown', async (n: number) => {
      seen.push(n);
      if (n > 0) await task.delay(n - 1);
    });
    await task.bulk([[3], [10]]);
    const worker = await bench.startWorker(app, { burst: true, concurrency: 1 });
    expect(await worker.ended).toEqual({ handedBack: 0, reason: 'empty' });
    expect(seen.toSorted((a, b) => a - b)).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('priorities that an app declares hold: 9 runs first', async () => {
    const app = bench.createApp({ queues: [{ name: bench.queue, priorities: true }] });
    const order: number[] = [];
    const task = app.task('ranked', (n: number) => void order.push(n));
    for (const n of [0, 5, 9, 3]) await task.apply([n], { priority: n });
    await task.apply([-1]);
    await (await bench.startWorker(app, { burst: true, concurrency: 1 })).ended;
    expect(order).toEqual([9, 5, 3, 0, -1]);
  });

  test('a burst also runs the jobs whose time has come', async () => {
    const app = bench.createApp();
    const task = app.task('due', (n: number) => n);
    const results = await Promise.all([1, 2, 3, 4, 5].map((n) => task.apply([n], { countdown: '1ms' })));
    const queue = (await app.broker()).queue(bench.queue);
    await waitFor('all jobs to be due', async () =>
      (await queue.listScheduled(0, 5)).every(({ dueAt }) => dueAt !== null && dueAt < Date.now()),
    );
    await (await bench.startWorker(app, { burst: true, concurrency: 2 })).ended;
    expect(await Promise.all(results.map((result) => result.state()))).toEqual(Array(5).fill('SUCCESS'));
  });

  test('an error whose text no store can hold is kept with its job all the same', async () => {
    const app = bench.createApp();
    const task = app.task('odd', () => {
      throw new Error('bad \0 byte and \ud800 half');
    });
    const result = await task.delay();
    await (await bench.startWorker(app, { burst: true })).ended;
    expect(await result.error()).toMatchObject({ message: 'bad \\0 byte and \ufffd half' });
    expect(await result.attempts()).toBe(1);
  });

  test('a stack shows the application, not what called it', async () => {
    const app = bench.createApp();
    const result = await app
      .task('thrower', () => {
        throw new Error('here');
      })
      .delay();
    await (await bench.startWorker(app, { burst: true })).ended;
    const stack = (await result.error())?.stack ?? '';
    expect(stack).toMatch(/^Error: here\n\s+at .*end-to-end\.test\.ts/);
    expect(stack).not.toContain('/engine/worker/');
  });

  test('hooks of the application run in the worker, once a worker and once a job', async () => {
    const calls: string[] = [];
    const app = bench.createApp({
      hooks: {
        workerStart: ({ worker }) => void calls.push(`start ${worker}`),
        taskSuccess: ({ task, result }) => void calls.push(`${task} gave ${result}`),
        taskDead: ({ task, error }) => void calls.push(`${task} died of ${error.name}`),
        workerStop: ({ worker }) => void calls.push(`stop ${worker}`),
      },
    });
    await app.task('good', () => 5).delay();
    await app
      .task('bad', () => {
        throw new RangeError('no');
      })
      .delay();
    await (await bench.startWorker(app, { burst: true, concurrency: 1 })).ended;
    expect(calls).toEqual(['start worker-1', 'good gave 5', 'bad died of RangeError', 'stop worker-1']);
  });
});
