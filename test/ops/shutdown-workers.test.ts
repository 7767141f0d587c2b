import { expect, test } from 'vitest';
import { execute } from '../../src/ops/gate.ts';
import { shutdownWorkers } from '../../src/ops/shutdown-workers.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';

function createBroker(): FakeBroker {
  const broker = new FakeBroker();
  broker.control.add('a', { shutdown: { stopping: true, active: 1 } });
  broker.control.add('b', { shutdown: { stopping: true, active: 0 } });
  return broker;
}

test('a dry run says whom it would stop, and asks nobody', async () => {
  const broker = createBroker();
  const session = createFakeSession(broker);
  expect(await execute(shutdownWorkers, { destinations: ['b', 'gone'] }, { session, dryRun: true })).toEqual({
    kind: 'planned',
    plan: { summary: 'would stop 1 worker', count: 0, rows: [{ worker: 'b', host: 'box', pid: 101 }] },
  });
  expect(await execute(shutdownWorkers, {}, { session, dryRun: true })).toMatchObject({
    plan: { summary: 'would stop 2 workers' },
  });
  expect(broker.control.questions).toEqual([]);
});

test('gives the receipts of those that stop', async () => {
  const broker = createBroker();
  const execution = await execute(shutdownWorkers, { destinations: ['a'] }, { session: createFakeSession(broker) });
  expect(execution).toMatchObject({ result: { answers: new Map([['a', { ok: true, value: { active: 1 } }]]) } });
  expect(broker.control.questions).toMatchObject([{ command: 'shutdown', destinations: ['a'] }]);
});

test('a session that may only read stops nobody', async () => {
  const broker = createBroker();
  const asked = execute(shutdownWorkers, {}, { session: createFakeSession(broker), readOnly: true });
  await expect(asked).rejects.toMatchObject({ code: 'READ_ONLY' });
  expect(broker.control.questions).toEqual([]);
});
