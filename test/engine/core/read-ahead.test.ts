import { expect, test } from 'vitest';
import { readAhead } from '../../../src/engine/core/read-ahead.ts';

function createSource(count: number, failAt?: number) {
  const asked: number[] = [];
  let closed = 0;
  async function* give() {
    try {
      for (let at = 0; at < count; at += 1) {
        asked.push(at);
        if (at === failAt) throw new Error('broken');
        yield at;
      }
    } finally {
      closed += 1;
    }
  }
  return { items: give(), asked, closed: () => closed };
}

test('one item is asked for ahead of the one that is worked on, and none beyond it', async () => {
  const { items, asked, closed } = createSource(4);
  const seen: [item: number, asked: number][] = [];
  for await (const item of readAhead(items)) {
    await Promise.resolve();
    seen.push([item, asked.length]);
  }
  expect(seen.map(([item]) => item)).toEqual([0, 1, 2, 3]);
  expect(seen.every(([item, count]) => count <= item + 2)).toBe(true);
  expect(seen[0]).toEqual([0, 2]);
  expect(closed()).toBe(1);
});

test('a reader that leaves closes the source, and what was asked for ahead is dropped', async () => {
  const { items, asked, closed } = createSource(10);
  for await (const item of readAhead(items)) if (item === 2) break;
  expect(asked.length).toBeLessThanOrEqual(4);
  expect(closed()).toBe(1);
});

test('an error comes where its item would, after those before it', async () => {
  const { items } = createSource(5, 2);
  const seen: number[] = [];
  await expect(async () => {
    for await (const item of readAhead(items)) seen.push(item);
  }).rejects.toThrow('broken');
  expect(seen).toEqual([0, 1]);
});
