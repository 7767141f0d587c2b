import { expect, test } from 'vitest';
import { mapBounded } from '../../../src/engine/core/bounded.ts';

test('all are done, in any order, no more than so many at once, and the results keep the order of the items', async () => {
  const open: (() => void)[] = [];
  let most = 0;
  const done = mapBounded([1, 2, 3, 4, 5], 2, async (item) => {
    const gate = Promise.withResolvers<void>();
    open.push(gate.resolve);
    most = Math.max(most, open.length);
    await gate.promise;
    return item * 10;
  });
  while (open.length > 0) {
    open.pop()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await done).toEqual([10, 20, 30, 40, 50]);
  expect(most).toBe(2);
  expect(await mapBounded([], 2, async () => 1)).toEqual([]);
});

test('after a failure none is begun', async () => {
  const begun: number[] = [];
  const failed = mapBounded([1, 2, 3, 4, 5, 6], 2, async (item) => {
    begun.push(item);
    await Promise.resolve();
    if (item === 2) throw new Error('no');
  });
  await expect(failed).rejects.toThrow('no');
  expect(begun.length).toBeLessThan(6);
});
