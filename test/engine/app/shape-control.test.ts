import { describe, expect, expectTypeOf, test } from 'vitest';
import { createApp } from '../../../src/engine/app/create-app.ts';
import type { NewTimeLimits, SlotRange } from '../../../src/engine/app/shape-control.ts';
import type { Replies } from '../../../src/engine/app/worker-replies.ts';
import type { PoolReply } from '../../../src/engine/control/replies.ts';
import { prepareSqliteBenches } from './sqlite-benches.ts';

const setUp = prepareSqliteBenches();

const refusal = (code: string) => ({ error: { code, message: expect.stringMatching(/./) } });

describe('an application changes its running workers', () => {
  test('gives one of them slots, and takes them from all', async () => {
    const bench = setUp();
    const app = bench.createApp();
    const workers = [
      await bench.startWorker(app, { concurrency: 2 }),
      await bench.startWorker(app, { concurrency: 2 }),
    ];
    const grown = await app.control.growPool(3, { destinations: ['worker-2'] });
    expectTypeOf(grown).toEqualTypeOf<Replies<PoolReply>>();
    expect(grown).toEqual({ workers: { 'worker-2': { concurrency: 5 } }, silent: [] });
    expect(workers.map(({ concurrency }) => concurrency)).toEqual([2, 5]);
    expect(await app.control.growPool()).toMatchObject({ workers: { 'worker-1': { concurrency: 3 } } });
    expect(await app.control.shrinkPool()).toMatchObject({ workers: { 'worker-2': { concurrency: 5 } } });
    expect(await app.control.shrinkPool(4, { timeout: '20s' })).toEqual({
      workers: { 'worker-1': { concurrency: 1 }, 'worker-2': { concurrency: 1 } },
      silent: [],
    });
    expect(workers.map(({ concurrency }) => concurrency)).toEqual([1, 1]);
  });

  test('a worker that scales takes new bounds and no number, any other a number and no bounds', async () => {
    const bench = setUp();
    const app = bench.createApp();
    const fixed = await bench.startWorker(app, { concurrency: 1 });
    const scaled = await bench.startWorker(app, { autoscale: { max: 2, min: 1 } });
    expect(await app.control.autoscale({ max: 8, min: 3 })).toEqual({
      workers: { 'worker-1': refusal('AUTOSCALE_OFF'), 'worker-2': { concurrency: 3, max: 8, min: 3 } },
      silent: [],
    });
    expect(scaled.autoscale).toEqual({ max: 8, min: 3 });
    expect(await app.control.growPool(1)).toEqual({
      workers: { 'worker-1': { concurrency: 2 }, 'worker-2': refusal('AUTOSCALE_ON') },
      silent: [],
    });
    expect(fixed.concurrency).toBe(2);
  });

  test('a further queue is served at once, until it is cancelled', async () => {
    const bench = setUp();
    const app = bench.createApp();
    const task = app.task('where', () => 'done');
    const worker = await bench.startWorker(app);
    const queues = [bench.queue, 'further'];
    expect(await app.control.addConsumer('further')).toEqual({
      workers: { 'worker-1': { queues, changed: true } },
      silent: [],
    });
    const result = await task.apply([], { queue: 'further' });
    expect(await result.get({ timeout: '20s' })).toBe('done');
    const options = { destinations: ['worker-1'] };
    expect(await app.control.cancelConsumer('further', options)).toMatchObject({
      workers: { 'worker-1': { queues: [bench.queue], changed: true } },
    });
    expect(worker.queues).toEqual([bench.queue]);
    expect(await app.control.cancelConsumer('further')).toMatchObject({ workers: { 'worker-1': { changed: false } } });
  });

  test('a queue that the app does not declare is refused by its workers', async () => {
    const bench = setUp();
    const app = bench.createApp({ queues: [bench.queue, 'second'] });
    await bench.startWorker(app);
    expect(await app.control.addConsumer('sceond')).toMatchObject({
      workers: { 'worker-1': refusal('UNDECLARED_QUEUE') },
    });
  });

  test('new limits of a task hold for the attempts that begin after them', async () => {
    const bench = setUp();
    const app = bench.createApp();
    const { promise: ends, resolve: end } = Promise.withResolvers<void>();
    const task = app.task('long', { softTimeLimit: '1h', timeLimit: '2h' }, () => ends);
    await bench.startWorker(app);
    expect(await app.control.timeLimit('long', { softTimeLimit: null, timeLimit: '50ms' })).toEqual({
      workers: { 'worker-1': { task: 'long', softTimeLimitMs: null, timeLimitMs: 50 } },
      silent: [],
    });
    await expect((await task.delay()).get({ timeout: '20s' })).rejects.toMatchObject({
      cause: { name: 'TimeLimitExceeded' },
    });
    expect(await app.control.timeLimit('logn', { softTimeLimit: null, timeLimit: null })).toMatchObject({
      workers: { 'worker-1': refusal('UNKNOWN_TASK') },
    });
    end();
  });

  test('a new rate lets the jobs go that the old one held', async () => {
    const bench = setUp();
    const first = Promise.withResolvers<void>();
    const app = bench.createApp({ hooks: { taskSuccess: () => first.resolve() } });
    const task = app.task('rare', { rateLimit: '1/h' }, () => 'done');
    await bench.startWorker(app);
    const results = [await task.delay(), await task.delay()];
    await first.promise;
    expect(await app.control.rateLimit('rare', null)).toEqual({
      workers: { 'worker-1': { task: 'rare', rate: null } },
      silent: [],
    });
    expect(await Promise.all(results.map((result) => result.get({ timeout: '20s' })))).toEqual(['done', 'done']);
    expect(await app.control.rateLimit('rare', ' 600 / 60m ')).toMatchObject({
      workers: { 'worker-1': { task: 'rare', rate: '600/h' } },
    });
    expect(await app.control.rateLimit('raer', '1/s')).toMatchObject({
      workers: { 'worker-1': refusal('UNKNOWN_TASK') },
    });
  });
});

/** Nobody may be asked there. */
const UNREACHABLE = 'redis://127.0.0.1:1/0';

describe('what is wrong is refused before anybody is asked', () => {
  const { control } = createApp({ broker: UNREACHABLE, builtins: false }, { env: {} });
  const wrong = { destination: ['a'] } as object;

  test.each<[string, () => Promise<unknown>, string, string]>([
    [
      'growPool(0)',
      () => control.growPool(0),
      'INVALID_OPTION',
      'the number of slots of app.control.growPool() must be',
    ],
    ['growPool(1.5)', () => control.growPool(1.5), 'INVALID_OPTION', 'a whole number from 1 to 10000, got 1.5'],
    ['growPool options', () => control.growPool(1, wrong), 'UNKNOWN_OPTION', 'app.control.growPool() has no option'],
    [
      'shrinkPool("1")',
      () => control.shrinkPool('1' as never),
      'INVALID_OPTION',
      'of app.control.shrinkPool() must be',
    ],
    [
      'autoscale, turned round',
      () => control.autoscale({ max: 1, min: 2 }),
      'INVALID_OPTION',
      'min of the autoscale of the worker must be at most its max, 1, got 2',
    ],
    [
      'autoscale without min',
      () => control.autoscale({ max: 1 } as SlotRange),
      'INVALID_OPTION',
      'min of the autoscale of the worker must be a whole number from 1 to 10000, got undefined',
    ],
    [
      'autoscale, misspelt',
      () => control.autoscale({ max: 2, min: 1, mim: 1 } as SlotRange),
      'UNKNOWN_OPTION',
      'app.control.autoscale() has no option "mim"',
    ],
    [
      'autoscale(8)',
      () => control.autoscale(8 as never),
      'INVALID_OPTION',
      'what is given to app.control.autoscale() must be an object { max, min }, got 8',
    ],
    [
      'addConsumer("")',
      () => control.addConsumer(''),
      'INVALID_OPTION',
      'the queue of app.control.addConsumer() must be',
    ],
    [
      'addConsumer options',
      () => control.addConsumer('a', wrong),
      'UNKNOWN_OPTION',
      'app.control.addConsumer() has no',
    ],
    [
      'cancelConsumer()',
      () => control.cancelConsumer(undefined as never),
      'INVALID_OPTION',
      'app.control.cancelConsumer()',
    ],
    [
      'timeLimit of no task',
      () => control.timeLimit('a b', { softTimeLimit: null, timeLimit: null }),
      'INVALID_OPTION',
      'the name of a task must be',
    ],
    [
      'timeLimit without one',
      () => control.timeLimit('a', { timeLimit: '1s' } as NewTimeLimits),
      'INVALID_OPTION',
      'softTimeLimit of app.control.timeLimit() must be a duration from 1 ms, or null to leave it to the worker, got undefined',
    ],
    [
      'timeLimit of 0',
      () => control.timeLimit('a', { softTimeLimit: null, timeLimit: 0 }),
      'INVALID_OPTION',
      'timeLimit of app.control.timeLimit() must be a duration from 1 ms',
    ],
    [
      'timeLimit that is none',
      () => control.timeLimit('a', { softTimeLimit: 'soon', timeLimit: null }),
      'INVALID_DURATION',
      'softTimeLimit of app.control.timeLimit() must be a duration',
    ],
    [
      'timeLimit, turned round',
      () => control.timeLimit('a', { softTimeLimit: '2s', timeLimit: '1s' }),
      'INVALID_OPTION',
      'softTimeLimit of task "a" must be shorter than its timeLimit of 1000 ms',
    ],
    [
      'timeLimit, misspelt',
      () => control.timeLimit('a', { soft: '1s' } as never),
      'UNKNOWN_OPTION',
      'app.control.timeLimit() has no option "soft"',
    ],
    [
      'rateLimit often',
      () => control.rateLimit('a', 'often'),
      'INVALID_OPTION',
      'rate of app.control.rateLimit() must be',
    ],
    ['rateLimit()', () => control.rateLimit('a', undefined as never), 'INVALID_OPTION', 'got undefined'],
    [
      'rateLimit options',
      () => control.rateLimit('a', null, { timeout: 0 }),
      'INVALID_OPTION',
      'timeout of app.control.rateLimit() must be from 1 ms',
    ],
  ])('%s', async (_, call, code, message) => {
    await expect(call()).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });
});
