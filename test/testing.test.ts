import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createApp } from '../src/engine/app/create-app.ts';
import { context } from '../src/engine/task/context.ts';
import { defineTask } from '../src/engine/task/definition.ts';
import { Ignore, Reject } from '../src/engine/task/exceptions.ts';
import { runTask } from '../src/testing.ts';

const app = createApp({ retry: { max: 1, delay: '7s', jitter: false } }, { env: {} });

describe('runTask', () => {
  test('runs a declared task and one of an app, and gives their results', async () => {
    const add = (a: number, b: number) => a + b;
    const recorded = { progress: [], log: [], replacedBy: undefined, added: [] };
    const succeeded = { outcome: 'success', result: 5, error: undefined, retryInMs: undefined, ...recorded };
    expect(await runTask(defineTask('add', add), [2, 3])).toEqual(succeeded);
    expect(await runTask(app.task('add', add), [2, 3])).toEqual(succeeded);
    expect(
      await runTask(
        defineTask('nothing', async () => {}),
        [],
      ),
    ).toMatchObject({ outcome: 'success' });
  });

  test('gives the task a context of its own, which the test may set', async () => {
    const task = defineTask('a.task', () => {
      const { id, attempt, requestId, rootId, parentId, headers, queue, worker, createdAt, signal } = context();
      return { id, attempt, requestId, rootId, parentId, headers, queue, worker, createdAt, aborted: signal.aborted };
    });
    expect((await runTask(task, [], { createdAt: 5 })).result).toEqual({
      id: 'test-job',
      attempt: 1,
      requestId: 'test-job',
      rootId: 'test-job',
      parentId: null,
      headers: {},
      queue: 'default',
      worker: 'test-worker',
      createdAt: 5,
      aborted: false,
    });
    const own = {
      ...{ id: 'id-1', attempt: 3, requestId: 'r-1', rootId: 'root', parentId: 'parent', headers: { tenant: 'a' } },
      ...{ queue: 'high', worker: 'w', createdAt: 7 },
    };
    expect((await runTask(task, [], own)).result).toEqual({ ...own, aborted: false });
  });

  test('runs a task as the firing of a schedule entry, when the test says which', async () => {
    const task = defineTask('a.task', () => {
      context().log.info('here');
      return context().schedule;
    });
    expect((await runTask(task, [])).result).toBeNull();
    const schedule = { entry: 'nightly', dueAt: 5 };
    const { result, log } = await runTask(task, [], { schedule });
    expect(result).toEqual(schedule);
    expect(log).toMatchObject([{ message: 'here', schedule: 'nightly' }]);
  });

  test('leaves no context behind', async () => {
    await runTask(
      defineTask('a.task', () => {}),
      [],
    );
    expect(() => context()).toThrow(expect.objectContaining({ code: 'NO_CONTEXT' }));
  });

  test('lets a test abort the signal', async () => {
    const controller = new AbortController();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const task = defineTask('a.task', async () => {
      const { signal } = context();
      begin();
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    });
    const run = runTask(task, [], { signal: controller.signal });
    await begun;
    const reason = new Error('time is up');
    controller.abort(reason);
    expect(await run).toMatchObject({ outcome: 'failure', error: reason });
  });

  test('records progress and log lines, which carry the ids of the job', async () => {
    const task = defineTask('a.task', async () => {
      context().log.debug({ step: 1 }, 'begun');
      await context().progress({ done: 1 });
      await context().progress(100);
    });
    const { progress, log } = await runTask(task, [], { id: 'id-1', requestId: 'r-1' });
    expect(progress).toEqual([{ done: 1 }, 100]);
    expect(log).toMatchObject([
      {
        level: 'DEBUG',
        message: 'begun',
        step: 1,
        task_id: 'id-1',
        task_name: 'a.task',
        request_id: 'r-1',
        attempt: 1,
      },
    ]);
  });

  test('passes the arguments through JSON and the schema, as on their way to a worker', async () => {
    const input = z.object({ at: z.coerce.date(), left: z.string().optional() });
    const task = defineTask('a.task', { input }, (given) => [given.at.getTime(), 'left' in given]);
    expect((await runTask(task, [{ at: '1970-01-01T00:00:01Z', left: undefined }])).result).toEqual([1000, false]);
    expect(await runTask(task, [{ at: 'never' }])).toMatchObject({
      outcome: 'failure',
      error: { code: 'INVALID_ARGUMENTS', message: expect.stringContaining('input.at') },
    });
    expect(
      await runTask(
        defineTask('b.task', (n: bigint) => Number(n)),
        [5n],
      ),
    ).toMatchObject({
      outcome: 'failure',
      error: { code: 'NOT_JSON', message: expect.stringContaining('args[0] is a bigint') },
    });
  });

  test('refuses a result and a progress that are not JSON, as a worker does', async () => {
    const retry = { max: 5 };
    expect(
      await runTask(
        defineTask('a.task', { retry }, () => new Map()),
        [],
      ),
    ).toMatchObject({
      outcome: 'failure',
      result: undefined,
      error: { code: 'NOT_JSON', message: expect.stringContaining('result is an instance of Map') },
    });
    const reporting = defineTask('a.task', { retry }, () => context().progress(1n));
    expect(await runTask(reporting, [])).toMatchObject({ outcome: 'failure', error: { code: 'NOT_JSON' } });
  });
});

describe('the outcome of runTask', () => {
  const throwing = (error: unknown) =>
    defineTask('a.task', { retry: { max: 2, delay: '1s', except: RangeError } }, () => {
      throw error;
    });

  test('is a retry with its wait while retries are left, and a failure on the last attempt', async () => {
    const error = new Error('busy');
    expect(await runTask(throwing(error), [])).toMatchObject({ outcome: 'retry', retryInMs: 1000, error });
    expect(await runTask(throwing(error), [], { attempt: 2 })).toMatchObject({ outcome: 'retry', retryInMs: 2000 });
    expect(await runTask(throwing(error), [], { attempt: 3 })).toMatchObject({
      outcome: 'failure',
      retryInMs: undefined,
      error,
    });
  });

  test.each<[string, unknown, string]>([
    ['a failure for an excepted error', new RangeError('no'), 'failure'],
    ['ignored for Ignore', new Ignore('gone'), 'ignored'],
    ['rejected for Reject', new Reject('malformed'), 'rejected'],
  ])('is %s', async (_, error, outcome) => {
    expect(await runTask(throwing(error), [])).toMatchObject({ outcome, error, retryInMs: undefined });
  });

  test('is what context().retry() asks for', async () => {
    const cause = new Error('429');
    const task = defineTask('a.task', () => {
      throw context().retry({ countdown: '5m', max: 1, cause });
    });
    expect(await runTask(task, [])).toMatchObject({ outcome: 'retry', retryInMs: 300_000, error: { cause } });
    expect(await runTask(task, [], { attempt: 2 })).toMatchObject({ outcome: 'failure' });
  });

  test('follows the policy of the app for a task that has none', async () => {
    const task = app.task('no.policy', () => {
      throw new Error('busy');
    });
    expect(await runTask(task, [])).toMatchObject({ outcome: 'retry', retryInMs: 7000 });
  });
});
