import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { createError } from '../../../src/engine/core/errors.ts';
import { toStoredError } from '../../../src/engine/core/job.ts';

describe('toStoredError', () => {
  test('keeps name, message, code and stack of an error', () => {
    const error = Object.assign(new TypeError('no'), { code: 'ERR_NO' });
    expect(toStoredError(error)).toEqual({ name: 'TypeError', message: 'no', code: 'ERR_NO', stack: error.stack });
  });

  test('adds the next step to the message of an error of tq', () => {
    expect(toStoredError(createError('NO_CONTEXT', {}))).toMatchObject({
      name: 'NoContext',
      code: 'NO_CONTEXT',
      message: expect.stringMatching(/^context\(\) was called outside a running task \(call it from /),
    });
  });

  test.each<[unknown, string | null]>([
    [404, '404'],
    ['E1', 'E1'],
    [{ nested: 1 }, null],
    [undefined, null],
  ])('reads the code %j as %j', (code, stored) => {
    expect(toStoredError(Object.assign(new Error('no'), { code })).code).toBe(stored);
  });

  test.each<[string, unknown, string]>([
    ['a text', 'just a text', 'just a text'],
    ['undefined', undefined, 'undefined'],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
    ['an object', { reason: 'no' }, '[object Object]'],
    ['an object that has no text', Object.create(null), 'a thrown value that cannot be shown'],
  ])('says what it can of %s that was thrown', (_, thrown, message) => {
    expect(toStoredError(thrown)).toEqual({ name: 'Error', message, code: null, stack: null });
  });

  test('gives texts also for an error whose fields are none', () => {
    const odd = Object.defineProperties(new Error('no'), { message: { value: { a: 1 } }, name: { value: 7 } });
    expect(toStoredError(odd)).toMatchObject({ name: '7', message: '[object Object]' });
    expect(toStoredError(Object.assign(new Error('no'), { stack: 5 })).stack).toBeNull();
  });

  test('does not trip over an error whose fields throw when they are read', () => {
    const trap = Object.defineProperty(new Error('no'), 'message', {
      get() {
        throw new Error('trap');
      },
    });
    expect(toStoredError(trap)).toMatchObject({ message: 'a thrown value that cannot be shown' });
  });

  test('knows an error of another realm', () => {
    expect(toStoredError(runInNewContext('new RangeError("far away")'))).toMatchObject({
      name: 'RangeError',
      message: 'far away',
    });
  });
});
