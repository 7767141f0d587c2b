import { expect, test } from 'vitest';
import { addConsumers } from '../../src/ops/add-consumers.ts';
import { execute } from '../../src/ops/gate.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';

function createBroker(): FakeBroker {
  const broker = new FakeBroker();
  for (const name of ['a', 'b'])
    broker.control.add(name, { 'add-consumer': { queues: ['high', 'low'], changed: true } });
  return broker;
}

test('a dry run lists whom it would ask to serve it, and asks nobody', async () => {
  const broker = createBroker();
  const planned = await execute(
    addConsumers,
    { ...{ queue: 'low' }, destinations: ['b'] },
    {
      session: createFakeSession(broker),
      dryRun: true,
    },
  );
  expect(planned).toEqual({
    kind: 'planned',
    plan: {
      summary: 'would ask 1 worker to serve the queue low',
      count: 0,
      rows: [{ worker: 'b', host: 'box', pid: 101 }],
    },
  });
  expect(broker.control.questions).toEqual([]);
});

test('the workers get what was asked for, and what they answer is given', async () => {
  const broker = createBroker();
  const { result } = (await execute(addConsumers, { queue: 'low' }, { session: createFakeSession(broker) })) as {
    result: { answers: ReadonlyMap<string, unknown> };
  };
  expect(broker.control.questions).toMatchObject([{ command: 'add-consumer', args: { queue: 'low' } }]);
  expect([...result.answers]).toEqual([
    ['a', { ok: true, value: { queues: ['high', 'low'], changed: true } }],
    ['b', { ok: true, value: { queues: ['high', 'low'], changed: true } }],
  ]);
});
