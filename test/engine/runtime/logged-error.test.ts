import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { describeError } from '../../../src/engine/runtime/logged-error.ts';

test('an error has its class, message, stack and code, and nothing else', () => {
  const error = Object.assign(new RangeError('too far'), { code: 'E_FAR', request: { password: 'hunter2' } });
  expect(describeError(error)).toEqual({ type: 'RangeError', message: 'too far', stack: error.stack, code: 'E_FAR' });
});

test('an error without a code has null', () => {
  expect(describeError(new Error('x')).code).toBeNull();
});

test('the stacks of causes follow, and a cycle of causes ends', () => {
  const root = new Error('root');
  const error = new Error('top', { cause: root });
  root.cause = error;
  const { stack } = describeError(error);
  expect(stack).toMatch(/^Error: top\n[\s\S]*\ncaused by: Error: root\n/);
  expect(stack?.split('caused by').length).toBeLessThan(20);
});

test.each([
  ['text', { type: 'string', message: 'text' }],
  [null, { type: 'object', message: 'null' }],
  [undefined, { type: 'undefined', message: 'undefined' }],
  [{ a: 1 }, { type: 'object', message: '[object Object]' }],
  [Object.create(null), { type: 'object', message: 'unreadable' }],
])('%j, which is no error, is shown as text', (thrown, shown) => {
  expect(describeError(thrown)).toEqual({ ...shown, stack: null, code: null });
});

test('an error of another realm is an error', () => {
  expect(describeError(runInNewContext(`new TypeError('far')`))).toMatchObject({ type: 'TypeError', message: 'far' });
});

test('a frozen error and one whose getters throw are survived', () => {
  expect(describeError(Object.freeze(new Error('cold')))).toMatchObject({ message: 'cold' });
  const hostile = new Error('x');
  for (const key of ['name', 'message', 'stack', 'code', 'cause']) {
    Object.defineProperty(hostile, key, {
      get: () => {
        throw new Error('no');
      },
    });
  }
  expect(describeError(hostile)).toEqual({ type: 'unreadable', message: 'unreadable', stack: null, code: null });
});
