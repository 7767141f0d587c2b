import { expect } from 'vitest';
import { defineRule, type RelaySubject } from '../relay-workshop.ts';

export const removing: RelaySubject = {
  subject: 'removing nodes',
  rules: [
    defineRule('unregistering removes a node with its subscriptions and inbox, once', async (workshop) => {
      const { backend, register, publish, read, listNodes } = workshop;
      await register('a');
      await backend.subscribe('a', 'e', 'topic');
      await backend.subscribe('a', 'e', 'other.*');
      await publish('topic', '1');
      expect(await backend.unregisterNode('a')).toBe(true);
      expect(await backend.unregisterNode('a')).toBe(false);
      expect(await listNodes()).toEqual([]);
      expect(await backend.getCounts()).toEqual({ nodes: 1, subscriptions: 0, patterns: 0, retained: 0 });
      await register('a');
      expect(await read('a')).toEqual({ entries: [], cursor: backend.initialInboxCursor });
    }),

    defineRule('a sweep removes as many as it may, and leaves those that are alive', async (workshop) => {
      const { backend, register, endLease, listNodes } = workshop;
      const ids = ['a', 'b', 'c', 'd', 'e'];
      await register(...ids, 'alive');
      for (const id of ids) await endLease(id);
      expect(await backend.sweep(0)).toEqual([]);
      const first = await backend.sweep(2);
      expect(first).toHaveLength(2);
      const second = await backend.sweep(2);
      expect(second).toHaveLength(2);
      const third = await backend.sweep(2);
      expect([...first, ...second, ...third].sort()).toEqual(ids);
      expect((await listNodes()).map(({ id }) => id)).toEqual(['alive']);
    }),

    defineRule('a sweep begins with the leases that ended first', async ({ backend, store, register, endLease }) => {
      await register('a', 'b', 'c');
      for (const id of ['b', 'c', 'a']) {
        await endLease(id);
        await store.tick();
      }
      const swept = [...(await backend.sweep(1)), ...(await backend.sweep(1)), ...(await backend.sweep(1))];
      expect(swept).toEqual(['b', 'c', 'a']);
    }),

    defineRule('a removed node with many subscriptions is out of every route at once', async (workshop) => {
      const { backend, register, publish } = workshop;
      await register('big', 'other');
      for (let index = 0; index < 250; index += 1) await backend.subscribe('big', `e${index}`, 'shared');
      await backend.subscribe('other', 'e', 'shared');
      await backend.unregisterNode('big');
      expect(await publish('shared')).toMatchObject({ nodes: 1, endpoints: 1 });
      for (let sweeps = 0; sweeps < 3; sweeps += 1) await backend.sweep(10);
      expect(await backend.getSubscriptions(undefined, 0, -1)).toEqual([
        { nodeId: 'other', endpointId: 'e', pattern: 'shared' },
      ]);
    }),

    defineRule(
      'no operation prunes more than 100 of its subscriptions, and they are counted until then',
      async ({ backend, register }) => {
        await register('big');
        for (let index = 0; index < 250; index += 1) await backend.subscribe('big', 'e', `topic.${index}`);
        await backend.unregisterNode('big');
        expect(await backend.getCounts()).toMatchObject({ nodes: 1, subscriptions: 150, patterns: 150 });
        expect(await backend.getSubscriptions({ nodeId: 'big' }, 0, -1)).toHaveLength(150);
        await backend.sweep(1);
        expect(await backend.getCounts()).toMatchObject({ subscriptions: 50, patterns: 50 });
      },
      { postgres: 'prunes them all at once' },
    ),

    defineRule('an id whose old subscriptions are not pruned yet can be used at once', async (workshop) => {
      const { backend, register, publish } = workshop;
      await register('big');
      for (let index = 0; index < 250; index += 1) await backend.subscribe('big', `e${index}`, 'shared');
      await backend.unregisterNode('big');
      await register('big');
      expect(await backend.getCounts()).toMatchObject({ nodes: 2, subscriptions: 0, patterns: 0 });
      expect(await publish('shared')).toMatchObject({ nodes: 0 });
    }),
  ],
};
