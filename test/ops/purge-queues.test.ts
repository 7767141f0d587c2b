import { expect, test } from 'vitest';
import { encodeHeld, heldKey } from '../../src/engine/worker/admission/held-index.ts';
import { READING } from '../../src/ops/operation.ts';
import { purgeQueues } from '../../src/ops/purge-queues.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';

function setup() {
  const broker = new FakeBroker()
    .store('high', {}, {}, { state: 'SCHEDULED' }, { state: 'STARTED' }, { state: 'FAILURE' })
    .store('low', { state: 'SUCCESS' });
  return { broker, session: createFakeSession(broker) };
}

test('the plan counts the waiting and scheduled jobs of each queue and removes none', async () => {
  const { broker, session } = setup();
  expect(purgeQueues.effect).toBe('destructive');
  expect(await plan(session, { all: true })).toEqual({
    summary: 'would remove 3 jobs from 2 queues',
    count: 3,
    rows: [
      { queue: 'high', waiting: 2, scheduled: 1 },
      { queue: 'low', waiting: 0, scheduled: 0 },
    ],
  });
  expect(broker.changes).toEqual([]);
});

test('running jobs, results and dead letters stay', async () => {
  const { broker, session } = setup();
  const result = await purgeQueues.run(session, { all: true }, READING);
  expect(result).toEqual({ purged: { high: 3, low: 0 }, total: 3, undo: null });
  expect([...broker.queue('high').jobs.values()].map(({ state }) => state)).toEqual(['STARTED', 'FAILURE']);
});

test('progress counts on from queue to queue', async () => {
  const { broker, session } = setup();
  broker.store('low', {}, {});
  const seen: number[] = [];
  await purgeQueues.run(session, { queues: ['high', 'low'] }, { ...READING, progress: (done) => seen.push(done) });
  expect(seen).toEqual([1, 2, 3, 4, 5]);
});

test('a misspelt queue is refused with near names, and nothing is purged at all', async () => {
  const { broker, session } = setup();
  const error = await purgeQueues.run(session, { queues: ['high', 'lwo'] }, READING).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'UNKNOWN_QUEUE', exitCode: 3, message: expect.stringContaining('"low"') });
  expect(broker.changes).toEqual([]);
});

test('dead letters are refused by name: they are no waiting jobs', async () => {
  const { broker, session } = setup();
  const error = await purgeQueues
    .run(session, { queues: ['high', 'dead_letter'] }, READING)
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'USAGE', exitCode: 2, message: expect.stringContaining('dead letters') });
  expect(broker.changes).toEqual([]);
});

test('a queue that is named twice is purged once, and one called __proto__ is counted', async () => {
  const { broker, session } = setup();
  broker.store('__proto__', {});
  const { purged } = await purgeQueues.run(session, { queues: ['high', '__proto__', 'high'] }, READING);
  expect(Object.entries(purged)).toEqual([
    ['high', 3],
    ['__proto__', 1],
  ]);
});

test('its command line says the same', () => {
  expect(purgeQueues.commandLine({ queues: ['a', 'b'] })).toEqual(['purge', '-Q', 'a,b', '--yes']);
  expect(purgeQueues.commandLine({ all: true })).toEqual(['purge', '--all', '--yes']);
});

function plan(session: ReturnType<typeof createFakeSession>, input: { all: true }) {
  if (purgeQueues.effect === 'read') throw new Error('a purge is no read');
  return purgeQueues.plan(session, input);
}

test('the record of what was held back goes with the jobs', async () => {
  const broker = new FakeBroker().store('high', { id: 'x', state: 'SCHEDULED' });
  const job = { id: 'x', queue: 'high', task: 'a', createdAt: 1 };
  await broker.state.write(heldKey(job, 'pause'), encodeHeld(job, null));
  await purgeQueues.run(createFakeSession(broker), { queues: ['high'] }, READING);
  expect(await broker.state.size('held/')).toBe(0);
});
