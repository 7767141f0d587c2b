import { expect, test } from 'vitest';
import { countOf, nameSome } from '../../../src/engine/core/counted.ts';

test('one is singular, and nothing is plural', () => {
  expect([0, 1, 2].map((count) => countOf(count, 'queue'))).toEqual(['0 queues', '1 queue', '2 queues']);
  expect([1, 2].map((count) => countOf(count, 'entry', 'entries'))).toEqual(['1 entry', '2 entries']);
});

test('five are named, and the rest is counted', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  expect(nameSome([])).toBe('');
  expect(nameSome(names.slice(0, 5))).toBe('a, b, c, d, e');
  expect(nameSome(names)).toBe('a, b, c, d, e and 2 more');
  expect(nameSome(names, '; ')).toBe('a; b; c; d; e; and 2 more');
});
