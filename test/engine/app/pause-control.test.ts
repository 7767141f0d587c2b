import { describe, expect, test } from 'vitest';
import { createApp } from '../../../src/engine/app/create-app.ts';
import type { PauseOptions } from '../../../src/engine/app/pause-control.ts';
import { createNodeId } from '../../../src/engine/broker/control-port.ts';
import { prepareSqliteBenches } from './sqlite-benches.ts';

const setUp = prepareSqliteBenches();

describe('an application pauses a task', () => {
  test('and its jobs are held, until it is resumed', async () => {
    const bench = setUp();
    const app = bench.createApp();
    const order: string[] = [];
    const paused = app.task('paused', (name: string) => void order.push(name));
    const other = app.task('other', () => void order.push('other'));
    await bench.startWorker(app, { concurrency: 1 });
    const pause = await app.control.pauseTask('paused');
    expect(pause).toEqual({
      ...{ task: 'paused', since: expect.any(Number), changed: true },
      ...{ unconfirmed: [], unregistered: false },
    });
    expect(await app.control.pauseTask('paused')).toEqual({ ...pause, changed: false });
    const held = [await paused.delay('first'), await paused.delay('second')];
    // The queue is served in order: when the last job has run, those before it have been put aside.
    await (await other.delay()).get({ timeout: '20s' });
    expect(await held[0]?.state()).toBe('SCHEDULED');
    expect(await app.control.resumeTask('paused')).toEqual({
      ...{ task: 'paused', since: pause.since, letGo: 2, unconfirmed: [] },
    });
    for (const result of held) await result.get({ timeout: '20s' });
    expect(order).toEqual(['other', 'first', 'second']);
    expect(await app.control.resumeTask('paused')).toEqual({
      ...{ task: 'paused', since: null, letGo: 0, unconfirmed: [] },
    });
  });

  test('before any worker is there, and hears from them that none registers it', async () => {
    const bench = setUp();
    const app = bench.createApp();
    expect(await app.control.pauseTask('misspelt')).toMatchObject({ unconfirmed: [], unregistered: false });
    await bench.startWorker(app);
    expect(await app.control.pauseTask('misspelt')).toMatchObject({ changed: false, unregistered: true });
  });

  test('a worker that does not confirm in time is named', async () => {
    const bench = setUp();
    const app = bench.createApp();
    const broker = await app.broker();
    const { promise: never, resolve: letGo } = Promise.withResolvers<{ value: null }>();
    const membership = await broker.control.join({ id: createNodeId(), name: 'mute', handle: () => never });
    const options = { timeout: 100 };
    expect(await app.control.pauseTask('a', options)).toMatchObject({ unconfirmed: ['mute'], unregistered: false });
    expect(await app.control.resumeTask('a', options)).toMatchObject({ unconfirmed: ['mute'] });
    letGo({ value: null });
    await membership.leave();
  });
});

test('an application pauses a queue, and resumes it', async () => {
  const bench = setUp();
  const app = bench.createApp();
  const task = app.task('a', () => 'done');
  const result = await task.delay();
  const { queue } = bench;
  expect(await app.control.pauseQueue(queue)).toEqual({ queue, paused: true, changed: true });
  expect(await app.control.pauseQueue(queue)).toEqual({ queue, paused: true, changed: false });
  await bench.startWorker(app);
  expect(await result.state()).toBe('PENDING');
  expect(await app.control.resumeQueue(queue)).toEqual({ queue, paused: false, changed: true });
  expect(await result.get({ timeout: '20s' })).toBe('done');
  expect(await app.control.resumeQueue(queue)).toEqual({ queue, paused: false, changed: false });
});

test('a queue that the broker does not hold is an error, and nothing is made of its name', async () => {
  const app = setUp().createApp();
  for (const call of [app.control.pauseQueue('nowhere'), app.control.resumeQueue('nowhere')]) {
    await expect(call).rejects.toMatchObject({ code: 'UNKNOWN_QUEUE' });
  }
  expect(await (await app.broker()).listQueues()).toEqual([]);
});

describe('what is wrong is refused before the broker is asked', () => {
  const { control } = createApp({ broker: 'redis://127.0.0.1:1/0', builtins: false }, { env: {} });
  const wrong = { destinations: ['a'] } as PauseOptions;

  test.each<[string, () => Promise<unknown>, string, string]>([
    [
      'no queue',
      () => control.pauseQueue(''),
      'INVALID_OPTION',
      'the queue of app.control.pauseQueue() must be a text',
    ],
    ['no queue to resume', () => control.resumeQueue(7 as never), 'INVALID_OPTION', 'app.control.resumeQueue()'],
    ['a name of no task', () => control.pauseTask('a b'), 'INVALID_OPTION', 'the name of a task'],
    ['a name of no task to resume', () => control.resumeTask(''), 'INVALID_OPTION', 'the name of a task'],
    [
      'some workers: a pause holds for all',
      () => control.pauseTask('a', wrong),
      'UNKNOWN_OPTION',
      'app.control.pauseTask() has no option "destinations"',
    ],
    ['a timeout', () => control.resumeTask('a', { timeout: 'x' }), 'INVALID_DURATION', 'of app.control.resumeTask()'],
  ])('%s', async (_, call, code, message) => {
    await expect(call()).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });
});
