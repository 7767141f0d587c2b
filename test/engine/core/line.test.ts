import { expect, test } from 'vitest';
import { takeInstant } from '../../../src/engine/core/line.ts';

const spaced = { spacingMs: 100, horizonMs: 1000 };

test('instants are evenly spaced, the first one now', () => {
  const waits: number[] = [];
  let freeAt: number | undefined;
  for (let caller = 0; caller < 4; caller += 1) {
    const place = takeInstant(freeAt, 5000, spaced);
    waits.push(place.waitMs);
    freeAt = place.freeAt;
  }
  expect(waits).toEqual([0, 100, 200, 300]);
});

test('a line that was not used saves nothing up', () => {
  const first = takeInstant(undefined, 0, spaced);
  const second = takeInstant(first.freeAt, 90_000, spaced);
  expect(second).toEqual({ taken: true, waitMs: 0, freeAt: 90_100 });
  expect(takeInstant(second.freeAt, 90_000, spaced).waitMs).toBe(100);
});

test('an instant beyond the horizon is not taken, and stays the next one', () => {
  expect(takeInstant(6001, 5000, spaced)).toEqual({ taken: false, waitMs: 1001, freeAt: 6001 });
  expect(takeInstant(6000, 5000, spaced)).toEqual({ taken: true, waitMs: 1000, freeAt: 6100 });
});

test('a late caller is made up for within the tolerance, and the spacing holds in the long run', () => {
  const options = { spacingMs: 100, horizonMs: 0, toleranceMs: 30 };
  let freeAt: number | undefined;
  const starts: number[] = [];
  for (let now = 0; now < 10_000; now += 10) {
    const place = takeInstant(freeAt, now, options);
    freeAt = place.freeAt;
    if (place.taken) starts.push(now);
  }
  expect(starts.slice(0, 3)).toEqual([0, 70, 170]);
  expect(starts.slice(1).every((at, index) => index === 0 || at - (starts[index] ?? 0) === 100)).toBe(true);
  expect(starts).toHaveLength(101);
});
