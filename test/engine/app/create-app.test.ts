import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { createApp } from '../../../src/engine/app/create-app.ts';
import { context } from '../../../src/engine/task/context.ts';
import { defineTask } from '../../../src/engine/task/definition.ts';
import { createFolder } from '../config/folder.ts';
import type { FakeConsumer } from '../worker/fake-broker.ts';
import { FakeJob } from '../worker/fake-job.ts';
import { recordLog } from '../worker/recorded.ts';
import { setUp } from './setup.ts';

describe('the registry', () => {
  test('holds what task() and register() add, by name', () => {
    const { app } = setUp();
    const first = app.task('first', () => 1);
    const second = app.register(defineTask('second', () => 2));
    expect([...app.tasks.keys()]).toEqual(['first', 'second']);
    expect([first.taskName, second.taskName]).toEqual(['first', 'second']);
    expect(app.tasks.get('second')).toBe(second.definition);
  });

  test('refuses a second task of the same name, unless it is told to override', () => {
    const { app } = setUp();
    app.task('a.task', () => 1);
    expect(() => app.task('a.task', () => 2)).toThrow(
      expect.objectContaining({ code: 'DUPLICATE_TASK', message: 'a task "a.task" is registered already' }),
    );
    const other = app.register(
      defineTask('a.task', () => 2),
      { override: true },
    );
    expect(app.tasks.get('a.task')).toBe(other.definition);
  });

  test('holds the built-in tasks unless they are turned off, and an own task replaces one', () => {
    const env = { env: {} };
    expect([...createApp({}, env).tasks.keys()]).toContain('email.send');
    expect(createApp({ builtins: false }, env).tasks.size).toBe(0);
    const app = createApp({}, env);
    const own = app.task('email.send', () => 'mine');
    expect(app.tasks.get('email.send')).toBe(own.definition);
    expect(() => app.task('email.send', () => 'again')).toThrow(expect.objectContaining({ code: 'DUPLICATE_TASK' }));
  });

  test("gives a task that says nothing about retries the app's policy, and leaves the others theirs", () => {
    const { app } = setUp({ retry: { max: 7 } });
    const quiet = app.task('quiet', () => {});
    const own = app.task('own', { retry: { max: 1 } }, () => {});
    const never = app.task('never', { retry: false }, () => {});
    expect([quiet, own, never].map(({ definition }) => definition.retry.max)).toEqual([7, 1, 0]);
    expect(app.tasks.get('quiet')?.retry.max).toBe(7);
  });

  test('refuses a task whose queue is not declared', () => {
    const { app } = setUp({ queues: ['high', 'low'] });
    expect(() => app.task('a.task', { queue: 'hihg' }, () => {})).toThrow(
      expect.objectContaining({
        code: 'UNDECLARED_QUEUE',
        message: 'the app declares no queue "hihg"; did you mean "high"?',
        next: 'use one of high, low, or add it to `queues` in createApp()',
      }),
    );
  });
});

describe('the queue of a call', () => {
  test('is that of the call, of its task, of the first route that fits, or the default', async () => {
    const { app, broker } = setUp({
      queues: ['default', 'by-route', 'by-route-2', 'by-task', 'by-call'],
      routes: { 'email.*': 'by-route', '*.send': 'by-route-2' },
    });
    app.task('email.send', () => {});
    app.task('email.own', { queue: 'by-task' }, () => {});
    const queueOfCall = async (task: string, options = {}) => (await app.send(task, [], options)).queue;
    expect(await queueOfCall('email.own', { queue: 'by-call' })).toBe('by-call');
    expect(await queueOfCall('email.own')).toBe('by-task');
    expect(await queueOfCall('email.send')).toBe('by-route');
    expect(await queueOfCall('sms.send')).toBe('by-route-2');
    expect(await queueOfCall('report.build')).toBe('default');
    expect(broker.sent.map(({ queue }) => queue)).toEqual(['by-call', 'by-task', 'by-route', 'by-route-2', 'default']);
    expect(app.queueOf('email.own')).toBe('by-task');
  });

  test('must be declared when queues are declared: a misspelt one gets a suggestion and nothing is sent', async () => {
    const { app, broker } = setUp({ queues: ['default', 'reports'] });
    await expect(app.send('a.task', [], { queue: 'report' })).rejects.toMatchObject({
      code: 'UNDECLARED_QUEUE',
      message: 'the app declares no queue "report"; did you mean "reports"?',
    });
    expect(broker.sent).toEqual([]);
  });

  test('may be any when none is declared', async () => {
    const { app, broker } = setUp();
    await app.send('a.task', [], { queue: 'anything' });
    expect(broker.sent).toMatchObject([{ queue: 'anything' }]);
  });
});

describe('priorities', () => {
  test('are refused on a queue without them, by the call and by the task', async () => {
    const { app, broker } = setUp();
    app.task('urgent', { priority: 9 }, () => {});
    const refusal = { code: 'PRIORITIES_OFF', message: expect.stringContaining('queue "default" has no priorities') };
    await expect(app.send('a.task', [], { priority: 5 })).rejects.toMatchObject(refusal);
    await expect(app.send('urgent')).rejects.toMatchObject(refusal);
    expect(broker.sent).toEqual([]);
  });

  test('are switched on by the app that declares them, and then every job has one', async () => {
    const { app, broker } = setUp({ queues: [{ name: 'default', priorities: true }] });
    app.task('urgent', { priority: 9 }, () => {});
    await app.send('a.task');
    await app.send('urgent');
    await app.send('urgent', [], { priority: 0 });
    expect(broker.queue('default').priorities).toBe(true);
    expect(broker.sent.map(({ priority }) => priority)).toEqual([0, 9, 0]);
  });

  test('are switched on by a worker too', async () => {
    const { app, broker } = setUp({ queues: ['low', { name: 'high', priorities: true }] });
    await app.createWorker({ logger: recordLog().logger });
    expect([broker.queue('low').priorities, broker.queue('high').priorities]).toEqual([false, true]);
  });

  test('that another producer switched on hold for an app that does not declare them', async () => {
    const { app, broker } = setUp();
    broker.queue('default').priorities = true;
    await app.send('a.task', [], { priority: 3 });
    await app.send('a.task');
    expect(broker.sent.map(({ priority }) => priority)).toEqual([3, 0]);
  });

  test('leave jobs of other queues without one', async () => {
    const { app, broker } = setUp();
    await app.send('a.task');
    expect(broker.sent[0]).not.toHaveProperty('priority');
  });
});

describe('sending', () => {
  test('by name needs no registered task, and checks nothing but JSON then', async () => {
    const { app, broker } = setUp();
    const result = await app.send('elsewhere.task', [{ a: 1 }]);
    expect(broker.sent).toMatchObject([{ id: result.id, task: 'elsewhere.task', args: [{ a: 1 }] }]);
    expect([result.task, result.queue]).toEqual(['elsewhere.task', 'default']);
  });

  test('refuses arguments that do not fit the schema, in the caller, and sends nothing', async () => {
    const { app, broker } = setUp();
    const task = app.task('a.task', { input: z.object({ to: z.string() }) }, () => {});
    await expect(task.delay({ to: 5 } as never)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENTS',
      message: expect.stringContaining('calling task "a.task": the arguments do not fit its schema: input.to: '),
    });
    await expect(app.send('a.task', [])).rejects.toMatchObject({ code: 'INVALID_ARGUMENTS' });
    await expect(task.bulk([[{ to: 'a' }], [{ to: 5 } as never]])).rejects.toMatchObject({ code: 'INVALID_ARGUMENTS' });
    expect(broker.sent).toEqual([]);
  });

  test('carries the arguments as they were given: the worker makes the conversions of the schema', async () => {
    const { app, broker } = setUp();
    const task = app.task('a.task', { input: z.object({ at: z.coerce.date(), n: z.number().default(1) }) }, () => {});
    await task.delay({ at: '2030-01-01' });
    expect(broker.sent[0]?.args).toEqual([{ at: '2030-01-01' }]);
  });

  test('many is one round trip for each thousand, with an id for each and the options for all', async () => {
    const { app, broker } = setUp();
    const add = app.task('add', (a: number, b: number) => a + b);
    const argsList = Array.from({ length: 2500 }, (_, index): [number, number] => [index, 1]);
    const results = await add.bulk(argsList, { requestId: 'r-1', countdown: '1m' });
    expect(broker.roundTrips).toBe(3);
    expect(new Set(results.map(({ id }) => id)).size).toBe(2500);
    expect(broker.sent.map(({ args }) => args)).toEqual(argsList);
    expect(broker.sent.every(({ meta, delayMs }) => meta.requestId === 'r-1' && delayMs === 60_000)).toBe(true);
  });

  test('many with one id is refused: only the first would be stored', async () => {
    const { app, broker } = setUp();
    await expect(app.sendBulk('a.task', [[1], [2]], { id: 'one' } as never)).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('id of a bulk call of task "a.task"'),
    });
    expect(broker.sent).toEqual([]);
  });

  test('none at all gives no results and asks nothing of the store', async () => {
    const { app, broker } = setUp();
    expect(await app.sendBulk('a.task', [])).toEqual([]);
    expect(broker.roundTrips).toBe(0);
  });

  test('refuses a task name that cannot be one', async () => {
    const { app } = setUp();
    await expect(app.send('two words')).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  });

  test('passes on what the broker throws', async () => {
    const { app, broker } = setUp();
    broker.failures.add = new Error('the broker is gone');
    await expect(app.send('a.task')).rejects.toThrow('the broker is gone');
  });
});

describe('a task that calls a task', () => {
  test('passes on request id, root and itself as the parent; a call may name its own request', async () => {
    const { app, broker } = setUp();
    const child = app.task('child', () => {});
    app.task('parent', async () => {
      await child.delay();
      await child.apply([], { requestId: 'own' });
      await child.bulk([[], []]);
    });
    const worker = await app.createWorker({ logger: recordLog().logger });
    await worker.start();
    const meta = { requestId: 'r-1', rootId: 'root-1' };
    await (broker.consumers[0] as FakeConsumer).feed(new FakeJob({ id: 'parent-1', task: 'parent', meta }));
    await worker.stop();
    const inherited = { ...meta, parentId: 'parent-1' };
    expect(broker.sent.map((job) => job.meta)).toEqual([
      inherited,
      { ...inherited, requestId: 'own' },
      inherited,
      inherited,
    ]);
  });

  test('is the root of what it calls when nobody called it', async () => {
    const { app, broker } = setUp();
    const child = app.task('child', () => {});
    app.task('parent', () => child.delay().then(() => {}));
    const worker = await app.createWorker({ logger: recordLog().logger });
    await worker.start();
    await (broker.consumers[0] as FakeConsumer).feed(new FakeJob({ id: 'top', task: 'parent' }));
    await worker.stop();
    expect(broker.sent[0]?.meta).toEqual({ requestId: 'top', rootId: 'top', parentId: 'top' });
  });

  test('does so only while it runs: a call from outside carries nothing', async () => {
    const { app, broker } = setUp();
    await app.send('a.task');
    expect(broker.sent[0]?.meta).toEqual({});
  });
});

describe('a task called as a plain function', () => {
  test('runs here and now: nothing is connected or sent', async () => {
    const { app, opened } = setUp();
    const add = app.task('add', (a: number, b: number) => a + b);
    expect(await add(2, 3)).toBe(5);
    expect(opened).toEqual([]);
  });

  test('checks and converts its arguments as a worker does', async () => {
    const { app } = setUp();
    const input = z.object({ at: z.coerce.date(), times: z.number().default(2) });
    const task = app.task('a.task', { input }, ({ at, times }) => at.getTime() * times);
    expect(await task({ at: '1970-01-01T00:00:01Z' })).toBe(2000);
    await expect(task({ at: 'not a date' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENTS' });
  });

  test('throws what its function throws, with no retry, and has no context of its own', async () => {
    const { app } = setUp();
    const handler = vi.fn(() => context().id);
    const task = app.task('a.task', { retry: { max: 3 } }, handler);
    await expect(task()).rejects.toMatchObject({ code: 'NO_CONTEXT' });
    expect(handler).toHaveBeenCalledTimes(1);
  });
});

describe('the broker', () => {
  test('is opened on first use, once, and closed with the app', async () => {
    const { app, broker, opened } = setUp();
    expect(opened).toEqual([]);
    await Promise.all([app.send('a'), app.send('b'), app.broker()]);
    expect(opened).toEqual(['redis://memory']);
    await app.close();
    expect(broker.closed).toBe(true);
    await expect(app.send('a')).rejects.toMatchObject({ code: 'ALREADY_CLOSED' });
    await expect(app.createWorker()).rejects.toMatchObject({ code: 'ALREADY_CLOSED' });
    await app.close();
  });

  test('that could not be opened is tried again by the next call', async () => {
    const { broker } = setUp();
    const openBroker = vi.fn().mockRejectedValueOnce(new Error('away')).mockResolvedValue(broker);
    const app = createApp({ broker: 'redis://memory' }, { env: {}, openBroker });
    await expect(app.send('a')).rejects.toThrow('away');
    await app.send('a');
    expect(openBroker).toHaveBeenCalledTimes(2);
  });

  test('that nothing names is the one of tq.config, so that a program and `tq worker` share it', async () => {
    const { broker } = setUp();
    const openBroker = vi.fn(async (_url: string) => broker);
    const cwd = await createFolder({ 'tq.config.mjs': `export default { broker: 'redis://of-the-project' };` });
    const app = createApp({}, { env: {}, openBroker, cwd });
    expect(app.brokerUrl).toBeUndefined();
    await app.send('a');
    expect(openBroker.mock.calls.map(([url]) => url)).toEqual(['redis://of-the-project']);
    expect(app.brokerUrl).toBe('redis://of-the-project');
  });

  test('that not even tq.config names is a file in the folder of the project', async () => {
    const { broker } = setUp();
    const openBroker = vi.fn(async (_url: string) => broker);
    const cwd = await createFolder({ 'tq.config.mjs': 'export default {};', 'deep/x.txt': '' });
    await createApp({}, { env: {}, openBroker, cwd: join(cwd, 'deep') }).send('a');
    expect(openBroker.mock.calls.map(([url]) => url)).toEqual([`sqlite:${cwd}/.tq/tq.db`]);
  });

  test('is not taken from a tq.config with mistakes: a call says so, and the next one looks again', async () => {
    const { broker } = setUp();
    const openBroker = vi.fn(async (_url: string) => broker);
    const cwd = await createFolder({ 'tq.config.mjs': 'export default { brokr: 1 };' });
    const app = createApp({}, { env: {}, openBroker, cwd });
    await expect(app.send('a')).rejects.toMatchObject({ code: 'INVALID_CONFIG' });
    await rm(join(cwd, 'tq.config.mjs'));
    await app.send('a');
    expect(openBroker).toHaveBeenCalledOnce();
  });

  test.each<[string, Record<string, string>, string | undefined, string | undefined]>([
    [
      'TQ_BROKER_URL goes first',
      { TQ_BROKER_URL: 'redis://tq', REDIS_URL: 'redis://env' },
      'redis://app',
      'redis://tq',
    ],
    ['then REDIS_URL', { REDIS_URL: 'redis://env', REDIS_HOST: 'host' }, 'redis://app', 'redis://env'],
    ['then REDIS_HOST and its like', { REDIS_HOST: 'host', REDIS_DB: '2' }, 'redis://app', 'redis://host:6379/2'],
    ['then the option of the app', {}, 'redis://app', 'redis://app'],
    ['and nothing may name one', {}, undefined, undefined],
    ['a variable that is empty is none', { TQ_BROKER_URL: '  ' }, 'redis://app', 'redis://app'],
  ])('comes from the environment before the app: %s', (_, env, option, url) => {
    const app = createApp(option === undefined ? {} : { broker: option }, { env });
    expect(app.brokerUrl).toBe(url);
  });

  test('may be chosen with useBroker() before its first use, and not after', async () => {
    const { app, opened } = setUp();
    app.useBroker('redis://chosen');
    expect(app.brokerUrl).toBe('redis://chosen');
    await app.send('a');
    expect(opened).toEqual(['redis://chosen']);
    expect(() => app.useBroker('redis://other')).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
  });
});

test('result() finds a job by its id in any queue', async () => {
  const { app, broker } = setUp();
  broker.queue('somewhere').stored.set('id-1', new FakeJob({ id: 'id-1', state: 'SUCCESS', finishedAt: 5, result: 7 }));
  expect(await app.result('id-1').get()).toBe(7);
  expect(await app.result('id-1', 'elsewhere').state()).toBe('UNKNOWN');
});
