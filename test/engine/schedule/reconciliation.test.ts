import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DeclaredEntry } from '../../../src/engine/schedule/declared-entry.ts';
import type { EntryOptions } from '../../../src/engine/schedule/entry-options.ts';
import { formatDifferences } from '../../../src/engine/schedule/reconciliation.ts';
import { Schedules } from '../../../src/engine/schedule/schedules.ts';
import { brokersUnderTest } from '../../support/brokers.ts';
import { define } from '../../support/entry-definitions.ts';
import { createStore, openWorkshop, type Workshop } from '../broker/workshop.ts';
import { FakeBroker } from '../worker/fake-broker.ts';
import { createFakeClock } from '../worker/recorded.ts';

const NOW = Date.parse('2031-05-01T10:30:00Z');
const NOTHING = { added: [], updated: [], removed: [], unchanged: 0, differences: [], failed: [] };

function declare(name: string, { enabled = true, ...options }: Partial<EntryOptions> = {}): DeclaredEntry {
  return { name, definition: define(options, name), enabled };
}

function setUp() {
  const broker = new FakeBroker();
  const clock = createFakeClock(NOW);
  return { broker, clock, schedules: new Schedules({ broker, clock }) };
}

test('what code declares is added, changed and removed with it, and entries of operators stay', async () => {
  const { schedules } = setUp();
  await schedules.add('own', define({}, 'own'));
  expect(await schedules.reconcile([declare('a'), declare('b'), declare('c', { enabled: false })])).toEqual({
    ...NOTHING,
    added: ['a', 'b', 'c'],
  });
  expect((await schedules.list()).schedules).toMatchObject([
    { name: 'a', source: 'code', enabled: true, nextAt: expect.any(Number) },
    { name: 'b', source: 'code' },
    { name: 'c', source: 'code', enabled: false, nextAt: null },
    { name: 'own', source: 'operator' },
  ]);
  expect(await schedules.reconcile([declare('c'), declare('a', { every: '2h' })])).toEqual({
    ...NOTHING,
    ...{ updated: ['c', 'a'], removed: ['b'] },
  });
  expect((await schedules.list()).schedules).toMatchObject([
    { name: 'a', schedule: 'every 2 hours' },
    { name: 'c', enabled: true, nextAt: expect.any(Number) },
    { name: 'own' },
  ]);
});

test('without a change nothing is written', async () => {
  const { schedules, broker } = setUp();
  const declared = [declare('a'), declare('b', { cron: '0 3 * * *', timezone: 'Europe/Berlin' })];
  await schedules.reconcile(declared);
  const before = [await schedules.entries.listVersions(), await schedules.entries.readChange()];
  broker.queue('default').schedules.armed.clear();
  expect(await schedules.reconcile(declared)).toEqual({ ...NOTHING, unchanged: 2 });
  expect([await schedules.entries.listVersions(), await schedules.entries.readChange()]).toEqual(before);
  expect(broker.queue('default').schedules.armed.size).toBe(0);
});

test('an entry that was stored and not armed is armed', async () => {
  const { schedules, broker } = setUp();
  await schedules.reconcile([declare('a')]);
  await broker.queue('default').schedules.remove('a');
  expect(await schedules.reconcile([declare('a')])).toEqual({ ...NOTHING, unchanged: 1 });
  expect(await schedules.read('a')).toMatchObject({ ahead: 'scheduled' });
});

describe('an entry that an operator has edited', () => {
  async function edited() {
    const parts = setUp();
    await parts.schedules.reconcile([declare('a', { every: '1h', expires: '5m' })]);
    await parts.schedules.add('a', define({ every: '2h' }, 'a'), { replace: true });
    expect(await parts.schedules.read('a')).toMatchObject({ edited: true, source: 'code' });
    return parts;
  }
  const code = [declare('a', { every: '1h', expires: '5m' })];

  test('is taken back by code, and the difference is told', async () => {
    const { schedules } = await edited();
    const report = await schedules.reconcile(code);
    expect(report).toMatchObject({ updated: ['a'], unchanged: 0 });
    expect(formatDifferences(report.differences)).toEqual([
      'a: schedule was every 2 hours, code says every hour: what code says is taken',
      'a: call.expiresMs was null, code says 300000: what code says is taken',
    ]);
    expect(await schedules.read('a')).toMatchObject({
      edited: false,
      schedule: 'every hour',
      call: { expiresMs: 300_000 },
    });
    expect(await schedules.reconcile(code)).toEqual({ ...NOTHING, unchanged: 1 });
  });

  test('stays as it is where that is asked for, and the difference is told each time', async () => {
    const { schedules } = await edited();
    for (const time of [1, 2]) {
      const report = await schedules.reconcile(code, { take: 'stored' });
      expect({ time, ...report }).toMatchObject({ time, updated: [], unchanged: 1 });
      expect(formatDifferences(report.differences)[0]).toBe(
        'a: schedule was every 2 hours, code says every hour: what was stored stays',
      );
    }
    expect(await schedules.read('a')).toMatchObject({ edited: true, schedule: 'every 2 hours' });
    await schedules.reconcile(code, { take: 'code' });
    expect(await schedules.read('a')).toMatchObject({ edited: false, schedule: 'every hour' });
  });

  test('is no difference any more once code says the same', async () => {
    const { schedules } = await edited();
    expect(await schedules.reconcile([declare('a', { every: '2h' })])).toMatchObject({
      updated: ['a'],
      differences: [],
    });
    expect(await schedules.read('a')).toMatchObject({ edited: false, schedule: 'every 2 hours' });
  });
});

describe('a pause', () => {
  test('by hand outlives deploys, also those that change the entry, unless all of code is asked for', async () => {
    const { schedules } = setUp();
    await schedules.reconcile([declare('a')]);
    await schedules.pause('a');
    const difference = { name: 'a', field: 'enabled', code: true, stored: false, taken: 'stored' };
    expect(await schedules.reconcile([declare('a')])).toEqual({ ...NOTHING, unchanged: 1, differences: [difference] });
    expect(await schedules.reconcile([declare('a', { every: '2h' })])).toMatchObject({ updated: ['a'] });
    expect(await schedules.read('a')).toMatchObject({ enabled: false, edited: false, schedule: 'every 2 hours' });
    expect(await schedules.reconcile([declare('a', { every: '2h' })], { take: 'code' })).toMatchObject({
      ...{ updated: ['a'], differences: [{ ...difference, taken: 'code' }] },
    });
    expect(await schedules.read('a')).toMatchObject({ enabled: true, nextAt: expect.any(Number) });
  });

  test('by code ends with it, and one that an operator has ended stays ended', async () => {
    const { schedules } = setUp();
    await schedules.reconcile([declare('a', { enabled: false }), declare('b', { enabled: false })]);
    await schedules.resume('b');
    const report = await schedules.reconcile([declare('a'), declare('b', { enabled: false })]);
    expect(report).toMatchObject({ updated: ['a'], unchanged: 1, differences: [{ name: 'b', field: 'enabled' }] });
    expect((await schedules.list()).schedules).toMatchObject([{ enabled: true }, { enabled: true }]);
  });
});

test('an entry of an operator that code declares now is one of code', async () => {
  const { schedules } = setUp();
  await schedules.add('a', define({ every: '2h' }, 'a'));
  expect(await schedules.reconcile([declare('a')])).toMatchObject({
    ...{ updated: ['a'], differences: [{ field: 'schedule', taken: 'code' }] },
  });
  expect(await schedules.read('a')).toMatchObject({ source: 'code', edited: false });
  expect(await schedules.reconcile([])).toEqual({ ...NOTHING, removed: ['a'] });
});

test('an entry that cannot be brought to what is declared keeps nobody from the others', async () => {
  const { schedules, broker } = setUp();
  await broker.state.write('schedule/entry/odd', '{"v":9}');
  const report = await schedules.reconcile([declare('odd'), declare('wish', { priority: 9 }), declare('a')]);
  expect(report.added).toEqual(['a']);
  expect(report.failed.map(({ name, error }) => [name, (error as Error & { code: string }).code])).toEqual([
    ['odd', 'ENTRY_UNREADABLE'],
    ['wish', 'PRIORITIES_OFF'],
  ]);
  expect(await schedules.entries.read('wish')).toBeUndefined();
});

describe.each(brokersUnderTest())('on $name', (store) => {
  let workshop: Workshop;
  beforeEach(async () => {
    workshop = await openWorkshop(store.name, await createStore(store));
  });
  afterEach(() => workshop.close());

  test('of several that reconcile at once, none fails, and each entry has one firing ahead', async () => {
    const clock = createFakeClock(NOW);
    const names = Array.from({ length: 120 }, (_, index) => `e${String(index).padStart(3, '0')}`);
    const declared = names.map((name, index) => declare(name, { queue: `q${index % 3}` }));
    await workshop.plainQueue('q0').upsertJobScheduler('e000', { every: 60_000 });
    const all = await Promise.all([1, 2, 3].map(() => workshop.openBroker(workshop.url, { clock })));
    const reports = await Promise.all(all.map((broker) => new Schedules({ broker, clock }).reconcile(declared)));
    const added = reports.flatMap((report) => report.added).sort();
    expect(added).toEqual(names.slice(1));
    for (const { failed, added: own, unchanged } of reports) {
      expect(failed).toMatchObject([{ name: 'e000', error: { code: 'ENTRY_EXISTS' } }]);
      expect(own.length + unchanged).toBe(119);
    }
    const schedules = new Schedules({ broker: workshop.broker, clock });
    const { schedules: views } = await schedules.list({ limit: 1000 });
    expect(views).toHaveLength(120);
    expect(views.slice(0, 119).every(({ ahead, runs }) => ahead === 'scheduled' && runs === 0)).toBe(true);
    expect((await workshop.broker.queue('q1').counts()).scheduled).toBe(40);
    expect(await schedules.reconcile(declared.slice(0, 1))).toMatchObject({ removed: names.slice(1) });
    expect((await workshop.broker.queue('q1').counts()).scheduled).toBe(0);
  });
});
