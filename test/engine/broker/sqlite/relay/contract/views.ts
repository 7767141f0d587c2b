import { hostname } from 'node:os';
import { expect } from 'vitest';
import { waitFor } from '../../../../../support/wait-for.ts';
import { defineRule, LONG_MS, type RelaySubject } from '../relay-workshop.ts';

export const views: RelaySubject = {
  subject: 'what dashboards see',
  rules: [
    defineRule('an empty namespace reads as empty', async ({ openBackend }) => {
      const empty = openBackend({ namespace: 'nobody-was-ever-here' });
      expect(await empty.getCounts()).toEqual({ nodes: 0, subscriptions: 0, patterns: 0, retained: 0 });
      expect(await empty.getNodes(0, -1)).toEqual([]);
      expect(await empty.getSubscriptions(undefined, 0, -1)).toEqual([]);
      expect(await empty.getPatterns(0, -1)).toEqual([]);
      expect(await empty.getRetained(0, -1)).toEqual([]);
      expect(await empty.getNodeConnections('a')).toEqual([]);
      expect(await empty.getNamespaces()).not.toContain('nobody-was-ever-here');
    }),

    defineRule('counts are of what is there', async ({ backend, register, publish }) => {
      await register('a', 'b');
      await backend.subscribe('a', 'e', 't');
      await backend.subscribe('b', 'e', 't');
      await backend.subscribe('b', 'e', 'u.*');
      await publish('t', 'x', { retainMs: LONG_MS });
      expect(await backend.getCounts()).toEqual({ nodes: 3, subscriptions: 3, patterns: 2, retained: 1 });
    }),

    defineRule('subscriptions are in the order of the bytes of node, endpoint and pattern', async (workshop) => {
      const { backend, register } = workshop;
      const ids = ['a', 'ab', 'a-', 'a_', 'B', '1'];
      await register(...ids);
      for (const node of ids) {
        for (const endpoint of ['e', 'e1', 'E']) {
          for (const pattern of ['t', 't.x', '>', 'T.*']) await backend.subscribe(node, endpoint, pattern);
        }
      }
      const key = (...parts: string[]) => parts.join('|');
      const inOrder = (keys: string[]) => keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      const all = await backend.getSubscriptions(undefined, 0, -1);
      expect(all).toHaveLength(ids.length * 3 * 4);
      const keys = all.map(({ nodeId, endpointId, pattern }) => key(nodeId, endpointId, pattern));
      expect(keys).toEqual(inOrder(keys));

      const ofNode = await backend.getSubscriptions({ nodeId: 'ab' }, 0, -1);
      expect(ofNode).toEqual(all.filter(({ nodeId }) => nodeId === 'ab'));

      const ofPattern = await backend.getSubscriptions({ pattern: 't' }, 0, -1);
      const expected = inOrder(ids.flatMap((node) => ['e', 'e1', 'E'].map((endpoint) => key(node, endpoint))));
      expect(ofPattern.map(({ nodeId, endpointId }) => key(nodeId, endpointId))).toEqual(expected);
      expect(new Set(ofPattern.map(({ pattern }) => pattern))).toEqual(new Set(['t']));
    }),

    defineRule('a filter that fits nothing gives nothing', async ({ backend, register }) => {
      await register('a');
      await backend.subscribe('a', 'e', 't.x');
      expect(await backend.getSubscriptions({ nodeId: 'b' }, 0, -1)).toEqual([]);
      expect(await backend.getSubscriptions({ pattern: 't' }, 0, -1)).toEqual([]);
      expect(await backend.getSubscriptions({ pattern: 't.*' }, 0, -1)).toEqual([]);
    }),

    defineRule('patterns are in the order of their bytes, with their subscriptions', async (workshop) => {
      const { backend, register } = workshop;
      await register('a', 'b');
      for (const pattern of ['b', 'a.b', 'a', 'B', 'a.*', '>', 'a-b', '1']) await backend.subscribe('a', 'e', pattern);
      await backend.subscribe('b', 'e', 'a');
      await backend.subscribe('a', 'f', 'a');
      expect(await backend.getPatterns(0, -1)).toEqual(
        ['1', '>', 'B', 'a', 'a-b', 'a.*', 'a.b', 'b'].map((pattern) => ({
          pattern,
          subscriptions: pattern === 'a' ? 3 : 1,
        })),
      );
    }),

    defineRule('lists are cut into pages by inclusive positions', async ({ backend, register, store }) => {
      for (const id of ['a', 'b', 'c', 'd']) {
        await store.tick();
        await register(id);
      }
      for (const pattern of ['t1', 't2', 't3', 't4', 't5']) await backend.subscribe('a', 'e', pattern);
      const ids = async (start: number, end: number) => (await backend.getNodes(start, end)).map(({ id }) => id);
      expect(await ids(0, 1)).toEqual(['keeper', 'a']);
      expect(await ids(3, -1)).toEqual(['c', 'd']);
      expect(await ids(4, 100)).toEqual(['d']);
      expect(await ids(5, -1)).toEqual([]);
      expect(await ids(2, 1)).toEqual([]);
      const patterns = async (start: number, end: number) =>
        (await backend.getPatterns(start, end)).map(({ pattern }) => pattern);
      expect(await patterns(1, 3)).toEqual(['t2', 't3', 't4']);
      expect(await patterns(4, 4)).toEqual(['t5']);
      expect(await patterns(3, 2)).toEqual([]);
      const subscriptions = await backend.getSubscriptions({ nodeId: 'a' }, 2, -1);
      expect(subscriptions.map(({ pattern }) => pattern)).toEqual(['t3', 't4', 't5']);
    }),

    defineRule('namespaces in use are listed by name', async ({ backend, openBackend, store }) => {
      const names = ['zebra', 'Alpha', 'alpha', 'mid-1'];
      const opened = names.map((namespace) => openBackend({ namespace }));
      const seen = async () => (await backend.getNamespaces()).filter((name) => names.includes(name));
      for (const [index, other] of opened.entries()) {
        if (index === 0) await other.publish('t', 'x', { ts: 1, retainMs: LONG_MS, maxSize: 10 });
        else await other.registerNode('a', LONG_MS);
      }
      // Redis keeps the list in a call of its own, which nobody waits for.
      await waitFor('the namespaces to be listed', async () => (await seen()).length === names.length);
      expect(await seen()).toEqual(['Alpha', 'alpha', 'mid-1', 'zebra']);
      await opened[0]?.deleteRetained('t');
      await opened[1]?.unregisterNode('a');
      await opened[2]?.heartbeat('a', 1);
      store.advance(1);
      await waitFor('the lease to end', async () => (await seen()).length === 1);
      expect(await seen()).toEqual(['mid-1']);
      await opened[3]?.unregisterNode('a');
      expect(await seen()).toEqual([]);
    }),

    defineRule('the inbox connection of a node is told while it reads', async ({ openBackend }) => {
      const reader = openBackend({ nodeId: 'a' });
      await reader.registerNode('a', LONG_MS, { host: hostname(), pid: process.pid });
      await reader.readInbox('a', reader.initialInboxCursor, { blockMs: 0, count: 1 });
      const [connection, ...others] = await waitFor('the connection to be listed', async () => {
        const listed = await reader.getNodeConnections('a');
        return listed.length > 0 && listed;
      });
      expect(others).toEqual([]);
      expect(connection?.address).toMatch(/^.+:\d+$/);
      expect(connection?.age).toBeGreaterThanOrEqual(0);
      expect(connection?.idle).toBeGreaterThanOrEqual(0);
      expect(await reader.getNodeConnections('stranger')).toEqual([]);
    }),
  ],
};
