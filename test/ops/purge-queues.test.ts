import { expect, test } from 'vitest';
import { encodeHeld, heldKey } from '../../src/engine/worker/admission/held-index.ts';
import { READING } from '../../src/ops/operation.ts';
import { purgeQueues } from '../../src/ops/purge-queues.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';
import { KeptJobs } from './kept-jobs.ts';

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
  expect(seen).toEqual([2, 3, 5]);
});

test('a misspelt queue is refused with near names, and nothing is purged at all', async () => {
  const { broker, session } = setup();
  const error = await purgeQueues.run(session, { queues: ['high', 'lwo'] }, READING).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'UNKNOWN_QUEUE', exitCode: 3, message: expect.stringContaining('"low"') });
  expect(broker.changes).toEqual([]);
});

test('the dead letters of all queues are one queue by name, and go only when it is named', async () => {
  const { broker, session } = setup();
  broker.store('low', { state: 'FAILURE' }, { state: 'FAILURE' });
  const input = { queues: ['low', 'dead_letter'] };
  expect(await plan(session, input)).toEqual({
    summary: 'would remove 3 jobs from 2 queues',
    count: 3,
    rows: [
      { queue: 'low', waiting: 0, scheduled: 0 },
      { queue: 'dead_letter', waiting: 3, scheduled: 0 },
    ],
  });
  const result = await purgeQueues.run(session, input, READING);
  expect(result).toEqual({ purged: { low: 0, dead_letter: 3 }, total: 3, undo: null });
  expect([...broker.queue('low').jobs.values()].map(({ state }) => state)).toEqual(['SUCCESS']);
});

test('a queue that is called dead_letter is that queue', async () => {
  const { broker, session } = setup();
  broker.store('dead_letter', {});
  const { purged } = await purgeQueues.run(session, { queues: ['dead_letter'] }, READING);
  expect(purged).toEqual({ dead_letter: 1 });
  expect(broker.queue('high').jobs.size).toBe(5);
});

test('each job is kept before it is removed, and one that was taken meanwhile is said to be left', async () => {
  const { broker, session } = setup();
  const { jobs } = broker.queue('high');
  const [first] = jobs.values();
  const keeper = new KeptJobs(() => {
    if (first !== undefined) jobs.set(first.id, { ...first, state: 'STARTED' });
  });
  const result = await purgeQueues.run(session, { queues: ['high'] }, { ...READING, keeper });
  expect(result).toEqual({ purged: { high: 2 }, total: 2, undo: 'op1' });
  expect(keeper.kept.map(({ after }) => after)).toEqual([null, null, null]);
  expect(keeper.leftAlone.map(({ id }) => id)).toEqual([first?.id]);
});

test('where all that was kept was taken meanwhile there is nothing to undo', async () => {
  const { broker, session } = setup();
  const { jobs } = broker.queue('high');
  const keeper = new KeptJobs(() => {
    for (const job of jobs.values()) jobs.set(job.id, { ...job, state: 'STARTED' });
  });
  const result = await purgeQueues.run(session, { queues: ['high'] }, { ...READING, keeper });
  expect(result).toEqual({ purged: { high: 0 }, total: 0, undo: null });
  expect(keeper.kept).not.toEqual([]);
});

test('nothing goes that cannot be kept', async () => {
  const { broker, session } = setup();
  const keeper = new KeptJobs();
  keeper.failure = new Error('full');
  const purging = purgeQueues.run(session, { queues: ['high'] }, { ...READING, keeper });
  await expect(purging).rejects.toThrow('full');
  expect(broker.queue('high').jobs.size).toBe(5);
});

test('the next jobs are kept while the ones before are removed; a stop meanwhile leaves them alone, and says so', async () => {
  const broker = new FakeBroker().store('high', ...Array.from({ length: 400 }, () => ({})));
  const session = createFakeSession(broker);
  const { jobs, bulk } = broker.queue('high');
  const stopping = new AbortController();
  const nextIsKept = Promise.withResolvers<void>();
  const keeper = new KeptJobs(() => {
    if (keeper.kept.length > 8) nextIsKept.resolve();
  });
  const remove = bulk.remove.bind(bulk);
  bulk.remove = async (ids, from) => {
    await nextIsKept.promise;
    stopping.abort();
    return await remove(ids, from);
  };
  const run = { ...READING, keeper, signal: stopping.signal };
  // The first slice of whole jobs is of eight, before it is known how large they are.
  expect(await purgeQueues.run(session, { queues: ['high'] }, run)).toMatchObject({ total: 8 });
  expect(keeper.kept).toHaveLength(400);
  expect(keeper.leftAlone.map(({ id }) => id)).toEqual([...jobs.keys()]);
  expect(jobs.size).toBe(392);
});

test('jobs that cannot be kept stay, while those before them go', async () => {
  const broker = new FakeBroker().store('high', ...Array.from({ length: 400 }, () => ({})));
  const counts: number[] = [];
  const keeper = new KeptJobs(() => {
    keeper.failure = new Error('full');
  });
  const run = { ...READING, keeper, progress: (count: number) => void counts.push(count) };
  await expect(purgeQueues.run(createFakeSession(broker), { queues: ['high'] }, run)).rejects.toThrow('full');
  expect(counts).toEqual([8]);
  expect(broker.queue('high').jobs.size).toBe(392);
});

test('jobs that are added after it began stay', async () => {
  const { broker, session } = setup();
  broker.store('high', { id: 'late', createdAt: session.clock.now() + 1 });
  expect(await purgeQueues.run(session, { queues: ['high'] }, READING)).toMatchObject({ total: 3 });
  expect(broker.queue('high').jobs.has('late')).toBe(true);
});

test('it ends between two pages when it is asked to stop', async () => {
  const { broker, session } = setup();
  const stopping = new AbortController();
  const run = { ...READING, signal: stopping.signal, progress: () => stopping.abort() };
  expect(await purgeQueues.run(session, { all: true }, run)).toEqual({ purged: { high: 2 }, total: 2, undo: null });
  expect(broker.queue('high').jobs.size).toBe(3);
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

test('a queue that came after the plan was shown stays', async () => {
  const { broker, session } = setup();
  const input = { all: true } as const;
  await plan(session, input);
  broker.store('new', {});
  expect(await purgeQueues.run(session, input, READING)).toMatchObject({ purged: { high: 3, low: 0 } });
  expect(broker.queue('new').jobs.size).toBe(1);
});

test('its command line says the same', () => {
  expect(purgeQueues.commandLine({ queues: ['a', 'b'] })).toEqual(['purge', '-Q', 'a,b', '--yes']);
  expect(purgeQueues.commandLine({ all: true })).toEqual(['purge', '--all', '--yes']);
});

function plan(session: ReturnType<typeof createFakeSession>, input: Parameters<typeof purgeQueues.run>[1]) {
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
