import { expect, test } from 'vitest';
import { createJobId } from '../../../src/engine/core/job-id.ts';

test('a job id is a UUIDv7 of the millisecond of its call', () => {
  expect(createJobId(0x0192_3456_789a)).toMatch(/^01923456-789a-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('ids sort by their time, and those of one millisecond differ', () => {
  const times = [0, 1, 999, 1_700_000_000_000, 1_700_000_000_001, 2 ** 48 - 1];
  const ids = times.map(createJobId);
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(Array.from({ length: 1000 }, () => createJobId(5))).size).toBe(1000);
});

test('ids of one millisecond sort in the order in which they were made', () => {
  const ids = Array.from({ length: 5000 }, () => createJobId(0x0192_3456_789b));
  expect(ids.toSorted()).toEqual(ids);
});
