import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { context } from '../../../src/engine/task/context.ts';
import { defineTask, type TaskDefinition, type TaskOptions } from '../../../src/engine/task/definition.ts';
import { Ignore, Retry } from '../../../src/engine/task/exceptions.ts';
import { type Bench, setUp } from './executor-setup.ts';

const ONCE = { delivery: 'at-most-once' } as const;

function setUpOnce(handler: TaskDefinition['handler'], options: TaskOptions = {}): Bench {
  return setUp([defineTask('a.task', { ...ONCE, ...options }, handler) as never as TaskDefinition]);
}

const untilAborted = async (): Promise<never> => {
  const { signal } = context();
  return await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
};

describe('a job that may be started only once', () => {
  test('runs, and succeeds, fails and is ignored as any other', async () => {
    expect(await setUpOnce(() => 5).perform()).toEqual({ kind: 'succeeded', result: 5 });
    const fails = setUpOnce(() => {
      throw new TypeError('no');
    });
    expect(await fails.perform()).toMatchObject({ kind: 'dead', error: { name: 'TypeError', message: 'no' } });
    const ignores = setUpOnce(() => {
      throw new Ignore('not today');
    });
    expect(await ignores.perform()).toMatchObject({ kind: 'ended', state: 'IGNORED' });
  });

  test('is not started when a worker was lost that had taken it, and hooks hear of a dead letter', async () => {
    const handler = vi.fn();
    const { perform, hookNames, log } = setUpOnce(handler);
    expect(await perform({ workersLost: 1 })).toMatchObject({
      kind: 'dead',
      error: {
        name: 'NotRunAgain',
        code: 'NOT_RUN_AGAIN',
        message: expect.stringMatching(/^the attempt of task "a.task" did not end: the worker .* is not run again \(/),
      },
    });
    expect(handler).not.toHaveBeenCalled();
    expect(hookNames()).toEqual(['taskDead']);
    expect(log.messages).toEqual(['task failed, the job is a dead letter']);
  });

  test('is run when it was handed back before it had started', async () => {
    expect(await setUpOnce(() => 5).perform({ timesTaken: 3 })).toMatchObject({ kind: 'succeeded' });
  });

  test('goes back to its queue when the worker stops before its function was called', async () => {
    const handler = vi.fn();
    const { promise: checked, resolve: finishCheck } = Promise.withResolvers<{ value: number }>();
    const input = { '~standard': { version: 1, vendor: 'test', validate: () => checked } };
    const { executor, perform } = setUpOnce(handler, { input } as TaskOptions);
    const outcome = perform({ args: [1] });
    await nextTurn();
    executor.abortAll();
    finishCheck({ value: 1 });
    expect(await outcome).toEqual({ kind: 'released' });
    executor.refuse();
    expect(await perform()).toEqual({ kind: 'released' });
    expect(handler).not.toHaveBeenCalled();
  });

  test.each([
    ['gives up when its signal aborts', untilAborted],
    ['does not listen', () => new Promise(() => {})],
  ])('is a dead letter when the worker stops and it %s', async (_, handler) => {
    const { executor, perform, hookNames } = setUpOnce(handler);
    const outcome = perform();
    await nextTurn();
    executor.abortAll();
    await nextTurn();
    executor.releaseAll();
    expect(await outcome).toMatchObject({
      kind: 'dead',
      error: { code: 'NOT_RUN_AGAIN', message: expect.stringContaining('its worker stopped before it had ended') },
    });
    expect(executor.handedBack).toBe(0);
    expect(hookNames().at(-1)).toBe('taskDead');
  });

  test('succeeds when it ends well while the worker stops', async () => {
    const { executor, perform } = setUpOnce(() => untilAborted().catch(() => 'done'));
    const outcome = perform();
    await nextTurn();
    executor.abortAll();
    expect(await outcome).toEqual({ kind: 'succeeded', result: 'done' });
  });

  test.each([
    ['context().retry()', () => context().retry({ cause: new Error('busy') })],
    [
      'new Retry()',
      () => {
        throw new Retry('again', { cause: new Error('busy') });
      },
    ],
  ])('is a dead letter that says why when it asks for a retry by %s', async (_, handler) => {
    expect(await setUpOnce(handler).perform()).toMatchObject({
      kind: 'dead',
      error: {
        code: 'INVALID_OPTION',
        message: expect.stringMatching(
          /^retry\(\) in task "a.task" must be left out with delivery "at-most-once", got a retry after: busy/,
        ),
      },
    });
  });

  test('is not retried either when the producer of the job wants it', async () => {
    const { perform } = setUpOnce(() => {
      throw new Error('no');
    });
    expect(await perform({ meta: { retry: { max: 5 } } })).toMatchObject({ kind: 'dead', error: { message: 'no' } });
  });
});
