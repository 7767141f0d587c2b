import { expect, test } from 'vitest';
import { execute } from '../../src/ops/gate.ts';
import { removeLeftovers } from '../../src/ops/remove-leftovers.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';

function setup() {
  const broker = new FakeBroker().store('mail').store('clean');
  broker.checkup.leftovers.set('mail', {
    ...{ strayKeys: [{ key: 'k', holder: 'x' }], orphans: ['a', 'b'], events: { length: 50_000, bound: 10_000 } },
  });
  return broker;
}

test('its plan names what would be removed of each queue, and asks for keys and records, not for events', async () => {
  const broker = setup();
  const session = createFakeSession(broker);
  const { plan } = (await execute(removeLeftovers, {}, { session, dryRun: true })) as { plan: object };
  expect(plan).toEqual({
    summary: 'would remove 1 unique keys without a job, 2 records of jobs in no list, 40000 events beyond their bound',
    count: 3,
    rows: [{ queue: 'mail', keys: 1, orphans: 2, events: 40_000 }],
  });
  expect(broker.changes).toEqual([]);
});

test('it removes that, and looks again', async () => {
  const session = createFakeSession(setup());
  const execution = await execute(removeLeftovers, {}, { session, yes: true });
  if (execution.kind !== 'done') throw new Error('it was run');
  expect(execution.result.removed).toEqual({ keys: 1, orphans: 2, events: 0 });
  expect(execution.result.findings.find(({ check }) => check === 'unique-keys')).toMatchObject({ status: 'ok' });
});

test('nothing left over asks nobody', async () => {
  const session = createFakeSession(new FakeBroker().store('clean'));
  expect(await execute(removeLeftovers, {}, { session })).toMatchObject({ result: { removed: { keys: 0 } } });
});
