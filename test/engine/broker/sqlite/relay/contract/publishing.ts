import { RelayErrorCode } from 'bullmq';
import { expect } from 'vitest';
import { dataOf, defineRule, LONG_MS, type RelaySubject } from '../relay-workshop.ts';

/** Patterns, with the topics of the list below that they match. */
const matches: Record<string, readonly string[]> = {
  a: ['a'],
  'a.b': ['a.b'],
  '*': ['a', 'b'],
  '>': ['a', 'b', 'a.b', 'a.c', 'b.b', 'a.b.c', 'a.b.c.d', 'x.y.z'],
  'a.*': ['a.b', 'a.c'],
  '*.b': ['a.b', 'b.b'],
  '*.*': ['a.b', 'a.c', 'b.b'],
  'a.>': ['a.b', 'a.c', 'a.b.c', 'a.b.c.d'],
  '*.>': ['a.b', 'a.c', 'b.b', 'a.b.c', 'a.b.c.d', 'x.y.z'],
  'a.*.c': ['a.b.c'],
  'a.b.>': ['a.b.c', 'a.b.c.d'],
  '*.*.c.>': ['a.b.c.d'],
  'x.*.z': ['x.y.z'],
  'A.b': [],
};
const published = ['a', 'b', 'a.b', 'a.c', 'b.b', 'a.b.c', 'a.b.c.d', 'x.y.z'];

export const publishing: RelaySubject = {
  subject: 'publishing',
  rules: [
    defineRule(
      'a message reaches the inbox of every node that subscribes to its topic, as it was given',
      async (workshop) => {
        const { backend, register, publish, read } = workshop;
        await register('a', 'b', 'c');
        await backend.subscribe('a', 'e1', 'jobs.42');
        await backend.subscribe('a', 'e2', 'jobs.42');
        await backend.subscribe('b', 'e3', 'jobs.42');
        await backend.subscribe('c', 'e4', 'jobs.43');
        const data = JSON.stringify({ text: 'naïve "quoted" 日本 \u{1f600} \\ \u0001', list: [1, null, false] });
        const { mid, ...counts } = await publish('jobs.42', data, { ts: 1_767_225_600_123 });
        expect(counts).toEqual({ nodes: 2, endpoints: 3 });
        expect((await read('a')).entries).toEqual([
          { kind: 'msg', topic: 'jobs.42', mid, ts: 1_767_225_600_123, data, endpoints: ['e1', 'e2'] },
        ]);
        expect((await read('b')).entries).toMatchObject([{ mid, endpoints: ['e3'] }]);
        expect((await read('c')).entries).toEqual([]);
      },
    ),

    defineRule('a pattern gets the topics that it matches, and no others', async (workshop) => {
      const { backend, register, publish, read } = workshop;
      await register('a');
      const names = Object.keys(matches);
      for (const [index, pattern] of names.entries()) await backend.subscribe('a', `e${index}`, pattern);
      for (const topic of published) await publish(topic);
      const got: Record<string, string[]> = Object.fromEntries(names.map((pattern) => [pattern, []]));
      for (const { topic, endpoints } of (await read('a')).entries) {
        for (const endpoint of endpoints) got[names[Number(endpoint.slice(1))] as string]?.push(topic);
      }
      expect(got).toEqual(matches);
    }),

    defineRule('an endpoint gets a message once, however many of its patterns match', async (workshop) => {
      const { backend, register, publish, read } = workshop;
      await register('a');
      for (const pattern of ['a.b', 'a.*', '*.b', '>', 'a.>']) await backend.subscribe('a', 'e', pattern);
      expect(await publish('a.b')).toMatchObject({ nodes: 1, endpoints: 1 });
      expect((await read('a')).entries).toMatchObject([{ endpoints: ['e'] }]);
    }),

    defineRule('numbers of messages grow, and an inbox keeps their order', async (workshop) => {
      const { backend, register, publish, read } = workshop;
      await register('a');
      await backend.subscribe('a', 'e', '>');
      const mids: bigint[] = [];
      for (let index = 0; index < 5; index += 1) mids.push(BigInt((await publish(`t${index}`, `${index}`)).mid));
      expect(mids.every((mid, index) => mid > (mids[index - 1] ?? 0n))).toBe(true);
      const { entries } = await read('a');
      expect(entries.map(({ mid }) => BigInt(mid))).toEqual(mids);
    }),

    defineRule('messages published at the same time all arrive', async ({ backend, register, publish, read }) => {
      await register('a');
      await backend.subscribe('a', 'e', 't');
      const sent = await Promise.all(Array.from({ length: 50 }, (_, index) => publish('t', `${index}`)));
      expect(new Set(sent.map(({ mid }) => mid)).size).toBe(50);
      const { entries } = await read('a');
      expect(entries.map(({ mid }) => mid).sort()).toEqual(sent.map(({ mid }) => mid).sort());
    }),

    defineRule('after an endpoint is gone nothing is published to it', async (workshop) => {
      const { backend, register, publish, read } = workshop;
      await register('a');
      await backend.subscribe('a', 'e', 'a.*');
      await backend.subscribe('a', 'f', 'a.b');
      await backend.removeEndpoint('a', 'e');
      expect(await publish('a.b')).toMatchObject({ nodes: 1, endpoints: 1 });
      await backend.removeEndpoint('a', 'f');
      expect(await publish('a.b')).toMatchObject({ nodes: 0, endpoints: 0 });
      expect((await read('a')).entries).toMatchObject([{ endpoints: ['f'] }]);
    }),

    defineRule('data that is larger than allowed, in bytes, is refused whole', async (workshop) => {
      const { backend, register, publish, read } = workshop;
      await register('a');
      await backend.subscribe('a', 'e', 't');
      const refused = { code: RelayErrorCode.DataTooLarge, message: 'Message data is too large: t' };
      await expect(publish('t', 'éé', { maxSize: 3, retainMs: LONG_MS })).rejects.toMatchObject(refused);
      await expect(publish('t', '12', { maxSize: 1 })).rejects.toMatchObject(refused);
      expect(await backend.getCounts()).toMatchObject({ retained: 0 });
      await publish('t', 'éé', { maxSize: 4 });
      expect(dataOf(await read('a'))).toEqual(['éé']);
    }),

    defineRule('namespaces do not hear each other', async ({ backend, openBackend, register, publish, read }) => {
      const other = openBackend({ namespace: 'elsewhere' });
      await register('a');
      await other.registerNode('a', LONG_MS);
      await backend.subscribe('a', 'e', '>');
      await other.subscribe('a', 'e', '>');
      await other.publish('t', 'there', { ts: 1, retainMs: 0, maxSize: 100 });
      await publish('t', 'here');
      expect(dataOf(await read('a'))).toEqual(['here']);
      await other.unregisterNode('a');
      expect(await publish('t')).toMatchObject({ nodes: 1 });
    }),

    defineRule('backends of one namespace share everything', async ({ backend, openBackend, register, publish }) => {
      const second = openBackend();
      await register('a');
      await second.subscribe('a', 'e', 't');
      expect(await publish('t', 'x')).toMatchObject({ nodes: 1 });
      const batch = await second.readInbox('a', second.initialInboxCursor, { blockMs: 0, count: 1 });
      expect(dataOf(batch)).toEqual(['x']);
      expect(await second.getCounts()).toEqual(await backend.getCounts());
    }),
  ],
};
