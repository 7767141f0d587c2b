import { describe, expect, test } from 'vitest';
import { longestRecoveryMs, planLocks } from '../../../src/engine/core/lock-timing.ts';

describe.each([5000, 30_000, 600_000])('with a lock duration of %i ms', (lockDurationMs) => {
  const { lifeMs, renewMs, lookMs } = planLocks(lockDurationMs);

  test('a lock outlives a block of that time that begins just before a renewal', () => {
    expect(lifeMs - renewMs).toBeGreaterThan(lockDurationMs);
  });

  test('the job of a worker that dies just after a renewal is taken up within twice that time', () => {
    expect(longestRecoveryMs(lifeMs, lockDurationMs)).toBeLessThan(2 * lockDurationMs);
  });

  test('a look comes before the lock of a dead worker ends, so that the job is marked by then', () => {
    expect(2 * lookMs).toBeLessThan(lifeMs);
  });
});

test('a job is found by its second look, and by none before its lock has ended', () => {
  expect(longestRecoveryMs(null, 20_000)).toBe(20_000);
  expect(longestRecoveryMs(4000, 20_000)).toBe(20_000);
  expect(longestRecoveryMs(19_000, 20_000)).toBe(29_000);
});

test('the smallest lock duration still gives intervals that BullMQ takes', () => {
  expect(planLocks(1)).toEqual({ lifeMs: 1, renewMs: 1, lookMs: 1 });
});
