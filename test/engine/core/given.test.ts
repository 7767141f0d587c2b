import { expect, test } from 'vitest';
import { formatGiven } from '../../../src/engine/core/given.ts';

const cycle: { self?: unknown } = {};
cycle.self = cycle;

test.each<[unknown, string]>([
  ['a text', '"a text"'],
  ['esc\u001b', '"esc\\u001b"'],
  [5, '5'],
  [Number.NaN, 'NaN'],
  [Number.NEGATIVE_INFINITY, '-Infinity'],
  [5n, '5n'],
  [undefined, 'undefined'],
  [null, 'null'],
  [true, 'true'],
  [Symbol('s'), 'Symbol(s)'],
  [{ a: [1] }, '{"a":[1]}'],
  [{ toJSON: () => undefined }, 'object'],
  [cycle, 'a value that cannot be shown'],
  ['x'.repeat(500), `"${'x'.repeat(199)}…`],
])('an error repeats %s as %s', (value, shown) => {
  expect(formatGiven(value)).toBe(shown);
});
