import { expect } from 'vitest';
import { dataOf, defineRule, LONG_MS, type RelaySubject, type RelayWorkshop } from '../relay-workshop.ts';

/** PostgreSQL bounds an inbox when it is trimmed, and not before. */
const NOT_ON_PUBLISH = { postgres: 'bounds an inbox only when it is trimmed' };

/** Registers node `a` with one subscription, to `t`. */
export async function subscribed(workshop: RelayWorkshop, inboxMax?: number): Promise<void> {
  await workshop.backend.registerNode('a', LONG_MS, {}, inboxMax);
  await workshop.backend.subscribe('a', 'e', 't');
}

export async function publishAll(workshop: RelayWorkshop, ...data: string[]): Promise<void> {
  for (const each of data) await workshop.publish('t', each);
}

export const inboxes: RelaySubject = {
  subject: 'inboxes',
  rules: [
    defineRule('what was read is given again until the next read has its cursor', async (workshop) => {
      const { read } = workshop;
      await subscribed(workshop);
      await publishAll(workshop, '1', '2', '3');
      const first = await read('a', undefined, 2);
      expect(dataOf(first)).toEqual(['1', '2']);
      expect(await read('a', undefined, 2)).toEqual(first);
      const second = await read('a', first.cursor);
      expect(dataOf(second)).toEqual(['3']);
      expect(await read('a', second.cursor)).toMatchObject({ entries: [] });
    }),

    defineRule('a read of an empty inbox gives a cursor to go on with', async (workshop) => {
      const { read } = workshop;
      await subscribed(workshop);
      const { cursor } = await read('a');
      await publishAll(workshop, '1');
      const next = await read('a', cursor);
      expect(dataOf(next)).toEqual(['1']);
      const last = await read('a', next.cursor);
      await publishAll(workshop, '2');
      expect(dataOf(await read('a', last.cursor))).toEqual(['2']);
    }),

    defineRule('a trim removes what was consumed and tells what is left', async (workshop) => {
      const { backend, read, getNode } = workshop;
      await subscribed(workshop);
      await publishAll(workshop, '1', '2', '3');
      expect(await backend.trimInbox('a', backend.initialInboxCursor, 100)).toBe(3);
      expect(await getNode('a')).toMatchObject({ backlog: 3, dropped: 0 });
      const { cursor } = await read('a', undefined, 2);
      expect(await getNode('a')).toMatchObject({ backlog: 3 });
      expect(await backend.trimInbox('a', cursor, 100)).toBe(1);
      expect(await getNode('a')).toMatchObject({ backlog: 1, dropped: 0 });
      expect(dataOf(await read('a'))).toEqual(['3']);
    }),

    defineRule('a trim beyond the length drops the oldest, and counts those that nobody read', async (workshop) => {
      const { backend, read, getNode } = workshop;
      await subscribed(workshop);
      await publishAll(workshop, '1', '2', '3', '4', '5');
      expect(await backend.trimInbox('a', backend.initialInboxCursor, 3)).toBe(3);
      expect(await getNode('a')).toMatchObject({ backlog: 3, dropped: 2 });
      // Given to the reader, who has not said yet that it consumed it.
      await read('a', undefined, 1);
      expect(await backend.trimInbox('a', backend.initialInboxCursor, 1)).toBe(1);
      expect(await getNode('a')).toMatchObject({ backlog: 1, dropped: 3 });
      expect(dataOf(await read('a'))).toEqual(['5']);
    }),

    defineRule('a trim of an inbox that nobody has does nothing', async ({ backend, listNodes }) => {
      expect(await backend.trimInbox('stranger', backend.initialInboxCursor, 10)).toBe(0);
      expect(await listNodes()).toEqual([]);
    }),

    defineRule(
      'a full inbox makes room for new messages and counts what nobody read',
      async (workshop) => {
        const { read, getNode } = workshop;
        await subscribed(workshop, 3);
        await publishAll(workshop, '1', '2', '3', '4', '5');
        expect(await getNode('a')).toMatchObject({ dropped: 2 });
        expect(dataOf(await read('a'))).toEqual(['3', '4', '5']);
      },
      NOT_ON_PUBLISH,
    ),

    defineRule(
      'what a full inbox drops was not lost if its reader was given it',
      async (workshop) => {
        const { read, getNode } = workshop;
        await subscribed(workshop, 3);
        await publishAll(workshop, '1', '2', '3');
        const { cursor } = await read('a', undefined, 2);
        await publishAll(workshop, '4', '5', '6');
        expect(await getNode('a')).toMatchObject({ dropped: 1 });
        expect(dataOf(await read('a', cursor))).toEqual(['4', '5', '6']);
      },
      NOT_ON_PUBLISH,
    ),

    defineRule(
      'a reader that comes back with a cursor and finds nothing was given all before it',
      async (workshop) => {
        const { read, getNode } = workshop;
        await subscribed(workshop, 3);
        await publishAll(workshop, '1', '2', '3');
        const { cursor } = await read('a');
        await read('a', undefined, 1);
        expect((await read('a', cursor)).entries).toEqual([]);
        await publishAll(workshop, '4', '5');
        expect(await getNode('a')).toMatchObject({ dropped: 0 });
      },
      NOT_ON_PUBLISH,
    ),

    defineRule(
      'the length is what the node last registered with',
      async (workshop) => {
        const { backend, read, getNode } = workshop;
        await subscribed(workshop, 5);
        await publishAll(workshop, '1', '2', '3', '4', '5');
        await backend.registerNode('a', LONG_MS, {}, 2);
        await publishAll(workshop, '6');
        expect(dataOf(await read('a'))).toEqual(['5', '6']);
        expect(await getNode('a')).toMatchObject({ dropped: 4 });
        await backend.registerNode('a', LONG_MS, {}, 1);
        await publishAll(workshop, '7');
        expect(dataOf(await read('a'))).toEqual(['7']);
      },
      NOT_ON_PUBLISH,
    ),

    defineRule(
      'a node that named no length has that of the backend which registered it',
      async (workshop) => {
        const { openBackend, read } = workshop;
        const small = openBackend({ inboxMaxLength: 2 });
        await small.registerNode('a', LONG_MS);
        await small.subscribe('a', 'e', 't');
        await publishAll(workshop, '1', '2', '3');
        expect(dataOf(await read('a'))).toEqual(['2', '3']);
      },
      NOT_ON_PUBLISH,
    ),
  ],
};
