import { expect, test } from 'vitest';
import { describeFailure } from '../../src/cli/failure.ts';
import { createError } from '../../src/engine/core/errors.ts';

test('an error is its message with its code, then what to do next', () => {
  const { text, exitCode } = describeFailure(createError('UNKNOWN_JOB', { id: 'a-1' }), false);
  expect(text).toMatch(/^tq: no queue holds a job with the id "a-1" \[UNKNOWN_JOB\]\n {4}check the id/);
  expect(exitCode).toBe(3);
});

test('the code stands behind the first line of a message that lists mistakes', () => {
  const error = createError('INVALID_CONFIG', { source: 'the configuration', mistakes: ['a is wrong', 'b is wrong'] });
  expect(describeFailure(error, false).text.split('\n').slice(0, 3)).toEqual([
    'tq: the configuration has 2 mistakes: [INVALID_CONFIG]',
    '  - a is wrong',
    '  - b is wrong',
  ]);
});

test('whatever else was thrown is an internal error; only debug shows stacks', () => {
  const thrown = new TypeError('x is not a function');
  expect(describeFailure(thrown, false)).toMatchObject({ exitCode: 1 });
  expect(describeFailure(thrown, false).text).toContain('x is not a function [INTERNAL]');
  expect(describeFailure(thrown, false).text).not.toContain('failure.test.ts');
  expect(describeFailure(thrown, true).text).toContain('failure.test.ts');
});
