import { expect } from 'vitest';
import { waitFor } from '../../../support/wait-for.ts';
import { defineRule, type Subject } from './rule.ts';

let names = 0;

/** A key that no other test uses. */
function keyName(): string {
  names += 1;
  return `test/${process.pid}/${names}`;
}

export const state: Subject = {
  subject: 'state beyond jobs',
  rules: [
    defineRule('what is written is read, and gone when it is removed', async ({ broker }) => {
      const key = keyName();
      expect(await broker.state.read(key)).toBeUndefined();
      const version = await broker.state.write(key, '{"a":"ü"}');
      expect(await broker.state.read(key)).toEqual({ key, value: '{"a":"ü"}', version, leftMs: null });
      expect(await broker.state.remove(key)).toBe(true);
      expect(await broker.state.remove(key)).toBe(false);
      expect(await broker.state.read(key)).toBeUndefined();
    }),

    defineRule('of several that expect the same version, one wins', async ({ broker, openBroker }) => {
      const key = keyName();
      const others = [broker, await openBroker(), await openBroker()];
      const made = await Promise.all(
        others.map(({ state }, index) => state.write(key, `${index}`, { expected: null })),
      );
      expect(made.filter((version) => version !== undefined)).toHaveLength(1);
      const expected = made.find((version) => version !== undefined) as string;
      const changed = await Promise.all(
        others.map(({ state }, index) => state.write(key, `new ${index}`, { expected })),
      );
      expect(changed.filter((version) => version !== undefined)).toHaveLength(1);
      expect((await broker.state.read(key))?.version).toBe(changed.find((version) => version !== undefined));
    }),

    defineRule('a wrong expectation writes and removes nothing', async ({ broker }) => {
      const key = keyName();
      const first = await broker.state.write(key, 'first');
      const second = await broker.state.write(key, 'second');
      expect(second).not.toBe(first);
      expect(await broker.state.write(key, 'third', { expected: first as string })).toBeUndefined();
      expect(await broker.state.write(key, 'third', { expected: null })).toBeUndefined();
      expect(await broker.state.remove(key, first)).toBe(false);
      expect((await broker.state.read(key))?.value).toBe('second');
      expect(await broker.state.remove(key, second)).toBe(true);
      expect(await broker.state.write(key, 'again', { expected: second as string })).toBeUndefined();
    }),

    defineRule('an entry whose time is over is none', async ({ broker }) => {
      const key = keyName();
      const version = await broker.state.write(key, 'short', { ttlMs: 50 });
      expect((await broker.state.read(key))?.leftMs ?? 0).toBeLessThanOrEqual(50);
      await waitFor('the entry is over', async () => (await broker.state.read(key)) === undefined);
      expect(await broker.state.list(key)).toEqual([]);
      expect(await broker.state.remove(key)).toBe(false);
      expect(await broker.state.write(key, 'late', { expected: version as string })).toBeUndefined();
      expect(await broker.state.write(key, 'new', { expected: null })).toBeDefined();
      expect((await broker.state.read(key))?.leftMs).toBeNull();
    }),

    defineRule('entries are listed by the begin of their keys, in the order of their bytes', async ({ broker }) => {
      const begin = `${keyName()}/`;
      const parts = ['b', 'a', 'a/z', 'Z', 'ä', 'a%', '10', '9', 'a_b', '😀'];
      for (const part of parts) await broker.state.write(`${begin}${part}`, part, { ttlMs: 60_000 });
      await broker.state.write(begin.slice(0, -1), 'not below it');
      const listed = await broker.state.list(begin);
      const sorted = parts.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
      expect(listed.map(({ value }) => value)).toEqual(sorted);
      expect((await broker.state.list(begin, 3)).map(({ value }) => value)).toEqual(sorted.slice(0, 3));
      const rest = await broker.state.list(begin, 4, `${begin}${sorted[2]}`);
      expect(rest.map(({ value }) => value)).toEqual(sorted.slice(3, 7));
      expect(await broker.state.list(begin, 4, `${begin}${sorted.at(-1)}`)).toEqual([]);
      expect(listed.every(({ leftMs }) => leftMs !== null && leftMs > 0)).toBe(true);
    }),

    defineRule('a counter sums for its time, and starts anew after it', async ({ broker, openBroker }) => {
      const key = keyName();
      const other = await openBroker();
      const counts = await Promise.all([
        broker.state.count(key, 1, 60_000),
        other.state.count(key, 2, 60_000),
        broker.state.count(key, 3, 60_000),
      ]);
      expect(Math.max(...counts.map(({ total }) => total))).toBe(6);
      expect(counts.every(({ leftMs }) => leftMs > 0 && leftMs <= 60_000)).toBe(true);
      const short = keyName();
      await broker.state.count(short, 5, 1);
      await waitFor('a new window', async () => (await broker.state.count(short, 1, 1)).total === 1);
    }),

    defineRule('a lease has one holder until it is released or its time is over', async ({ broker, openBroker }) => {
      const key = keyName();
      const other = await openBroker();
      expect(await broker.state.lease(key, 'one', 60_000)).toMatchObject({ holder: 'one' });
      expect(await other.state.lease(key, 'two', 60_000)).toMatchObject({ holder: 'one' });
      expect(await broker.state.lease(key, 'one', 30_000)).toMatchObject({ holder: 'one' });
      expect(await other.state.release(key, 'two')).toBe(false);
      expect(await broker.state.release(key, 'one')).toBe(true);
      expect(await other.state.lease(key, 'two', 20)).toMatchObject({ holder: 'two' });
      await waitFor('the lease is over', async () => (await broker.state.lease(key, 'one', 60_000)).holder === 'one');
      const racers = ['a', 'b', 'c', 'd'].map((holder) => other.state.lease(`${key}/race`, holder, 60_000));
      const winners = new Set((await Promise.all(racers)).map(({ holder }) => holder));
      expect(winners.size).toBe(1);
    }),

    defineRule('the last entries can be listed first, and many be counted and removed at once', async ({ broker }) => {
      const begin = `${keyName()}/`;
      for (const part of ['a', 'b', 'c']) await broker.state.write(`${begin}${part}`, part);
      const [last, second] = await broker.state.listBack(begin, 2);
      expect([last?.value, second?.value]).toEqual(['c', 'b']);
      expect((await broker.state.listBack(begin, 2, second?.key)).map(({ value }) => value)).toEqual(['a']);
      expect(await broker.state.size(begin)).toBe(3);
      const version = (await broker.state.read(`${begin}a`))?.version as string;
      await broker.state.write(`${begin}b`, 'b');
      const entries = [
        { key: `${begin}a`, version },
        { key: `${begin}b`, version },
        { key: `${begin}c` },
        { key: `${begin}none` },
      ];
      expect(await broker.state.removeAll(entries)).toBe(2);
      expect((await broker.state.list(begin)).map(({ value }) => value)).toEqual(['b']);
      expect(await broker.state.size(begin)).toBe(1);
      expect(await broker.state.removeAll([])).toBe(0);
    }),

    defineRule('no two callers get the same instant of a line', async ({ broker, openBroker }) => {
      const key = keyName();
      const callers = [broker, await openBroker(), broker, await openBroker(), broker];
      const spaced = { spacingMs: 60_000, horizonMs: 3_600_000 };
      const places = await Promise.all(callers.map(({ state }) => state.reserve(key, spaced)));
      expect(places.every(({ taken }) => taken)).toBe(true);
      const waits = places.map(({ waitMs }) => waitMs).sort((a, b) => a - b);
      expect(waits[0]).toBe(0);
      for (const [index, waitMs] of waits.entries()) {
        expect(waitMs).toBeLessThanOrEqual(index * 60_000);
        expect(waitMs).toBeGreaterThan(index * 60_000 - 30_000);
      }
    }),

    defineRule(
      'an instant beyond the horizon is not taken, and one within the tolerance need not be waited for',
      async ({ broker }) => {
        const key = keyName();
        const near = { spacingMs: 60_000, horizonMs: 1000 };
        expect(await broker.state.reserve(key, near)).toEqual({ taken: true, waitMs: 0 });
        for (let times = 0; times < 3; times += 1) {
          const refused = await broker.state.reserve(key, near);
          expect(refused.taken).toBe(false);
          expect(refused.waitMs).toBeGreaterThan(1000);
          expect(refused.waitMs).toBeLessThanOrEqual(60_000);
        }
        const early = { ...near, toleranceMs: 60_000 };
        expect(await broker.state.reserve(key, early)).toEqual({ taken: true, waitMs: 0 });
        expect(await broker.state.reserve(key, early)).toMatchObject({ taken: false });
      },
    ),

    defineRule('no more places are occupied than there are, whoever asks', async ({ broker, openBroker }) => {
      const key = keyName();
      const others = [broker, await openBroker(), await openBroker()];
      const holders = ['a', 'b', 'c', 'd', 'e', 'f'];
      const two = { places: 2, ttlMs: 60_000 };
      const asked = await Promise.all(
        holders.map((holder, index) => (others[index % 3] ?? broker).state.occupy(key, holder, two)),
      );
      const inside = holders.filter((_, index) => asked[index]?.taken);
      expect(inside).toHaveLength(2);
      const [first = '', second = ''] = inside;
      expect(await broker.state.occupy(key, first, two)).toMatchObject({ taken: true, free: 0 });
      const refused = await broker.state.occupy(key, 'late', two);
      expect(refused).toMatchObject({ taken: false, free: 0 });
      expect(refused.leftMs).toBeGreaterThan(30_000);
      expect(await broker.state.occupy(key, 'late', { ...two, places: 3 })).toMatchObject({ taken: true, free: 0 });
      expect(await broker.state.vacate(key, 'nobody')).toBe(false);
      expect(await broker.state.vacate(key, first)).toBe(true);
      expect(await broker.state.vacate(key, first)).toBe(false);
      expect(await broker.state.vacate(key, second)).toBe(true);
      expect(await broker.state.occupy(key, 'next', two)).toMatchObject({ taken: true, free: 0 });
    }),

    defineRule(
      'the holders of places are listed until they give them back or their time is over',
      async ({ broker }) => {
        const key = keyName();
        expect(await broker.state.listHolders(key)).toEqual([]);
        for (const holder of ['a', 'b']) await broker.state.occupy(key, holder, { places: 3, ttlMs: 60_000 });
        await broker.state.occupy(key, 'dead', { places: 3, ttlMs: 40 });
        const listed = async () => (await broker.state.listHolders(key)).sort().join();
        await waitFor('the dead one is not listed', async () => (await listed()) === 'a,b');
        await broker.state.vacate(key, 'a');
        expect(await listed()).toBe('b');
      },
    ),

    defineRule('a place that is not renewed is free', async ({ broker }) => {
      const key = keyName();
      expect(await broker.state.occupy(key, 'dead', { places: 1, ttlMs: 40 })).toMatchObject({ taken: true });
      const one = { places: 1, ttlMs: 60_000 };
      await waitFor('the place is free', async () => (await broker.state.occupy(key, 'next', one)).taken);
      expect(await broker.state.vacate(key, 'dead')).toBe(false);
    }),

    defineRule('state is no queue', async ({ broker }) => {
      await broker.state.write(keyName(), 'x');
      await broker.state.lease(keyName(), 'x', 60_000);
      await broker.state.count(keyName(), 1, 60_000);
      expect((await broker.listQueues()).filter((name) => name.includes('tq') || name.includes('test'))).toEqual([]);
    }),
  ],
};
