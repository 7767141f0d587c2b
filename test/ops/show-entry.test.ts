import { expect, test } from 'vitest';
import { formatDeclared } from '../../src/engine/schedule/declared-entry.ts';
import { formatRunRecord } from '../../src/engine/schedule/run-record.ts';
import { execute } from '../../src/ops/gate.ts';
import { showEntry } from '../../src/ops/show-entry.ts';
import { FakeBroker, NOW } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';
import { schedulesOf, storeEntries } from '../cli/stored-entries.ts';
import { define } from '../support/entry-definitions.ts';

const show = async (broker: FakeBroker, name: string) => {
  const execution = await execute(showEntry, { name }, { session: createFakeSession(broker) });
  if (execution.kind !== 'done') throw new Error('a read is done');
  return execution.result.entry;
};

test('everything about an entry, with its next due times and its last run', async () => {
  const broker = new FakeBroker();
  const entry = { task: 'report', args: [1], cron: '0 3 * * *', timezone: 'Europe/Berlin', description: 'nightly' };
  await storeEntries(broker, { a: { ...entry, overlap: 'skip', expires: '1h' } });
  await broker.state.write(
    'schedule/run/a',
    formatRunRecord({
      ...{ jobId: 'repeat:a:1', dueAt: NOW - 5000, startedAt: NOW - 4000, state: 'SUCCESS' },
      ...{ finishedAt: NOW - 1000, worker: 'tq@a' },
    }),
  );
  const next = Date.UTC(2031, 4, 2, 1);
  expect(await show(broker, 'a')).toEqual({
    ...{ name: 'a', description: 'nightly', task: 'report', args: [1], queue: 'default' },
    ...{ schedule: 'at 03:00 Europe/Berlin', when: { cron: '0 3 * * *', timezone: 'Europe/Berlin' } },
    ...{ timezone: 'Europe/Berlin', enabled: true, source: 'operator', app: null, overlap: 'skip' },
    missed: { policy: 'once', windowMs: null, atMost: 100 },
    call: { expiresMs: 3_600_000 },
    ...{ nextAt: next, nextId: `repeat:a:${next}`, ahead: 'scheduled' },
    due: [2, 3, 4, 5, 6].map((day) => ({
      ...{ at: Date.UTC(2031, 4, day, 1), local: `2031-05-0${day} 03:00`, offset: '+02:00', note: null },
    })),
    ...{ lastDueAt: NOW - 5000, lastAt: NOW - 4000, lastFinishedAt: NOW - 1000, lastId: 'repeat:a:1' },
    ...{ lastState: 'SUCCESS', runs: 0, differences: [], createdAt: NOW, changedAt: NOW },
  });
});

test('says where an operator has changed what code declares', async () => {
  const broker = new FakeBroker();
  const declared = { task: 'report', cron: '0 3 * * *', args: [1] };
  const definition = define(declared, 'a');
  const text = formatDeclared({ definition, enabled: true });
  await storeEntries(broker, { a: declared }, { source: 'code', declared: text });
  expect((await show(broker, 'a')).differences).toEqual([]);
  await schedulesOf(broker).add('a', define({ ...declared, cron: '0 4 * * *', args: [2] }, 'a'), {
    replace: true,
  });
  expect(await show(broker, 'a')).toMatchObject({
    source: 'code',
    differences: [
      { field: 'args', code: '[1]', stored: '[2]' },
      { field: 'schedule', code: 'at 03:00 UTC', stored: 'at 04:00 UTC' },
    ],
  });
});

test('a paused entry has no firing ahead, and the due times that it would have', async () => {
  const broker = new FakeBroker();
  await storeEntries(broker, { a: { task: 'report', every: '1h', enabled: false } });
  const shown = await show(broker, 'a');
  expect(shown).toMatchObject({ enabled: false, nextAt: null, nextId: null, ahead: null });
  expect(shown.due).toHaveLength(5);
});

test('an unknown name is not found, and near names are given', async () => {
  const broker = new FakeBroker();
  await storeEntries(broker, { 'report.nightly': { task: 'report', every: '1h' } });
  await expect(show(broker, 'report.nighty')).rejects.toMatchObject({
    code: 'UNKNOWN_ENTRY',
    message: expect.stringContaining('did you mean "report.nightly"?'),
  });
});
