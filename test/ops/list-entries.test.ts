import { expect, test } from 'vitest';
import { execute } from '../../src/ops/gate.ts';
import { listEntries } from '../../src/ops/list-entries.ts';
import { FakeBroker, NOW } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';
import { storeEntries } from '../cli/stored-entries.ts';
import { storeLiveBeat } from '../support/live-beat.ts';

const FIVE = {
  'report.weekly': { task: 'report', every: '7d' },
  'cache.warm': { task: 'cache', every: '5m', queue: 'fast' },
  'report.nightly': { task: 'report', cron: '0 3 * * *', enabled: false },
  once: { task: 'report', at: NOW + 60_000 },
  reports: { task: 'report', every: '1h' },
};

const list = async (broker: FakeBroker, input: object = {}) => {
  const session = createFakeSession(broker);
  const execution = await execute(listEntries, { limit: 100, ...input }, { session });
  if (execution.kind !== 'done') throw new Error('a read is done');
  return execution.result;
};

const names = async (input: object) => {
  const broker = new FakeBroker();
  await storeEntries(broker, FIVE);
  const { entries, isFull } = await list(broker, input);
  return { names: entries.map(({ name }) => name), isFull };
};

test.each([
  [{}, ['cache.warm', 'once', 'report.nightly', 'report.weekly', 'reports'], false],
  [{ limit: 2 }, ['cache.warm', 'once'], true],
  [{ where: 'report.*' }, ['report.nightly', 'report.weekly'], false],
  [{ where: 'report' }, ['report.nightly', 'report.weekly', 'reports'], false],
  [{ where: '*.n*' }, ['report.nightly'], false],
  [{ where: 'nothing' }, [], false],
  [{ sort: 'next' }, ['once', 'cache.warm', 'reports', 'report.weekly', 'report.nightly'], false],
  [{ sort: 'next', limit: 1 }, ['once'], true],
])('%j lists %j', async (input, expected, isFull) => {
  expect(await names(input)).toEqual({ names: expected, isFull });
});

test('a pattern finds entries behind the first page', async () => {
  const broker = new FakeBroker();
  await storeEntries(broker, FIVE);
  expect((await list(broker, { where: 'report.w*', limit: 1 })).entries.map(({ name }) => name)).toEqual([
    'report.weekly',
  ]);
});

test('says who leads, and which queues of these entries are paused or consumed by nobody', async () => {
  const broker = new FakeBroker();
  await storeEntries(broker, FIVE);
  broker.queue('default').consumers = 1;
  broker.queue('default').paused = true;
  expect((await list(broker)).firing).toEqual({ leader: null, unserved: ['fast'], paused: ['default'] });
  await storeLiveBeat(broker, { name: 'beat@a' });
  await storeLiveBeat(broker, { name: 'beat@b', isLeader: true });
  await broker.state.write('beat/live/c', 'nonsense');
  expect((await list(broker)).firing.leader).toBe('beat@b');
});

test('the queue of an entry that is paused or has ended needs no worker', async () => {
  const broker = new FakeBroker();
  await storeEntries(broker, { 'report.nightly': FIVE['report.nightly'] });
  expect((await list(broker)).firing.unserved).toEqual([]);
});

test('a limit that is none, and an order that is none, are refused', async () => {
  for (const input of [{ limit: 0 }, { limit: 10_001 }, { sort: 'runs' }, { where: '' }]) {
    await expect(list(new FakeBroker(), input)).rejects.toMatchObject({ code: 'USAGE' });
  }
});
