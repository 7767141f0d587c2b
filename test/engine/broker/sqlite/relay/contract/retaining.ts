import { expect } from 'vitest';
import { waitFor } from '../../../../../support/wait-for.ts';
import { defineRule, LONG_MS, type RelaySubject, type RelayWorkshop } from '../relay-workshop.ts';

/** Retains a message for a moment, and resolves when the moment is over. */
async function retainBriefly({ backend, publish, store }: RelayWorkshop, topic: string): Promise<void> {
  await publish(topic, 'brief', { retainMs: 1 });
  store.advance(1);
  await waitFor('the message to run out', async () =>
    (await backend.getRetained(0, -1)).every((retained) => retained.topic !== topic),
  );
  // Redis keeps the message itself for the rest of the millisecond in which its index says that it is over.
  await store.tick();
  await store.tick();
}

export const retaining: RelaySubject = {
  subject: 'retained messages',
  rules: [
    defineRule('the last retained message of a topic is given to who subscribes to it', async (workshop) => {
      const { backend, register, publish } = workshop;
      await register('a');
      await publish('t.1', 'old', { retainMs: LONG_MS, ts: 5 });
      const { mid } = await publish('t.1', 'new "✓"', { retainMs: LONG_MS, ts: 7 });
      await publish('t.1', 'passing');
      await publish('t.2', 'other', { retainMs: LONG_MS });
      const retained = { mid, ts: 7, data: 'new "✓"' };
      expect(await backend.subscribe('a', 'e', 't.1')).toEqual({ added: true, retained });
      expect(await backend.subscribe('a', 'e', 't.1')).toEqual({ added: false, retained });
    }),

    defineRule('who subscribes to a pattern is given none', async ({ backend, register, publish }) => {
      await register('a');
      await publish('t', 'x', { retainMs: LONG_MS });
      for (const pattern of ['*', '>']) {
        expect((await backend.subscribe('a', 'e', pattern)).retained).toBeUndefined();
      }
    }),

    defineRule('a topic without one gives none', async ({ backend, register, publish }) => {
      await register('a');
      await publish('t');
      expect((await backend.subscribe('a', 'e', 't')).retained).toBeUndefined();
      expect(await backend.getRetained(0, -1)).toEqual([]);
    }),

    defineRule('one that has run out counts for nothing', async (workshop) => {
      const { backend, register } = workshop;
      await register('a');
      await retainBriefly(workshop, 't');
      expect((await backend.subscribe('a', 'e', 't')).retained).toBeUndefined();
      expect(await backend.getCounts()).toMatchObject({ retained: 0 });
      expect(await backend.deleteRetained('t')).toBe(false);
    }),

    defineRule('one can be deleted, once', async ({ backend, register, publish }) => {
      await register('a');
      await publish('t', 'x', { retainMs: LONG_MS });
      await publish('u', 'y', { retainMs: LONG_MS });
      expect(await backend.deleteRetained('t')).toBe(true);
      expect(await backend.deleteRetained('t')).toBe(false);
      expect((await backend.subscribe('a', 'e', 't')).retained).toBeUndefined();
      expect((await backend.getRetained(0, -1)).map(({ topic }) => topic)).toEqual(['u']);
    }),

    defineRule('they are listed by when they run out, in pages', async ({ backend, publish, store }) => {
      const before = store.now();
      const long = await publish('a', '1', { retainMs: 3 * LONG_MS, ts: 1 });
      await publish('b', '2', { retainMs: LONG_MS, ts: 2 });
      await publish('c', '3', { retainMs: 2 * LONG_MS, ts: 3 });
      const all = await backend.getRetained(0, -1);
      expect(all.map(({ topic }) => topic)).toEqual(['b', 'c', 'a']);
      expect(all[2]).toMatchObject({ topic: 'a', mid: long.mid, ts: 1, data: '1' });
      expect(all[2]?.expiresAt).toBeGreaterThanOrEqual(before + 3 * LONG_MS);
      expect(await backend.getRetained(1, 1)).toEqual([all[1]]);
      expect(await backend.getRetained(3, -1)).toEqual([]);
      expect(await backend.getCounts()).toMatchObject({ retained: 3 });
    }),

    defineRule('a live message and the retained one have the same number', async (workshop) => {
      const { backend, register, publish, read } = workshop;
      await register('a');
      await backend.subscribe('a', 'e', 't');
      const { mid } = await publish('t', 'x', { retainMs: LONG_MS });
      expect((await read('a')).entries).toMatchObject([{ mid }]);
      expect((await backend.subscribe('a', 'f', 't')).retained).toMatchObject({ mid });
    }),

    defineRule('they outlive the node that published them', async ({ openBackend, store }) => {
      const alone = openBackend({ namespace: `${store.name.replaceAll(':', '')}-left` });
      await alone.registerNode('a', LONG_MS);
      await alone.publish('t', 'x', { ts: 1, retainMs: LONG_MS, maxSize: 10 });
      await alone.unregisterNode('a');
      await alone.registerNode('b', LONG_MS);
      expect((await alone.subscribe('b', 'e', 't')).retained).toMatchObject({ data: 'x' });
      await alone.deleteRetained('t');
      await alone.unregisterNode('b');
    }),
  ],
};
