import { expect, test } from 'vitest';
import { execute } from '../../src/ops/gate.ts';
import { runEntry } from '../../src/ops/run-entry.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';
import { storeEntries } from '../cli/stored-entries.ts';

async function setup() {
  const broker = new FakeBroker();
  await storeEntries(broker, { a: { task: 'report', args: [7], every: '1h', queue: 'slow', enabled: false } });
  return { broker, session: createFakeSession(broker) };
}

test('stores one job of its task, also of a paused entry, and leaves the entry as it is', async () => {
  const { broker, session } = await setup();
  const execution = await execute(runEntry, { name: 'a' }, { session });
  expect(execution).toMatchObject({ result: { entry: 'a', task: 'report', queue: 'slow', state: 'PENDING' } });
  const [job, ...others] = [...broker.queue('slow').jobs.values()];
  expect(job).toMatchObject({ task: 'report', args: [7], meta: { schedule: { entry: 'a' } } });
  expect(others).toEqual([]);
  expect(execution).toMatchObject({ result: { id: job?.id } });
});

test('waits for the end when it is asked to', async () => {
  const { session } = await setup();
  expect(await execute(runEntry, { name: 'a', wait: true, timeoutMs: 5 }, { session })).toMatchObject({
    result: { task: 'report', state: 'PENDING', attempts: 0 },
  });
});

test('a dry run stores nothing, and an unknown name is not found', async () => {
  const { broker, session } = await setup();
  expect(await execute(runEntry, { name: 'a' }, { session, dryRun: true })).toMatchObject({
    plan: { summary: 'would fire schedule entry "a" now: task "report" on queue "slow"', count: 0 },
  });
  expect(broker.queue('slow').jobs.size).toBe(0);
  await expect(execute(runEntry, { name: 'b' }, { session })).rejects.toMatchObject({ code: 'UNKNOWN_ENTRY' });
});
