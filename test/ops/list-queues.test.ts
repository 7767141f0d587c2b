import { expect, test } from 'vitest';
import { listQueues } from '../../src/ops/list-queues.ts';
import { READING } from '../../src/ops/operation.ts';
import { FakeBroker, NOW } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';

const list = (broker: FakeBroker) => listQueues.run(createFakeSession(broker), {}, READING);

test('every queue of the broker, sorted, then the dead letters of all of them as one queue', async () => {
  const broker = new FakeBroker()
    .store('low', { createdAt: NOW - 5000 }, { createdAt: NOW - 1000 }, { state: 'FAILURE' })
    .store('high', { state: 'SCHEDULED' }, { state: 'FAILURE' }, { state: 'FAILURE' }, { state: 'BLOCKED' });
  const rest = { held: 0, active: 0, completed: 0, paused: false, consumers: 0 };
  expect((await list(broker)).queues).toEqual([
    { queue: 'high', ...rest, waiting: 0, scheduled: 1, blocked: 1, dead: 2, oldestWaitingMs: null },
    { queue: 'low', ...rest, waiting: 2, scheduled: 0, blocked: 0, dead: 1, oldestWaitingMs: 5000 },
    { queue: 'dead_letter', ...rest, waiting: 3, scheduled: 0, blocked: 0, dead: 3, oldestWaitingMs: null },
  ]);
});

test('an empty broker has no dead letters', async () => {
  expect(await list(new FakeBroker())).toMatchObject({
    queues: [{ queue: 'dead_letter', waiting: 0, dead: 0, held: 0 }],
    pausedTasks: [],
  });
});

test('its command line says the same', () => {
  expect(listQueues.commandLine({})).toEqual(['inspect', 'queues']);
});
