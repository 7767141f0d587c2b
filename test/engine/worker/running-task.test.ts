import { describe, expect, test } from 'vitest';
import { context, currentContext, type TaskContext } from '../../../src/engine/task/context.ts';
import { define, setUp } from './executor-setup.ts';
import type { FakeJobFields } from './fake-job.ts';
import { FakeJob } from './fake-job.ts';

async function contextOf(fields: FakeJobFields): Promise<TaskContext> {
  let seen: TaskContext | undefined;
  const { perform } = setUp(() => {
    seen = context();
  });
  await perform(fields);
  return seen as TaskContext;
}

describe('context()', () => {
  test('of a job that was called from outside: it is its own root and its id stands for the request', async () => {
    expect(await contextOf({ id: 'job-7', queue: 'high', attempts: 2, createdAt: 5 })).toMatchObject({
      id: 'job-7',
      task: 'a.task',
      queue: 'high',
      attempt: 2,
      requestId: 'job-7',
      rootId: 'job-7',
      parentId: null,
      headers: {},
      worker: 'tq@test',
      createdAt: 5,
    });
  });

  test('of a job that another one called', async () => {
    const meta = { requestId: 'r-1', rootId: 'root', parentId: 'parent', headers: { a: '1' } };
    expect(await contextOf({ meta })).toMatchObject(meta);
  });

  test('of a job with a root and no request id takes the root for the request', async () => {
    expect(await contextOf({ meta: { rootId: 'root' } })).toMatchObject({ requestId: 'root' });
  });

  test('is there in functions that the task awaits, each job its own, however they interleave', async () => {
    const inner = async (): Promise<string> => {
      await new Promise((resolve) => setImmediate(resolve));
      return context().id;
    };
    const outer = async (): Promise<string[]> => Promise.all([inner(), inner()]);
    const { perform } = setUp(outer);
    const outcomes = await Promise.all(['a', 'b', 'c'].map((id) => perform({ id })));
    expect(outcomes).toMatchObject([{ result: ['a', 'a'] }, { result: ['b', 'b'] }, { result: ['c', 'c'] }]);
  });

  test('is NO_CONTEXT outside a task, where currentContext() is undefined', () => {
    expect(() => context()).toThrow(expect.objectContaining({ code: 'NO_CONTEXT' }));
    expect(currentContext()).toBeUndefined();
  });

  test('gives one signal and one logger for the whole attempt', async () => {
    const { perform } = setUp(() => {
      const { signal, log } = context();
      return [context().signal === signal, context().log === log, signal.aborted];
    });
    expect(await perform()).toEqual({ kind: 'succeeded', result: [true, true, false] });
  });
});

test('progress and retry may be taken out of the context', async () => {
  const job = new FakeJob();
  const { executor } = setUp(async () => {
    const { progress, retry } = context();
    await progress(1);
    throw retry({ countdown: 5, max: 1 });
  });
  expect(await executor.perform(job)).toMatchObject({ kind: 'retry', delayMs: 5 });
  expect(job.progressed).toEqual([1]);
});

describe('context().progress()', () => {
  test('stores any JSON value', async () => {
    const { executor } = setUp(async () => {
      await context().progress(50);
      await context().progress({ done: 3, of: [1, 2, 3] });
    });
    const job = new FakeJob();
    await executor.perform(job);
    expect(job.progressed).toEqual([50, { done: 3, of: [1, 2, 3] }]);
  });

  test('refuses what is not JSON, with the path', async () => {
    const { executor } = setUp(() => context().progress({ left: 5n }));
    const job = new FakeJob();
    expect(await executor.perform(job)).toMatchObject({
      error: { code: 'NOT_JSON', message: expect.stringContaining('progress.left is a bigint') },
    });
    expect(job.progressed).toEqual([]);
  });
});

describe('context().retry()', () => {
  test('asks for another attempt after a countdown', async () => {
    const retry = { max: 3 };
    const { perform } = setUp([
      define('a.task', { retry }, () => {
        throw context().retry({ countdown: '7s', cause: new Error('429') });
      }),
    ]);
    expect(await perform()).toMatchObject({ kind: 'retry', delayMs: 7000, error: { message: '429' } });
  });

  test('throws by itself, so a forgotten throw does not go on', async () => {
    let wentOn = false;
    const { perform } = setUp(() => {
      context().retry({ max: 1, countdown: 0 });
      wentOn = true;
    });
    expect(await perform()).toMatchObject({ kind: 'retry' });
    expect(wentOn).toBe(false);
  });
});
