import { describe, expect, expectTypeOf, test } from 'vitest';
import type { App, AppOptions } from '../../../src/engine/app/contract.ts';
import type { Replies, ReplyError } from '../../../src/engine/app/worker-replies.ts';
import type { WorkerStats } from '../../../src/engine/control/replies.ts';
import type { LiveBench } from './live-app.ts';
import { prepareSqliteBenches } from './sqlite-benches.ts';

const createBench = prepareSqliteBenches();

function setUp(options: AppOptions = {}): { app: App; bench: LiveBench } {
  const bench = createBench();
  return { app: bench.createApp(options), bench };
}

describe('an application asks its workers', () => {
  test('and gets the reply of each by its name', async () => {
    const { app, bench } = setUp();
    app.task('known', { description: 'A task' }, () => undefined);
    await bench.startWorker(app);
    await bench.startWorker(app, { concurrency: 3 });
    expect(await app.inspect.ping()).toEqual({ workers: { 'worker-1': 'pong', 'worker-2': 'pong' }, silent: [] });
    const stats = await app.inspect.stats({ destinations: ['worker-2', 'worker-2'] });
    expectTypeOf(stats).toEqualTypeOf<Replies<WorkerStats>>();
    expectTypeOf(stats.workers['x']).toEqualTypeOf<WorkerStats | ReplyError | undefined>();
    expect(stats).toMatchObject({ workers: { 'worker-2': { name: 'worker-2', concurrency: 3 } }, silent: [] });
    const { workers } = await app.inspect.registered({ destinations: ['worker-1'] });
    expect(workers['worker-1']).toMatchObject([{ task: 'known', description: 'A task' }]);
    expect(await app.inspect.conf()).toMatchObject({ workers: { 'worker-1': { queueOrder: 'strict' } } });
    expect(await app.inspect.reserved()).toMatchObject({ workers: { 'worker-1': [], 'worker-2': [] } });
  });

  test('what they run, and which jobs nobody claims', async () => {
    const { app, bench } = setUp();
    const { promise: ends, resolve: end } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const task = app.task('held', () => {
      begin();
      return ends;
    });
    await bench.startWorker(app);
    const { id } = await task.delay();
    await begun;
    expect(await app.inspect.active()).toMatchObject({
      workers: { 'worker-1': [{ id, task: 'held', attempt: 1, pid: process.pid }] },
      silent: [],
      orphaned: [],
    });
    expect(await app.inspect.active({ destinations: ['worker-1'] })).toMatchObject({ orphaned: null });
    end();
  });

  test('names that are not live are silent, and no worker at all is no error', async () => {
    const { app } = setUp();
    expect(await app.inspect.ping({ destinations: ['nobody'] })).toEqual({ workers: {}, silent: ['nobody'] });
    expect(await app.inspect.ping()).toEqual({ workers: {}, silent: [] });
  });

  test('and stops them', async () => {
    const { app, bench } = setUp();
    const worker = await bench.startWorker(app);
    expect(await app.control.shutdown()).toEqual({
      workers: { 'worker-1': { stopping: true, active: 0 } },
      silent: [],
    });
    expect(await worker.ended).toMatchObject({ reason: 'stopped' });
  });
});

describe('a command of the application', () => {
  const { promise: slow, resolve: endSlow } = Promise.withResolvers<string>();
  const control: AppOptions['control'] = {
    'cache.clear': (args, worker) => ({ args, queues: worker.queues.length }),
    nothing: () => undefined,
    fails: () => {
      throw new TypeError('no cache');
    },
    huge: () => 'x'.repeat(600_000),
    big: () => ({ rows: [1n] }),
    date: async () => new Date(),
    slow: () => slow,
  };

  test('gets what was sent and the worker, and its answer comes back', async () => {
    const { app, bench } = setUp({ control });
    await bench.startWorker(app);
    expect(await app.control.call('cache.clear', { deep: true })).toEqual({
      workers: { 'worker-1': { args: { deep: true }, queues: 1 } },
      silent: [],
    });
    expect(await app.control.call('cache.clear')).toMatchObject({ workers: { 'worker-1': { args: null } } });
    expect(await app.control.call('nothing')).toEqual({ workers: { 'worker-1': null }, silent: [] });
    expect(await app.control.call<string>('ping')).toMatchObject({ workers: { 'worker-1': 'pong' } });
  });

  test.each<[string, string, RegExp]>([
    ['fails', 'INTERNAL', /^no cache$/],
    [
      'big',
      'NOT_JSON',
      /^the answer of worker worker-1 to "big" cannot be written as JSON: answer\.rows\[0\] is a bigint/,
    ],
    ['date', 'NOT_JSON', /answer is an instance of Date/],
    ['huge', 'REPLY_TOO_LARGE', /^the answer of worker worker-1 to "huge" has \d+ bytes, the limit is/],
    ['cache.clera', 'UNKNOWN_CONTROL', /has no control command "cache\.clera"; did you mean "cache\.clear"\?/],
  ])('%s answers with the error %s, and the worker goes on', async (command, code, message) => {
    const { app, bench } = setUp({ control });
    await bench.startWorker(app);
    expect(await app.control.call(command)).toEqual({
      workers: { 'worker-1': { error: { code, message: expect.stringMatching(message) } } },
      silent: [],
    });
    expect(await app.inspect.ping()).toMatchObject({ workers: { 'worker-1': 'pong' } });
  });

  test('that is slower than the timeout leaves its worker silent, which answers other questions meanwhile', async () => {
    const { app, bench } = setUp({ control });
    await bench.startWorker(app);
    expect(await app.control.call('slow', null, { timeout: 100 })).toEqual({ workers: {}, silent: ['worker-1'] });
    expect(await app.inspect.ping({ timeout: '20s' })).toMatchObject({ workers: { 'worker-1': 'pong' } });
    endSlow('at last');
    expect(await app.control.call('slow')).toMatchObject({ workers: { 'worker-1': 'at last' } });
  });
});

describe('options are checked', () => {
  const { app } = setUp();
  test.each<[object, string, string]>([
    [
      { destination: ['a'] },
      'UNKNOWN_OPTION',
      'app.inspect.ping() has no option "destination"; did you mean "destinations"?',
    ],
    [{ destinations: [] }, 'INVALID_OPTION', 'destinations of app.inspect.ping() must be a list of at least one name'],
    [{ destinations: 'a' }, 'INVALID_OPTION', 'must be a list of at least one name of a worker, got "a"'],
    [{ destinations: [''] }, 'INVALID_OPTION', 'must be a list of at least one name'],
    [{ timeout: 'soon' }, 'INVALID_DURATION', 'timeout of app.inspect.ping() must be a duration'],
    [{ timeout: 0 }, 'INVALID_OPTION', 'timeout of app.inspect.ping() must be from 1 ms'],
    [{ timeout: '30d' }, 'INVALID_OPTION', 'to 2147483647 ms, got "30d"'],
  ])('%j', async (options, code, message) => {
    await expect(app.inspect.ping(options)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  test('for every question, and the arguments must be JSON', async () => {
    const wrong = { timeout: -1 };
    await expect(app.inspect.active(wrong)).rejects.toMatchObject({ code: 'INVALID_DURATION' });
    await expect(app.control.shutdown(wrong)).rejects.toMatchObject({ code: 'INVALID_DURATION' });
    await expect(app.control.call('x', null, wrong)).rejects.toMatchObject({ code: 'INVALID_DURATION' });
    await expect(app.control.call('')).rejects.toThrow('the command of app.control.call() must be a name, got ""');
    await expect(app.control.call('x', { at: new Date() })).rejects.toMatchObject({
      code: 'NOT_JSON',
      message: expect.stringContaining('args.at is an instance of Date'),
    });
  });
});
