import { describe, expect, test } from 'vitest';
import { scanList } from '../../../../src/engine/broker/redis/list-scan.ts';

/** A list of ids as Redis has it: the first to be taken is its last. */
class FakeList {
  ids: string[];
  reads = 0;
  #next = 0;

  constructor(count: number) {
    this.ids = [];
    this.push(count);
  }

  push(count: number): void {
    this.ids = [...this.#create(count).reverse(), ...this.ids];
  }

  pushToHead(count: number): void {
    this.ids.push(...this.#create(count));
  }

  #create(count: number): string[] {
    return Array.from({ length: count }, () => `id-${this.#next++}`);
  }

  pop(count: number): void {
    this.ids.length = Math.max(0, this.ids.length - count);
  }

  remove(ids: readonly string[]): void {
    const gone = new Set(ids);
    this.ids = this.ids.filter((id) => !gone.has(id));
  }

  readonly client = {
    lrange: async (_key: string, begin: number, end: number): Promise<string[]> => {
      this.reads += 1;
      const size = this.ids.length;
      const first = begin < 0 ? Math.max(0, size + begin) : begin;
      const last = end < 0 ? size + end : end;
      return last < first ? [] : this.ids.slice(first, last + 1);
    },
    /** Taken jobs are still stored. */
    exists: async (...keys: string[]): Promise<number> => keys.length,
  } as unknown as Parameters<typeof scanList>[0];
}

/** All ids that a scan gives. @param between what happens after each page */
async function scan(
  list: FakeList,
  from: 'first' | 'last',
  between: (page: readonly string[], count: number) => void,
  limit = 100,
): Promise<string[]> {
  const met: string[] = [];
  let after: unknown;
  for (let count = 1; ; count += 1) {
    const page = await scanList(list.client, { key: 'bull:q:wait', from, limit, after });
    met.push(...page.ids);
    between(page.ids, count);
    after = page.next;
    if (after === undefined) return met;
    expect(count).toBeLessThan(5000);
  }
}

function expectPromise(met: readonly string[], before: readonly string[], list: FakeList): void {
  const seen = new Set(met);
  expect(seen.size).toBe(met.length);
  const staying = new Set(list.ids);
  expect(before.filter((id) => staying.has(id) && !seen.has(id))).toEqual([]);
}

describe.each(['first', 'last'] as const)('from the %s', (from) => {
  test('a list that nobody touches takes one read a page', async () => {
    const list = new FakeList(5000);
    const met = await scan(list, from, () => {}, 500);
    expect(met).toEqual(from === 'first' ? list.ids.toReversed() : list.ids);
    // One more for what is last when it begins.
    expect(list.reads).toBeLessThanOrEqual(12);
  });

  test.each([
    ['a few are taken', 3, 0, 0],
    ['more are taken than are looked at', 400, 0, 0],
    ['many are added', 0, 700, 0],
    ['more are added than one read holds', 0, 12_000, 0],
    ['many are put to the head', 0, 0, 300],
    ['all of it goes on at once', 70, 90, 30],
  ])('%s between two pages', async (_title, popped, pushed, toHead) => {
    const list = new FakeList(6000);
    const before = [...list.ids];
    const met = await scan(list, from, (_page, count) => {
      if (count > 12) return;
      list.pop(popped);
      list.push(pushed);
      list.pushToHead(toHead);
    });
    expectPromise(met, before, list);
  });

  test('a scan ends though more is added than it reads', async () => {
    const list = new FakeList(1000);
    const before = [...list.ids];
    const met = await scan(list, from, () => {
      list.push(150);
    });
    expectPromise(met, before, list);
    expect(met.length).toBeLessThanOrEqual(from === 'first' ? 1000 : 3000);
  });

  test.each([1, 2, 3, 7])('what is met is removed, of every page but one in %i', async (every) => {
    const list = new FakeList(9000);
    const before = [...list.ids];
    const met = await scan(list, from, (page, count) => {
      if (count % every !== 0 || every === 1) list.remove(page);
    });
    expect(met.toSorted()).toEqual(before.toSorted());
  });

  test('long stretches that are removed leave out nothing', async () => {
    const list = new FakeList(9000);
    const before = [...list.ids];
    const met = await scan(list, from, (page, count) => {
      if (count > 25 && count < 60) list.remove(page);
    });
    expect(met.toSorted()).toEqual(before.toSorted());
  });

  test('whatever happens by turns', async () => {
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 16_807) % 2_147_483_647;
      return seed % below;
    };
    for (let round = 0; round < 40; round += 1) {
      const list = new FakeList(500 + random(4000));
      const before = [...list.ids];
      const met = await scan(
        list,
        from,
        (page) => {
          if (random(3) === 0) list.pop(random(120));
          if (random(3) === 0) list.push(random(120));
          if (random(4) === 0) list.remove(page.filter(() => random(3) > 0));
        },
        20 + random(200),
      );
      expectPromise(met, before, list);
    }
  });
});
