import { setImmediate as nextTurn } from 'node:timers/promises';
import * as v from 'valibot';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { SoftTimeLimitExceeded, TimeLimitExceeded, type TqError } from '../../../src/engine/core/errors.ts';
import { context } from '../../../src/engine/task/context.ts';
import { Ignore, Reject } from '../../../src/engine/task/exceptions.ts';
import { define, setUp } from './executor-setup.ts';
import { FakeJob } from './fake-job.ts';

describe('an attempt', () => {
  test('that returns has succeeded with its result', async () => {
    const { perform } = setUp((a: number, b: number) => ({ sum: a + b }));
    expect(await perform({ args: [2, 3] })).toEqual({ kind: 'succeeded', result: { sum: 5 } });
  });

  test('that returns nothing has succeeded without a result', async () => {
    const { perform } = setUp(async () => undefined);
    expect(await perform()).toEqual({ kind: 'succeeded', result: undefined });
  });

  test('that throws Ignore ends without a result and without a dead letter', async () => {
    const { perform, hookNames, log } = setUp(() => {
      throw new Ignore('the user is gone');
    });
    expect(await perform()).toEqual({ kind: 'ended', state: 'IGNORED', reason: 'the user is gone' });
    expect(hookNames()).toEqual(['taskStart']);
    expect(log.lines.at(-1)).toMatchObject({ level: 'INFO', message: 'task ignored', reason: 'the user is gone' });
  });

  test('that throws Reject is a dead letter at once, whatever retries are left', async () => {
    const { perform } = setUp([
      define('a.task', { retry: { max: 5 } }, () => {
        throw new Reject('the order is malformed');
      }),
    ]);
    expect(await perform()).toMatchObject({
      kind: 'dead',
      error: { name: 'Reject', code: 'REJECTED', message: expect.stringContaining('the order is malformed') },
    });
  });

  test('that fails without a retry policy is a dead letter with the error that was thrown', async () => {
    const error = Object.assign(new RangeError('too far'), { code: 'E_FAR' });
    const { perform } = setUp(() => Promise.reject(error));
    expect(await perform()).toEqual({
      kind: 'dead',
      error: { name: 'RangeError', message: 'too far', code: 'E_FAR', stack: error.stack },
    });
  });

  test('that fails with retries left is retried after the wait of its policy', async () => {
    const { perform } = setUp([
      define('a.task', { retry: { max: 2, delay: '2s' } }, () => {
        throw new Error('busy');
      }),
    ]);
    expect(await perform({ attempts: 1 })).toMatchObject({ kind: 'retry', delayMs: 1000, error: { message: 'busy' } });
    expect(await perform({ attempts: 2 })).toMatchObject({ kind: 'retry', delayMs: 2000 });
    expect(await perform({ attempts: 3 })).toMatchObject({ kind: 'dead', error: { message: 'busy' } });
  });

  test('whose arguments do not fit is a dead letter at once: the handler is not called, nothing is retried', async () => {
    const handler = vi.fn();
    const input = v.object({ to: v.string() });
    const { perform, hookNames } = setUp([define('a.task', { input, retry: { max: 5 } }, handler)]);
    expect(await perform({ args: [{ to: 5 }] })).toMatchObject({
      kind: 'dead',
      error: { code: 'INVALID_ARGUMENTS', message: expect.stringContaining('running task "a.task"') },
    });
    expect(handler).not.toHaveBeenCalled();
    expect(hookNames()).toEqual(['taskStart', 'taskFailure', 'taskDead']);
  });

  test('gets what the schema makes of its arguments', async () => {
    const input = v.object({ count: v.optional(v.number(), 1) });
    const { perform } = setUp([define('a.task', { input }, (given: { count: number }) => given.count)]);
    expect(await perform({ args: [{}] })).toEqual({ kind: 'succeeded', result: 1 });
  });

  test('whose result is not JSON is a dead letter at once that names the path', async () => {
    const { perform } = setUp([define('a.task', { retry: true }, () => ({ rows: [{ at: new Date(0) }] }))]);
    expect(await perform()).toMatchObject({
      kind: 'dead',
      error: { code: 'NOT_JSON', message: expect.stringContaining('result.rows[0].at is an instance of Date') },
    });
  });

  test('that threw something odd is judged like any other', async () => {
    const { perform } = setUp([
      define('a.task', { retry: { max: 1, delay: 0 } }, () => {
        throw Object.create(null);
      }),
    ]);
    expect(await perform()).toMatchObject({ kind: 'retry', error: { message: 'a thrown value that cannot be shown' } });
  });

  test('keeps no result when its task says so', async () => {
    const { executor } = setUp([
      define('kept', { resultExpires: '1m' }, () => 1),
      define('dropped', { ignoreResult: true }, () => 1),
      define('usual', {}, () => 1),
    ]);
    const jobs = ['kept', 'dropped', 'usual'].map((task) => new FakeJob({ task }));
    for (const job of jobs) await executor.perform(job);
    expect(jobs.map(({ isDropped }) => isDropped)).toEqual([false, true, false]);
  });
});

test('a job is not lost when the attempt itself fails: it is a dead letter, and the log says so', async () => {
  const { executor, log } = setUp([define('a.task', { ignoreResult: true }, () => 1)]);
  const job = new FakeJob();
  job.dropResult = () => {
    throw new Error('a fault of our own');
  };
  expect(await executor.perform(job)).toMatchObject({ kind: 'dead', error: { message: 'a fault of our own' } });
  expect(log.lines).toMatchObject([{ level: 'ERROR', message: 'the attempt itself failed', task_id: 'job-1' }]);
  expect(executor.running.size).toBe(0);
});

describe('a job is refused before its task is called', () => {
  const handler = vi.fn();
  beforeEach(() => handler.mockClear());
  afterEach(() => expect(handler).not.toHaveBeenCalled());

  test('when it has expired: it is revoked', async () => {
    const { perform, clock, hookNames } = setUp(handler);
    const expiresAt = clock.now();
    expect(await perform({ meta: { expiresAt } })).toEqual({
      kind: 'ended',
      state: 'REVOKED',
      reason: 'expired at 2023-11-14T22:13:20.000Z',
    });
    expect(hookNames()).toEqual([]);
  });

  test('when a foreign producer wrote an expiry that is no date', async () => {
    const { perform } = setUp(handler);
    expect(await perform({ meta: { expiresAt: -1e300 } })).toMatchObject({ kind: 'ended', state: 'REVOKED' });
  });

  test('when its data is not JSON: it is a dead letter that says so', async () => {
    const { perform, hookNames } = setUp(handler);
    expect(await perform({ unreadable: 'Unexpected token', args: ['{oops'] })).toMatchObject({
      kind: 'dead',
      error: { code: 'INVALID_PAYLOAD', message: expect.stringContaining('Unexpected token') },
    });
    expect(hookNames()).toEqual(['taskDead']);
  });

  test('when its workers were lost too often: it is a dead letter', async () => {
    const { perform } = setUp(handler);
    expect(await perform({ workersLost: 3 })).toMatchObject({
      kind: 'dead',
      error: { name: 'WorkerLost', code: 'WORKER_LOST', message: expect.stringContaining('3 times') },
    });
  });

  test('when the worker is stopping: it is handed back untouched', async () => {
    const { perform, executor, log, hookNames } = setUp(handler);
    executor.refuse();
    expect(await perform()).toEqual({ kind: 'released' });
    expect(executor.handedBack).toBe(0);
    expect(hookNames()).toEqual([]);
    expect(log.lines).toEqual([]);
  });
});

test('a job whose expiry is still to come and whose workers were lost within the limit runs', async () => {
  const { perform, clock } = setUp(() => 'ran');
  expect(await perform({ meta: { expiresAt: clock.now() + 1 }, workersLost: 2 })).toEqual({
    kind: 'succeeded',
    result: 'ran',
  });
});

describe('time limits', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const untilAborted = async (): Promise<string> => {
    const { signal } = context();
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    return (signal.reason as Error).constructor.name;
  };

  test('the soft one aborts the signal with SoftTimeLimitExceeded as its reason, and the task may still succeed', async () => {
    const { perform } = setUp([define('a.task', { softTimeLimit: '5s', timeLimit: '10s' }, untilAborted)]);
    const outcome = perform();
    await vi.advanceTimersByTimeAsync(5000);
    expect(await outcome).toEqual({ kind: 'succeeded', result: SoftTimeLimitExceeded.name });
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a signal that is asked for after the soft limit has aborted already', async () => {
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
    const { perform } = setUp([
      define('a.task', { softTimeLimit: '5s' }, async () => {
        await asked;
        context().signal.throwIfAborted();
      }),
    ]);
    const outcome = perform();
    await vi.advanceTimersByTimeAsync(5000);
    ask();
    expect(await outcome).toMatchObject({ kind: 'dead', error: { code: 'SOFT_TIME_LIMIT' } });
  });

  test('the hard one aborts the signal, fails the attempt and flags the function that goes on', async () => {
    const { promise: work, resolve: finish } = Promise.withResolvers<void>();
    let reason: unknown;
    const { perform, log } = setUp([
      define('a.task', { timeLimit: '10s', retry: { max: 1, delay: 0 } }, async () => {
        const { signal } = context();
        signal.addEventListener('abort', () => {
          reason = signal.reason;
        });
        await work;
      }),
    ]);
    const outcome = perform({ meta: { requestId: 'r-1' } });
    await vi.advanceTimersByTimeAsync(9999);
    expect(log.messages).toEqual(['task started']);
    await vi.advanceTimersByTimeAsync(1);
    expect(await outcome).toMatchObject({ kind: 'retry', error: { code: 'TIME_LIMIT', name: 'TimeLimitExceeded' } });
    expect(reason).toBeInstanceOf(TimeLimitExceeded);
    expect(log.lines[1]).toMatchObject({
      level: 'WARN',
      message: 'the task is given up, but its function goes on in this process',
      request_id: 'r-1',
    });
    finish();
    await nextTurn();
    expect(log.messages.at(-1)).toBe('the function of a task that was given up has ended');
  });

  test('a function that fails after it was given up is said in the log and harms nothing', async () => {
    const { promise: work, reject: fail } = Promise.withResolvers<void>();
    const { perform, log } = setUp([define('a.task', { timeLimit: 10 }, () => work)]);
    const outcome = perform();
    await vi.advanceTimersByTimeAsync(10);
    await outcome;
    fail(new Error('too late'));
    await nextTurn();
    expect(log.lines.at(-1)).toMatchObject({
      message: 'the function of a task that was given up has failed',
      err: { message: 'too late' },
    });
  });

  test.each<[string, object, object, object, number]>([
    ['the call before the task', { timeLimitMs: 100 }, { timeLimit: 200 }, { timeLimitMs: 300 }, 100],
    ['the task before the worker', {}, { timeLimit: 200 }, { timeLimitMs: 300 }, 200],
    ['the worker when nobody else has one', {}, {}, { timeLimitMs: 300 }, 300],
  ])('are taken from %s', async (_, meta, task, worker, limitMs) => {
    const { perform } = setUp([define('a.task', task, () => new Promise(() => {}))], worker);
    const outcome = perform({ meta });
    await vi.advanceTimersByTimeAsync(limitMs);
    expect(await outcome).toMatchObject({ error: { message: expect.stringContaining(`limit of ${limitMs} ms`) } });
  });

  test('a limit longer than a timer can wait does not pass at once', async () => {
    const { perform } = setUp([define('a.task', { softTimeLimit: '30d', timeLimit: '40d' }, untilAborted)]);
    let ended = false;
    void perform().then(() => {
      ended = true;
    });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(ended).toBe(false);
  });

  test('a task that ends in time leaves no timer behind', async () => {
    const { perform } = setUp([define('a.task', { softTimeLimit: '5s', timeLimit: '10s' }, () => 1)]);
    await perform();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('stopping', () => {
  test('aborts the signals of the running tasks, and a task that gives up then is released and not charged', async () => {
    const { executor, perform, log, hookNames } = setUp(async () => {
      const { signal } = context();
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
    });
    const outcome = perform();
    await nextTurn();
    expect(executor.running.size).toBe(1);
    executor.abortAll();
    expect(await outcome).toEqual({ kind: 'released' });
    expect(executor.handedBack).toBe(1);
    expect(executor.running.size).toBe(0);
    expect(log.messages.at(-1)).toBe('job handed back to its queue');
    expect(hookNames()).toEqual(['taskStart']);
  });

  test('lets a task that ends well in spite of it succeed', async () => {
    const { executor, perform } = setUp(async () => {
      const { signal } = context();
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      return (signal.reason as TqError).code;
    });
    const outcome = perform();
    await nextTurn();
    executor.abortAll();
    expect(await outcome).toEqual({ kind: 'succeeded', result: 'WORKER_STOPPING' });
    expect(executor.handedBack).toBe(0);
  });

  test('releases a task that does not listen, and flags its function', async () => {
    const { executor, perform, log } = setUp(() => new Promise(() => {}));
    const outcome = perform();
    await nextTurn();
    executor.abortAll();
    executor.releaseAll();
    expect(await outcome).toEqual({ kind: 'released' });
    expect(executor.handedBack).toBe(1);
    expect(log.messages).toContain('the task is given up, but its function goes on in this process');
  });

  test.each(['abortAll', 'releaseAll'] as const)(
    'does not begin a function whose arguments were still being checked (%s)',
    async (stop) => {
      const { promise: checked, resolve: finishCheck } = Promise.withResolvers<{ value: number }>();
      const handler = vi.fn();
      const input = { '~standard': { version: 1, vendor: 'test', validate: () => checked } };
      const { executor, perform } = setUp([define('a.task', { input }, handler)]);
      const outcome = perform({ args: [1] });
      await nextTurn();
      executor[stop]();
      finishCheck({ value: 1 });
      expect(await outcome).toEqual({ kind: 'released' });
      expect(handler).not.toHaveBeenCalled();
    },
  );
});

test('memory stays flat: nothing of an attempt is kept once it has ended', async () => {
  const { setFlagsFromString } = await import('node:v8');
  const { runInNewContext } = await import('node:vm');
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  let result: WeakRef<object> | undefined;
  const { executor, calls } = setUp(() => {
    const value = { big: 'x'.repeat(100) };
    result = new WeakRef(value);
    return value;
  });
  await executor.perform(new FakeJob());
  calls.length = 0;
  await nextTurn();
  collectGarbage();
  await nextTurn();
  collectGarbage();
  expect(result?.deref()).toBeUndefined();
});
