import { expect, test } from 'vitest';
import { execute } from '../../src/ops/gate.ts';
import { resumeEntries } from '../../src/ops/resume-entries.ts';
import { FakeBroker, NOW } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';
import { storeEntries } from '../cli/stored-entries.ts';

const HOURLY = { task: 'report', every: '1h' };

test('a paused entry fires again at its next due time, and one that was not paused is left alone', async () => {
  const broker = new FakeBroker();
  await storeEntries(broker, { a: { ...HOURLY, enabled: false }, b: HOURLY });
  const nextAt = NOW + 3_600_000;
  expect(await execute(resumeEntries, { names: ['a', 'b'] }, { session: createFakeSession(broker) })).toEqual({
    kind: 'done',
    result: {
      entries: [
        { name: 'a', enabled: true, nextAt, changed: true },
        { name: 'b', enabled: true, nextAt, changed: false },
      ],
    },
  });
  expect(broker.queue('default').schedules.armed.get('a')?.dueAt).toBe(nextAt);
});

test('what --all takes is asked about: only paused ones count', async () => {
  const broker = new FakeBroker();
  await storeEntries(broker, { a: { ...HOURLY, enabled: false }, b: HOURLY });
  const session = createFakeSession(broker);
  await expect(execute(resumeEntries, { all: true }, { session })).rejects.toMatchObject({
    code: 'NEEDS_CONFIRMATION',
  });
  expect(await execute(resumeEntries, { all: true }, { session, dryRun: true })).toMatchObject({
    plan: { summary: 'would resume 1 schedule entry', count: 1 },
  });
  expect(await execute(resumeEntries, { all: true }, { session, yes: true })).toMatchObject({
    result: { entries: [{ name: 'a', enabled: true }] },
  });
});

test('an entry that is named gets its job scheduler back, also when it was not paused', async () => {
  const broker = new FakeBroker();
  await storeEntries(broker, { a: HOURLY });
  await broker.queue('default').schedules.remove('a');
  await execute(resumeEntries, { names: ['a'] }, { session: createFakeSession(broker) });
  expect(broker.queue('default').schedules.armed.get('a')?.dueAt).toBe(NOW + 3_600_000);
});
