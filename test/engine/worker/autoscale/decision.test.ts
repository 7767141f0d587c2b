import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideSlots, KEEP_MS, type Load } from '../../../../src/engine/worker/autoscale/decision.ts';

const BOUNDS = { max: 8, min: 2 };
const load = (slots: number, busy: number, waiting = 0, calmMs = 0): Load => ({ slots, busy, waiting, calmMs });

describe('the number of slots', () => {
  test.each<[string, Load, number]>([
    ['grows to a slot for each job that runs or waits', load(2, 2, 3), 5],
    ['grows to its maximum and no further', load(2, 2, 100), 8],
    ['stays when all are busy and nothing waits', load(4, 4), 4],
    ['stays when jobs wait and a slot is free, because they are about to be taken', load(4, 3, 5), 4],
    ['stays when jobs wait at the maximum', load(8, 8, 5), 8],
    ['stays while there was need a moment ago', load(6, 1, 0, KEEP_MS - 1), 6],
    ['shrinks to what runs after a calm time', load(6, 3, 0, KEEP_MS), 3],
    ['shrinks to its minimum and no further', load(6, 0, 0, KEEP_MS), 2],
    ['does not shrink while jobs wait, however long ago it was checked', load(6, 5, 1, KEEP_MS), 6],
    ['does not shrink while all are busy', load(6, 6, 0, KEEP_MS), 6],
    ['comes into bounds that were made smaller, also while jobs run', load(10, 10), 8],
    ['comes into bounds that were made larger, also without need', load(1, 0), 2],
    ['counts jobs that are held beyond the slots', load(2, 3, 1), 4],
  ])('%s', (_, given, slots) => {
    expect(decideSlots(given, BOUNDS)).toBe(slots);
  });

  test('is always within the bounds, and without need it ends at the minimum', () => {
    const bounds = fc
      .tuple(fc.integer({ min: 1, max: 20 }), fc.nat(20))
      .map(([min, more]) => ({ min, max: min + more }));
    const any = fc.record({
      slots: fc.integer({ min: 1, max: 60 }),
      busy: fc.nat(60),
      waiting: fc.nat(60),
      calmMs: fc.nat(),
    });
    fc.assert(
      fc.property(any, bounds, (given, within) => {
        const next = decideSlots(given, within);
        expect(next).toBeGreaterThanOrEqual(within.min);
        expect(next).toBeLessThanOrEqual(within.max);
        expect(decideSlots({ slots: next, busy: 0, waiting: 0, calmMs: KEEP_MS }, within)).toBe(within.min);
      }),
    );
  });
});
