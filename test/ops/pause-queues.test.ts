import { expect, test } from 'vitest';
import { execute } from '../../src/ops/gate.ts';
import { pauseQueues } from '../../src/ops/pause-queues.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';

test('pauses the queues that were named, and says which were not paused before', async () => {
  const broker = new FakeBroker().store('high', {}).store('low');
  broker.queue('low').paused = true;
  const session = createFakeSession(broker);
  expect(await execute(pauseQueues, { queues: ['high', 'low', 'high'] }, { session })).toEqual({
    kind: 'done',
    result: {
      queues: [
        { queue: 'high', paused: true, changed: true },
        { queue: 'low', paused: true, changed: false },
      ],
    },
  });
  expect(broker.changes).toEqual(['pause high', 'pause low']);
});

test('a dry run says what it would pause, and pauses nothing', async () => {
  const broker = new FakeBroker().store('high', {});
  const session = createFakeSession(broker);
  expect(await execute(pauseQueues, { queues: ['high'] }, { session, dryRun: true })).toEqual({
    kind: 'planned',
    plan: { summary: 'would pause 1 queue', count: 0, rows: [{ queue: 'high', paused: false, waiting: 1 }] },
  });
  expect(broker.changes).toEqual([]);
});

test('a queue that is not there is refused before anything is paused', async () => {
  const broker = new FakeBroker().store('high');
  const asked = execute(pauseQueues, { queues: ['high', 'hihg'] }, { session: createFakeSession(broker) });
  await expect(asked).rejects.toMatchObject({ code: 'UNKNOWN_QUEUE' });
  expect(broker.changes).toEqual([]);
});
