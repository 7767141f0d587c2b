import { expect, test } from 'vitest';
import { defineTask, type TaskOptions } from '../../../src/engine/task/definition.ts';

const define = (unique: unknown) => defineTask('a.task', { unique } as TaskOptions, () => undefined).unique;

test('a task without the option is not unique, true stands for the defaults', () => {
  expect(defineTask('a.task', () => undefined).unique).toBeUndefined();
  expect(define(false)).toBeUndefined();
  expect(define(true)).toEqual({ key: undefined, ttlMs: undefined, until: 'finished' });
  expect(define({})).toEqual(define(true));
});

test('its parts are kept, the time in milliseconds', () => {
  const key = (): string => 'k';
  expect(define({ key, ttl: '2m', until: 'started' })).toEqual({ key, ttlMs: 120_000, until: 'started' });
});

test.each([
  ['always', 'unique of task "a.task" must be true, or an object with key, ttl and until, got "always"'],
  [[1], 'unique of task "a.task" must be true, or an object with key, ttl and until, got [1]'],
  [null, 'unique of task "a.task" must be true, or an object with key, ttl and until, got null'],
  [{ until: 'ended' }, 'until in unique of task "a.task" must be "started" or "finished", got "ended"'],
  [{ key: 'id' }, 'key in unique of task "a.task" must be a function of the arguments, got "id"'],
  [{ ttl: 0 }, 'ttl in unique of task "a.task" must be longer than nothing, got 0'],
  [{ ttl: 'soon' }, 'ttl in unique of task "a.task" must be a duration, got "soon"'],
  [{ tll: '1m' }, 'unique of task "a.task" has no option "tll"; did you mean "ttl"?'],
])('%j is refused', (option, message) => {
  expect(() => define(option)).toThrow(message);
});
