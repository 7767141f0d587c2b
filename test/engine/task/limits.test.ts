import { expect, test } from 'vitest';
import { defineTask } from '../../../src/engine/task/definition.ts';

const work = (): void => undefined;
const limits = (options: object) => {
  const { rateLimit, concurrency } = defineTask('a.task', options, work);
  return { rateLimit, concurrency };
};

test('a task has no limits unless it says so', () => {
  expect(limits({})).toEqual({ rateLimit: undefined, concurrency: undefined });
});

test('a rate is that of each worker, or of all together', () => {
  expect(limits({ rateLimit: '100/m' }).rateLimit).toEqual({ count: 100, periodMs: 60_000, scope: 'worker' });
  expect(limits({ rateLimit: { rate: '100/10s' } }).rateLimit).toEqual({
    count: 100,
    periodMs: 10_000,
    scope: 'worker',
  });
  expect(limits({ rateLimit: { rate: '1/h', scope: 'global' } }).rateLimit).toMatchObject({
    count: 1,
    scope: 'global',
  });
});

test('a concurrency is that of the task, or of each key', () => {
  const key = (tenant: string): string => tenant;
  expect(limits({ concurrency: 5 }).concurrency).toEqual({ limit: 5, key: undefined });
  expect(limits({ concurrency: { limit: 2, key } }).concurrency).toEqual({ limit: 2, key });
});

test.each([
  [{ rateLimit: 'often' }, 'INVALID_OPTION', /^rateLimit of task "a.task" must be a rate/],
  [{ rateLimit: 10 }, 'INVALID_OPTION', /^rateLimit of task "a.task" must be a rate/],
  [{ rateLimit: null }, 'INVALID_OPTION', /^rateLimit of task "a.task"/],
  [{ rateLimit: {} }, 'INVALID_OPTION', /^rate of the rateLimit of task "a.task"/],
  [{ rateLimit: { rate: '1/s', scope: 'queue' } }, 'INVALID_OPTION', /^scope of the rateLimit of task "a.task"/],
  [
    { rateLimit: { rate: '1/s', scop: 'global' } },
    'UNKNOWN_OPTION',
    /^rateLimit of task "a.task" has no option "scop"/,
  ],
  [{ concurrency: 0 }, 'INVALID_OPTION', /^concurrency of task "a.task" must be a whole number from 1/],
  [{ concurrency: 1.5 }, 'INVALID_OPTION', /^concurrency of task "a.task"/],
  [{ concurrency: '5' }, 'INVALID_OPTION', /^concurrency of task "a.task"/],
  [{ concurrency: { key: work } }, 'INVALID_OPTION', /^limit of the concurrency of task "a.task"/],
  [{ concurrency: { limit: 1, key: 'tenant' } }, 'INVALID_OPTION', /^key of the concurrency of task "a.task"/],
  [{ concurrency: { limit: 1, keys: work } }, 'UNKNOWN_OPTION', /"keys".*did you mean "key"/],
  [{ rateLimits: '1/s' }, 'UNKNOWN_OPTION', /"rateLimits".*did you mean "rateLimit"/],
])('%j is refused', (options, code, message) => {
  expect(() => limits(options)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
});
