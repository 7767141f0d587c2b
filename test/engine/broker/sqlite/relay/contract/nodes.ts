import { RelayErrorCode } from 'bullmq';
import { expect } from 'vitest';
import { dataOf, defineRule, LONG_MS, type RelaySubject } from '../relay-workshop.ts';

export const nodes: RelaySubject = {
  subject: 'nodes and their leases',
  rules: [
    defineRule('a node is listed with what it told of itself, since when and until when', async (workshop) => {
      const { backend, store, listNodes } = workshop;
      const info = { name: 'mailer', host: 'h1', pid: 42, version: '6.7.0' };
      const before = store.now();
      await backend.registerNode('a', 30_000, info, 500);
      const after = store.now();
      const [node] = await listNodes();
      expect(node).toMatchObject({ id: 'a', info, backlog: 0, dropped: 0, subscriptions: 0 });
      for (const at of [node?.registeredAt, node?.lastHeartbeat, Number(node?.leaseUntil) - 30_000]) {
        expect(at).toBeGreaterThanOrEqual(before);
        expect(at).toBeLessThanOrEqual(after);
      }
    }),

    defineRule('a node that told nothing is listed all the same', async ({ backend, listNodes }) => {
      await backend.registerNode('a', LONG_MS);
      expect(await listNodes()).toMatchObject([{ id: 'a', info: {} }]);
    }),

    defineRule('registering again takes the new lease and info and keeps all else', async (workshop) => {
      const { backend, store, register, publish, read, listNodes } = workshop;
      await register('a');
      await backend.subscribe('a', 'e', 'topic');
      await publish('topic', '1');
      const [{ registeredAt = 0 } = {}] = await listNodes();
      await store.tick();
      await backend.registerNode('a', 2 * LONG_MS, { name: 'new' });
      const [node] = await listNodes();
      expect(node).toMatchObject({ registeredAt, info: { name: 'new' }, subscriptions: 1 });
      expect(node?.leaseUntil).toBeGreaterThan(registeredAt + LONG_MS);
      expect(dataOf(await read('a'))).toEqual(['1']);
    }),

    defineRule('nodes are listed in the order of registration', async ({ store, register, listNodes }) => {
      for (const id of ['c', 'a', 'b']) {
        await register(id);
        await store.tick();
      }
      expect((await listNodes()).map(({ id }) => id)).toEqual(['c', 'a', 'b']);
    }),

    defineRule('a heartbeat renews the lease', async ({ backend, store, getNode }) => {
      await backend.registerNode('a', LONG_MS);
      const { lastHeartbeat = 0, leaseUntil } = await getNode('a');
      await store.tick();
      expect(await backend.heartbeat('a', 2 * LONG_MS)).toBe(true);
      const node = await getNode('a');
      expect(node.lastHeartbeat).toBeGreaterThan(lastHeartbeat);
      expect(node.leaseUntil).toBeGreaterThan(leaseUntil + LONG_MS);
    }),

    defineRule('a heartbeat of a node that is not registered, or not any more, is refused', async (workshop) => {
      const { backend, register, endLease } = workshop;
      await register('gone', 'late');
      await backend.unregisterNode('gone');
      await endLease('late');
      expect(await backend.heartbeat('stranger', LONG_MS)).toBe(false);
      expect(await backend.heartbeat('gone', LONG_MS)).toBe(false);
      expect(await backend.heartbeat('late', LONG_MS)).toBe(false);
    }),

    defineRule('a node whose lease has ended is listed without what it told, until it is swept', async (workshop) => {
      const { backend, register, endLease, listNodes } = workshop;
      await backend.registerNode('a', LONG_MS, { name: 'mailer' });
      await register('b');
      await backend.subscribe('a', 'e', 'topic');
      await endLease('a');
      const [late] = await listNodes();
      expect(late).toMatchObject({ id: 'a', info: {}, backlog: 0, dropped: 0, subscriptions: 1 });
      expect(late?.lastHeartbeat).toBeUndefined();
      expect(await backend.getCounts()).toMatchObject({ nodes: 3 });
      expect(await backend.sweep(10)).toEqual(['a']);
      expect(await backend.sweep(10)).toEqual([]);
      expect((await listNodes()).map(({ id }) => id)).toEqual(['b']);
      expect(await backend.getSubscriptions({ nodeId: 'a' }, 0, -1)).toEqual([]);
    }),

    defineRule(
      'nothing is delivered to a node whose lease has ended, and it reads nothing',
      async (workshop) => {
        const { backend, register, publish, read, endLease } = workshop;
        await register('a', 'b');
        for (const id of ['a', 'b']) await backend.subscribe(id, 'e', 'topic');
        await publish('topic', 'before');
        await endLease('a');
        expect(await publish('topic', 'after')).toMatchObject({ nodes: 1, endpoints: 1 });
        expect(await read('a')).toEqual({ entries: [], cursor: backend.initialInboxCursor });
        expect(await backend.trimInbox('a', backend.initialInboxCursor, 10)).toBe(0);
        expect(dataOf(await read('b'))).toEqual(['before', 'after']);
      },
      { postgres: 'counts what lies in the inbox until the node is swept' },
    ),

    defineRule('a node that comes back after its lease begins anew, with its old cursor', async (workshop) => {
      const { backend, store, register, publish, read, endLease, getNode } = workshop;
      await register('a');
      await backend.subscribe('a', 'e', 'topic');
      await publish('topic', '1');
      await publish('topic', '2');
      const { cursor } = await read('a', undefined, 1);
      const { registeredAt } = await getNode('a');
      await endLease('a');
      await store.tick();
      await register('a');
      expect(await getNode('a')).toMatchObject({ subscriptions: 0, backlog: 0 });
      expect((await getNode('a')).registeredAt).toBeGreaterThan(registeredAt);
      expect(await publish('topic', 'to nobody')).toMatchObject({ nodes: 0 });
      expect(await backend.subscribe('a', 'e', 'topic')).toMatchObject({ added: true });
      await publish('topic', '3');
      expect(dataOf(await read('a', cursor))).toEqual(['3']);
    }),

    defineRule('an id that is none is refused', async ({ backend, register }) => {
      await register('a');
      const wrong = { code: RelayErrorCode.InvalidId, name: 'RelayError' };
      for (const id of ['', 'a b', 'a.b', 'a|b', 'ä', `${'x'.repeat(65)}`, 'a\n']) {
        await expect(backend.registerNode(id, LONG_MS)).rejects.toMatchObject(wrong);
        await expect(backend.subscribe(id, 'e', 'topic')).rejects.toMatchObject(wrong);
        await expect(backend.subscribe('a', id, 'topic')).rejects.toMatchObject(wrong);
      }
      await register('x'.repeat(64), '-_Az09');
    }),
  ],
};
