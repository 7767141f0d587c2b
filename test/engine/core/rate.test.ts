import { expect, test } from 'vitest';
import { formatRate, parseRate, spacingOf } from '../../../src/engine/core/rate.ts';

test.each([
  ['10/s', { count: 10, periodMs: 1000 }, '10/s', 100],
  ['100/m', { count: 100, periodMs: 60_000 }, '100/m', 600],
  ['1/h', { count: 1, periodMs: 3_600_000 }, '1/h', 3_600_000],
  ['100/10s', { count: 100, periodMs: 10_000 }, '100/10s', 100],
  [' 5 / 2h ', { count: 5, periodMs: 7_200_000 }, '5/2h', 1_440_000],
  ['3/60s', { count: 3, periodMs: 60_000 }, '3/m', 20_000],
])('%j is a rate', (text, rate, formatted, spacingMs) => {
  expect(parseRate(text, 'it')).toEqual(rate);
  expect(formatRate(rate)).toBe(formatted);
  expect(spacingOf(rate)).toBe(spacingMs);
});

test.each(['', '10', '0/s', '-1/s', '1.5/s', '10/d', '10/0s', '1/745h', '9999999/s', '1/s/s', 10, null, undefined, {}])(
  '%j is none',
  (given) => {
    expect(() => parseRate(given, 'rateLimit of task "a"')).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        message: expect.stringMatching(/^rateLimit of task "a" must be a rate such as 10\/s/),
      }),
    );
  },
);
