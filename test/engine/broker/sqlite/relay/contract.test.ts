import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { inboxes } from './contract/inboxes.ts';
import { nodes } from './contract/nodes.ts';
import { publishing } from './contract/publishing.ts';
import { removing } from './contract/removing.ts';
import { retaining } from './contract/retaining.ts';
import { subscribing } from './contract/subscribing.ts';
import { views } from './contract/views.ts';
import { waiting } from './contract/waiting.ts';
import { type RelayStore, relayStoresUnderTest } from './relay-store.ts';
import { openRelayWorkshop, type RelaySubject, type RelayWorkshop } from './relay-workshop.ts';

/** What BullMQ's relay backends do. Redis is the measure; SQLite has no exceptions. */
const contract: readonly RelaySubject[] = [
  nodes,
  removing,
  subscribing,
  publishing,
  inboxes,
  waiting,
  retaining,
  views,
];

test('every rule of the relay has a title of its own, and holds on SQLite', () => {
  const rules = contract.flatMap((subject) => subject.rules);
  expect(new Set(rules.map(({ title }) => title)).size).toBe(rules.length);
  const excepted = rules.flatMap(({ except = {} }) => Object.keys(except));
  expect(excepted.filter((name) => name !== 'postgres')).toEqual([]);
});

describe.each(relayStoresUnderTest())('on $name', ({ name, open }) => {
  let store: RelayStore;
  let workshop: RelayWorkshop;
  beforeAll(async () => {
    store = await open();
  });
  beforeEach(async () => {
    workshop = await openRelayWorkshop(store);
  });
  afterEach(() => workshop.close());

  describe.each(contract)('$subject:', ({ rules }) => {
    for (const { title, holds, except = {} } of rules) {
      if (except[name] !== undefined) continue;
      test(title, () => holds(workshop));
    }
  });
});
