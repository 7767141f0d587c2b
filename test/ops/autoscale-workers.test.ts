import { expect, test } from 'vitest';
import { autoscaleWorkers } from '../../src/ops/autoscale-workers.ts';
import { execute } from '../../src/ops/gate.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';

function createBroker(): FakeBroker {
  const broker = new FakeBroker();
  for (const name of ['a', 'b']) broker.control.add(name, { autoscale: { concurrency: 2, max: 8, min: 2 } });
  return broker;
}

test('a dry run lists whom it would ask to change their bounds, and asks nobody', async () => {
  const broker = createBroker();
  const planned = await execute(
    autoscaleWorkers,
    { ...{ max: 8, min: 2 }, destinations: ['b'] },
    {
      session: createFakeSession(broker),
      dryRun: true,
    },
  );
  expect(planned).toEqual({
    kind: 'planned',
    plan: {
      summary: 'would ask 1 worker to have 2 to 8 slots',
      count: 0,
      rows: [{ worker: 'b', host: 'box', pid: 101 }],
    },
  });
  expect(broker.control.questions).toEqual([]);
});

test('the workers get what was asked for, and what they answer is given', async () => {
  const broker = createBroker();
  const { result } = (await execute(autoscaleWorkers, { max: 8, min: 2 }, { session: createFakeSession(broker) })) as {
    result: { answers: ReadonlyMap<string, unknown> };
  };
  expect(broker.control.questions).toMatchObject([{ command: 'autoscale', args: { max: 8, min: 2 } }]);
  expect([...result.answers]).toEqual([
    ['a', { ok: true, value: { concurrency: 2, max: 8, min: 2 } }],
    ['b', { ok: true, value: { concurrency: 2, max: 8, min: 2 } }],
  ]);
});
