import { expect, test } from 'vitest';
import { execute } from '../../src/ops/gate.ts';
import { growPools } from '../../src/ops/grow-pools.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';

function createBroker(): FakeBroker {
  const broker = new FakeBroker();
  for (const name of ['a', 'b']) broker.control.add(name, { 'pool-grow': { concurrency: 4 } });
  return broker;
}

test('a dry run lists whom it would ask to grow, and asks nobody', async () => {
  const broker = createBroker();
  const planned = await execute(
    growPools,
    { ...{ by: 2 }, destinations: ['b'] },
    {
      session: createFakeSession(broker),
      dryRun: true,
    },
  );
  expect(planned).toEqual({
    kind: 'planned',
    plan: {
      summary: 'would ask 1 worker to grow by 2 slots',
      count: 0,
      rows: [{ worker: 'b', host: 'box', pid: 101 }],
    },
  });
  expect(broker.control.questions).toEqual([]);
});

test('the workers get what was asked for, and what they answer is given', async () => {
  const broker = createBroker();
  const { result } = (await execute(growPools, { by: 2 }, { session: createFakeSession(broker) })) as {
    result: { answers: ReadonlyMap<string, unknown> };
  };
  expect(broker.control.questions).toMatchObject([{ command: 'pool-grow', args: { by: 2 } }]);
  expect([...result.answers]).toEqual([
    ['a', { ok: true, value: { concurrency: 4 } }],
    ['b', { ok: true, value: { concurrency: 4 } }],
  ]);
});
