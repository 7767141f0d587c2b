import { expect, test } from 'vitest';
import { execute } from '../../src/ops/gate.ts';
import { limitTaskTimes } from '../../src/ops/limit-task-times.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';

function createBroker(): FakeBroker {
  const broker = new FakeBroker();
  for (const name of ['a', 'b'])
    broker.control.add(name, { 'time-limit': { task: 'email.send', softTimeLimitMs: null, timeLimitMs: 1500 } });
  return broker;
}

test('a dry run lists whom it would ask to change them, and asks nobody', async () => {
  const broker = createBroker();
  const planned = await execute(
    limitTaskTimes,
    { ...{ task: 'email.send', softTimeLimitMs: null, timeLimitMs: 1500 }, destinations: ['b'] },
    {
      session: createFakeSession(broker),
      dryRun: true,
    },
  );
  expect(planned).toEqual({
    kind: 'planned',
    plan: {
      summary: 'would ask 1 worker to change the time limits of the task email.send',
      count: 0,
      rows: [{ worker: 'b', host: 'box', pid: 101 }],
    },
  });
  expect(broker.control.questions).toEqual([]);
});

test('the workers get what was asked for, and what they answer is given', async () => {
  const broker = createBroker();
  const { result } = (await execute(
    limitTaskTimes,
    { task: 'email.send', softTimeLimitMs: null, timeLimitMs: 1500 },
    { session: createFakeSession(broker) },
  )) as {
    result: { answers: ReadonlyMap<string, unknown> };
  };
  expect(broker.control.questions).toMatchObject([
    { command: 'time-limit', args: { task: 'email.send', softTimeLimitMs: null, timeLimitMs: 1500 } },
  ]);
  expect([...result.answers]).toEqual([
    ['a', { ok: true, value: { task: 'email.send', softTimeLimitMs: null, timeLimitMs: 1500 } }],
    ['b', { ok: true, value: { task: 'email.send', softTimeLimitMs: null, timeLimitMs: 1500 } }],
  ]);
});
