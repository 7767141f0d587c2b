import { expect } from 'vitest';
import { dataOf, defineRule, type RelaySubject, type RelayWorkshop } from '../relay-workshop.ts';
import { publishAll, subscribed } from './inboxes.ts';

/** Gives a read that was started the turns that it takes until it waits. */
async function untilWaiting({ backend }: RelayWorkshop): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await backend.getCounts();
}

export const waiting: RelaySubject = {
  subject: 'waiting for messages',
  rules: [
    defineRule('a read that waits is answered by the next message', async (workshop) => {
      const { backend, openBackend } = workshop;
      await subscribed(workshop);
      const reader = openBackend({ nodeId: 'a' });
      const batch = reader.readInbox('a', backend.initialInboxCursor, { blockMs: 20_000, count: 10 });
      await untilWaiting(workshop);
      await publishAll(workshop, '1');
      expect(dataOf(await batch)).toEqual(['1']);
    }),

    defineRule('a read that waits is not answered by what is for others', async (workshop) => {
      const { backend, register, openBackend, publish } = workshop;
      await subscribed(workshop);
      await register('b');
      await backend.subscribe('b', 'e', 'other');
      const reader = openBackend({ nodeId: 'a' });
      const batch = reader.readInbox('a', backend.initialInboxCursor, { blockMs: 20_000, count: 10 });
      await untilWaiting(workshop);
      await publish('other', 'not this');
      await publishAll(workshop, 'this');
      expect(dataOf(await batch)).toEqual(['this']);
    }),

    defineRule('a read begun before its node registered is answered too', async (workshop) => {
      const { backend, openBackend } = workshop;
      const reader = openBackend({ nodeId: 'a' });
      const batch = reader.readInbox('a', backend.initialInboxCursor, { blockMs: 20_000, count: 10 });
      await untilWaiting(workshop);
      await subscribed(workshop);
      await publishAll(workshop, '1');
      expect(dataOf(await batch)).toEqual(['1']);
    }),

    defineRule('a read that waits in vain ends, and the cursor still holds', async (workshop) => {
      const { backend, read } = workshop;
      await subscribed(workshop);
      const reader = workshop.openBackend({ nodeId: 'a' });
      const waited = await reader.readInbox('a', backend.initialInboxCursor, { blockMs: 30, count: 10 });
      expect(waited.entries).toEqual([]);
      await publishAll(workshop, '1');
      expect(dataOf(await read('a', waited.cursor))).toEqual(['1']);
    }),

    defineRule('a read of a node that nobody knows gives nothing', async ({ backend, read }) => {
      expect(await read('stranger')).toEqual({ entries: [], cursor: backend.initialInboxCursor });
    }),

    defineRule('an interrupt ends a read that waits, and later ones do not wait', async (workshop) => {
      const { backend, openBackend } = workshop;
      await subscribed(workshop);
      const reader = openBackend({ nodeId: 'a' });
      const wait = { blockMs: 600_000, count: 10 };
      // The first read opens what the waiting one needs.
      await reader.readInbox('a', backend.initialInboxCursor, { blockMs: 0, count: 10 });
      const batch = reader.readInbox('a', backend.initialInboxCursor, wait).catch(() => undefined);
      await untilWaiting(workshop);
      reader.interruptInbox();
      expect((await batch)?.entries ?? []).toEqual([]);
      const later = await reader.readInbox('a', backend.initialInboxCursor, wait).catch(() => undefined);
      expect(later?.entries ?? []).toEqual([]);
    }),

    defineRule('an interrupt that comes while a read is starting is not lost', async (workshop) => {
      const { backend, openBackend } = workshop;
      await subscribed(workshop);
      const reader = openBackend({ nodeId: 'a' });
      await reader.waitUntilReady();
      const batch = reader
        .readInbox('a', backend.initialInboxCursor, { blockMs: 600_000, count: 10 })
        .catch(() => undefined);
      reader.interruptInbox();
      expect((await batch)?.entries ?? []).toEqual([]);
    }),

    defineRule('closing ends a read that waits', async (workshop) => {
      const { backend, openBackend } = workshop;
      await subscribed(workshop);
      const reader = openBackend({ nodeId: 'a' });
      await reader.readInbox('a', backend.initialInboxCursor, { blockMs: 0, count: 10 });
      const batch = reader
        .readInbox('a', backend.initialInboxCursor, { blockMs: 600_000, count: 10 })
        .catch(() => undefined);
      await untilWaiting(workshop);
      await reader.close();
      expect((await batch)?.entries ?? []).toEqual([]);
    }),
  ],
};
