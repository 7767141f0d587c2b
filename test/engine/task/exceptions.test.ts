import { describe, expect, test } from 'vitest';
import { Ignore, Reject, Retry } from '../../../src/engine/task/exceptions.ts';

describe('Retry', () => {
  test('reads its countdown in milliseconds and keeps its cause', () => {
    const cause = new Error('429');
    const retry = new Retry('later', { countdown: '1m', max: 5, cause });
    expect(retry).toMatchObject({ name: 'Retry', message: 'later', countdownMs: 60_000, max: 5, cause });
  });

  test('has neither when none is given', () => {
    expect(new Retry()).toMatchObject({
      message: 'the task asked to be retried',
      countdownMs: undefined,
      max: undefined,
    });
    expect('cause' in new Retry()).toBe(false);
  });

  test.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '3'])('refuses %s retries', (max) => {
    expect(() => new Retry('later', { max: max as number })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining('max of retry()') }),
    );
  });
});

test('Ignore and Reject are errors with a name and a reason', () => {
  const cause = new Error('below');
  expect(new Ignore('gone')).toMatchObject({ name: 'Ignore', message: 'gone' });
  expect(new Reject('malformed', { cause })).toMatchObject({ name: 'Reject', message: 'malformed', cause });
});
