import { expect, test } from 'vitest';
import { ranksInGap } from '../../../src/engine/broker/ranks-in-gap.ts';

const isAscending = (ranks: readonly number[]): boolean =>
  ranks.every((rank, index) => index === 0 || rank > (ranks[index - 1] as number));

test('ranks lie between their neighbours and ascend', () => {
  for (const whole of [true, false]) {
    const ranks = ranksInGap({ after: 10, before: 1000 }, 500, { whole });
    expect(ranks).toHaveLength(500);
    expect(ranks[0]).toBeGreaterThan(10);
    expect(ranks.at(-1)).toBeLessThan(1000);
    expect(isAscending(ranks)).toBe(true);
  }
});

test('a million jobs that come back in pages have room before the first one', () => {
  let after: number | undefined;
  for (let page = 0; page < 2000; page += 1) {
    const ranks = ranksInGap({ after, before: 5 }, 500, { whole: true });
    expect(after === undefined || (ranks[0] as number) > after).toBe(true);
    expect(isAscending(ranks)).toBe(true);
    after = ranks.at(-1);
    expect(after).toBeLessThan(5);
  }
});

test('fractions leave room for further pages between two neighbours', () => {
  let after = 7;
  for (let page = 0; page < 50; page += 1) {
    const ranks = ranksInGap({ after, before: 8 }, 500, { whole: false });
    expect(ranks[0]).toBeGreaterThan(after);
    expect(isAscending(ranks)).toBe(true);
    after = ranks.at(-1) as number;
    expect(after).toBeLessThan(8);
  }
});

test('whole ranks are those of the neighbour before where there is no room', () => {
  expect(ranksInGap({ after: 7, before: 8 }, 3, { whole: true })).toEqual([7, 7, 7]);
});
