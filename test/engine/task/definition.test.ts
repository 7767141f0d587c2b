import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { NO_RETRY } from '../../../src/engine/core/retry-policy.ts';
import { defineTask, type TaskOptions } from '../../../src/engine/task/definition.ts';

const handler = (): void => {};

describe('defineTask', () => {
  test('takes a name and a function, and retries nothing', () => {
    expect(defineTask('email.send', handler)).toMatchObject({
      name: 'email.send',
      handler,
      queue: undefined,
      retry: NO_RETRY,
      retryIsDefault: true,
      keepResultSeconds: undefined,
    });
  });

  test('reads its options, durations as milliseconds and the result expiry as whole seconds', () => {
    const options: TaskOptions = {
      queue: 'high',
      retry: { max: 5 },
      priority: 9,
      softTimeLimit: '9m',
      timeLimit: '10m',
      expires: '1h',
      resultExpires: 1500,
      description: 'sends',
    };
    expect(defineTask('a', options, handler)).toMatchObject({
      queue: 'high',
      retry: { max: 5, delayMs: 1000 },
      retryIsDefault: false,
      priority: 9,
      softTimeLimitMs: 540_000,
      timeLimitMs: 600_000,
      expiresMs: 3_600_000,
      keepResultSeconds: 2,
      description: 'sends',
    });
  });

  test('tells a task without retries from one that says nothing about them', () => {
    expect(defineTask('a', { retry: false }, handler)).toMatchObject({ retry: { max: 0 }, retryIsDefault: false });
    expect(defineTask('a', { retry: true }, handler)).toMatchObject({ retry: { max: 3 }, retryIsDefault: false });
  });

  test('keeps no result when it is to be ignored', () => {
    expect(defineTask('a', { ignoreResult: true, resultExpires: '1h' }, handler).keepResultSeconds).toBe(false);
  });

  test.each<[unknown, string]>([
    ['', '""'],
    ['two words', '"two words"'],
    ['line\nend', '"line\\nend"'],
    ['\u001b[31m', '"\\u001b[31m"'],
    ['x'.repeat(201), `"${'x'.repeat(199)}…`],
    [undefined, 'undefined'],
    [5n, '5n'],
  ])('refuses the name %s', (name, shown) => {
    expect(() => defineTask(name as string, handler)).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        message: `the name of a task must be a text of 1 to 200 characters without spaces, got ${shown}`,
      }),
    );
  });

  test.each<[string, TaskOptions, string, string]>([
    ['an unknown option', { retries: 5 } as TaskOptions, 'UNKNOWN_OPTION', 'task "a" has no option "retries"'],
    ['a priority out of range', { priority: 10 }, 'INVALID_OPTION', 'priority of task "a" must be a whole number'],
    ['a priority that is no number', { priority: Number.NaN }, 'INVALID_OPTION', 'got NaN'],
    ['a bad duration', { timeLimit: '-5s' }, 'INVALID_DURATION', 'timeLimit of task "a" must be a duration, got "-5s"'],
    ['a bad expiry', { expires: 'soon' }, 'INVALID_DURATION', 'expires of task "a" must be a duration'],
    ['a bad retry', { retry: { max: -1 } }, 'INVALID_OPTION', 'max in retry of task "a" must be a whole number'],
    [
      'an unknown delivery',
      { delivery: 'once' } as never,
      'INVALID_OPTION',
      'delivery of task "a" must be "at-least-once" or "at-most-once", got "once"',
    ],
    [
      'retries of a job that may be started only once',
      { delivery: 'at-most-once', retry: true },
      'INVALID_OPTION',
      'retry of task "a" must be left out with delivery "at-most-once", got a policy of 3 retries',
    ],
    [
      'a soft limit that is not below the hard one',
      { softTimeLimit: '10s', timeLimit: '10s' },
      'INVALID_OPTION',
      'softTimeLimit of task "a" must be shorter than its timeLimit of 10000 ms, got 10000 ms',
    ],
  ])('refuses %s and names the task', (_, options, code, message) => {
    expect(() => defineTask('a', options, handler)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });

  test('a task with the delivery at-most-once does not take the retries of its app', () => {
    const once = defineTask('a', { delivery: 'at-most-once' }, handler);
    expect(once).toMatchObject({ delivery: 'at-most-once', retry: { max: 0 }, retryIsDefault: false });
    expect(defineTask('a', { delivery: 'at-most-once', retry: { max: 0 } }, handler).retry.max).toBe(0);
    expect(defineTask('a', handler)).toMatchObject({ delivery: 'at-least-once', retryIsDefault: true });
  });

  test('refuses a task without a function, and one with both kinds of schema', () => {
    expect(() => defineTask('a', {}, undefined as never)).toThrow('the handler of task "a" must be a function');
    const both = { input: z.string(), args: z.tuple([z.string()]) } as never;
    expect(() => defineTask('a', both, handler)).toThrow('task "a" must be either `input` or `args`, got both');
  });
});
