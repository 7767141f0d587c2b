import { expect, test } from 'vitest';
import { cancelConsumers } from '../../src/ops/cancel-consumers.ts';
import { execute } from '../../src/ops/gate.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';

function createBroker(): FakeBroker {
  const broker = new FakeBroker();
  for (const name of ['a', 'b']) broker.control.add(name, { 'cancel-consumer': { queues: ['high'], changed: true } });
  return broker;
}

test('a dry run lists whom it would ask to serve it no more, and asks nobody', async () => {
  const broker = createBroker();
  const planned = await execute(
    cancelConsumers,
    { ...{ queue: 'low' }, destinations: ['b'] },
    {
      session: createFakeSession(broker),
      dryRun: true,
    },
  );
  expect(planned).toEqual({
    kind: 'planned',
    plan: {
      summary: 'would ask 1 worker to serve the queue low no more',
      count: 0,
      rows: [{ worker: 'b', host: 'box', pid: 101 }],
    },
  });
  expect(broker.control.questions).toEqual([]);
});

test('the workers get what was asked for, and what they answer is given', async () => {
  const broker = createBroker();
  const { result } = (await execute(cancelConsumers, { queue: 'low' }, { session: createFakeSession(broker) })) as {
    result: { answers: ReadonlyMap<string, unknown> };
  };
  expect(broker.control.questions).toMatchObject([{ command: 'cancel-consumer', args: { queue: 'low' } }]);
  expect([...result.answers]).toEqual([
    ['a', { ok: true, value: { queues: ['high'], changed: true } }],
    ['b', { ok: true, value: { queues: ['high'], changed: true } }],
  ]);
});
