import { expect, test } from 'vitest';
import { NumberGaps } from '../../../../src/engine/broker/postgres/number-gaps.ts';

function createGaps() {
  let now = 0;
  const gaps = new NumberGaps({ now: () => now, monotonic: () => now });
  return { gaps, pass: (ms: number) => (now += ms) };
}

test('numbers that were passed over are known until they are read', () => {
  const { gaps } = createGaps();
  gaps.startAfter(10);
  gaps.note([12, 15]);
  expect(gaps.list()).toEqual([11, 13, 14]);
  gaps.note([13, 16]);
  expect(gaps.list()).toEqual([11, 14]);
  gaps.note([]);
  expect(gaps.list()).toEqual([11, 14]);
});

test('a number that never comes is given up after a while, one that was passed over later is not', () => {
  const { gaps, pass } = createGaps();
  gaps.note([2]);
  pass(3000);
  gaps.note([4]);
  pass(3000);
  expect(gaps.list()).toEqual([3]);
  pass(3000);
  expect(gaps.list()).toEqual([]);
});

test('however far the numbers jump, few are watched', () => {
  const { gaps } = createGaps();
  gaps.note([1_000_000]);
  expect(gaps.list().length).toBeLessThanOrEqual(500);
  expect(gaps.list().at(-1)).toBe(999_999);
});
