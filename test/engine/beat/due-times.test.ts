import { expect, test } from 'vitest';
import { DueTimes } from '../../../src/engine/beat/due-times.ts';

test('names come out in the order of their instants, also after many of them were moved and forgotten', () => {
  const times = new DueTimes();
  const model = new Map<string, number>();
  let seed = 1;
  const random = (below: number): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  for (let step = 0; step < 20_000; step += 1) {
    const name = `entry-${random(500)}`;
    if (random(4) === 0) {
      times.delete(name);
      model.delete(name);
    } else {
      const at = random(1_000_000);
      times.set(name, at);
      model.set(name, at);
    }
    if (step % 1000 === 0) {
      expect(times.next).toBe(model.size === 0 ? undefined : Math.min(...model.values()));
    }
  }
  expect(times.size).toBe(model.size);

  const half = times.takeUntil(500_000);
  expect(half.map((name) => model.get(name))).toEqual(
    [...model.values()].filter((at) => at <= 500_000).sort((a, b) => a - b),
  );
  expect(new Set(half).size).toBe(half.length);
  expect(times.size).toBe(model.size - half.length);
  expect(times.next).toBeGreaterThan(500_000);
});

test('an instant of exactly now is taken', () => {
  const times = new DueTimes();
  times.set('nightly', 1000);
  expect(times.takeUntil(999)).toEqual([]);
  expect(times.takeUntil(1000)).toEqual(['nightly']);
  expect(times.next).toBeUndefined();
});
