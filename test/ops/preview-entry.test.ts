import { expect, test } from 'vitest';
import { execute } from '../../src/ops/gate.ts';
import { previewEntry } from '../../src/ops/preview-entry.ts';
import { FakeBroker, NOW } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';
import { storeEntries } from '../cli/stored-entries.ts';

const preview = async (input: object, broker = new FakeBroker()) => {
  const execution = await execute(previewEntry, { count: 3, ...input }, { session: createFakeSession(broker) });
  if (execution.kind !== 'done') throw new Error('a read is done');
  return execution.result;
};

test('the due times of an entry from now on, no more of them than it has runs left', async () => {
  const broker = new FakeBroker();
  await storeEntries(broker, { a: { task: 'report', every: '1h', maxRuns: 2 } });
  expect(await preview({ name: 'a' }, broker)).toMatchObject({
    ...{ name: 'a', schedule: 'every hour, 2 times at most', timezone: 'UTC', enabled: true },
    due: [{ at: NOW + 3_600_000 }, { at: NOW + 7_200_000 }],
  });
});

test('a schedule that is no entry, around a change of the clock, with the broker away', async () => {
  const given = { cron: '30 2 * * *', timezone: 'Europe/Berlin', fromAt: Date.UTC(2031, 2, 28, 12) };
  const { name, due } = await preview(given, new FakeBroker().break());
  expect(name).toBeNull();
  expect(due.map(({ local, offset }) => `${local} ${offset}`)).toEqual([
    '2031-03-29 02:30 +01:00',
    '2031-03-30 03:00 +02:00',
    '2031-03-31 02:30 +02:00',
  ]);
  expect(due[1]?.note).toMatch(/forward by 1h/);
});

test('a name and a schedule, or neither, and a schedule that never fires, are refused', async () => {
  await expect(preview({ name: 'a', everyMs: 5000 })).rejects.toMatchObject({ code: 'USAGE' });
  await expect(preview({})).rejects.toMatchObject({ code: 'USAGE' });
  await expect(preview({ cron: '0 0 31 2 *' })).rejects.toMatchObject({ code: 'INVALID_SCHEDULE' });
  await expect(preview({ name: 'a' })).rejects.toMatchObject({ code: 'UNKNOWN_ENTRY' });
});
