import { expect, test } from 'vitest';
import { systemClock } from '../../../src/engine/runtime/system-clock.ts';

test('wall time is epoch milliseconds', () => {
  const before = Date.now();
  const now = systemClock.now();
  expect(now).toBeGreaterThanOrEqual(before);
  expect(now).toBeLessThanOrEqual(Date.now());
});

test('monotonic time never goes back', () => {
  const first = systemClock.monotonic();
  expect(systemClock.monotonic()).toBeGreaterThanOrEqual(first);
});
