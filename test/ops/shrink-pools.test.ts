import { expect, test } from 'vitest';
import { execute } from '../../src/ops/gate.ts';
import { shrinkPools } from '../../src/ops/shrink-pools.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';

function createBroker(): FakeBroker {
  const broker = new FakeBroker();
  for (const name of ['a', 'b']) broker.control.add(name, { 'pool-shrink': { concurrency: 1 } });
  return broker;
}

test('a dry run lists whom it would ask to shrink, and asks nobody', async () => {
  const broker = createBroker();
  const planned = await execute(
    shrinkPools,
    { ...{ by: 1 }, destinations: ['b'] },
    {
      session: createFakeSession(broker),
      dryRun: true,
    },
  );
  expect(planned).toEqual({
    kind: 'planned',
    plan: {
      summary: 'would ask 1 worker to shrink by 1 slot',
      count: 0,
      rows: [{ worker: 'b', host: 'box', pid: 101 }],
    },
  });
  expect(broker.control.questions).toEqual([]);
});

test('the workers get what was asked for, and what they answer is given', async () => {
  const broker = createBroker();
  const { result } = (await execute(shrinkPools, { by: 1 }, { session: createFakeSession(broker) })) as {
    result: { answers: ReadonlyMap<string, unknown> };
  };
  expect(broker.control.questions).toMatchObject([{ command: 'pool-shrink', args: { by: 1 } }]);
  expect([...result.answers]).toEqual([
    ['a', { ok: true, value: { concurrency: 1 } }],
    ['b', { ok: true, value: { concurrency: 1 } }],
  ]);
});
