import { describe, expect, test } from 'vitest';
import { toRecord, toRow } from '../../src/engine/broker/result-store/result-tables.ts';
import { READING } from '../../src/ops/operation.ts';
import { readResult } from '../../src/ops/read-result.ts';
import { failToLoad } from '../cli/fake-app.ts';
import { createStoredJob, FakeBroker, NOW } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';
import { createRow } from '../engine/broker/result-store/result-stores.ts';
import { FakeResultStore } from '../engine/worker/fake-result-store.ts';

const read = (input: { id: string; wait?: boolean; timeoutMs?: number }, broker: FakeBroker) =>
  readResult.run(createFakeSession(broker), input, READING);

const FIELDS =
  'id task queue state result error attempts progress createdAt startedAt finishedAt worker schedule'.split(' ');

test('a job that failed shows its error, and every field of the contract', async () => {
  const error = { name: 'TypeError', message: 'no', code: null, stack: 'TypeError: no' };
  const job = { id: 'x', state: 'FAILURE', error, attempts: 2, startedAt: NOW, finishedAt: NOW, worker: 'w' } as const;
  const result = await read({ id: 'x' }, new FakeBroker().store('high', job));
  expect(result).toMatchObject({
    id: 'x',
    queue: 'high',
    state: 'FAILURE',
    error,
    result: null,
    attempts: 2,
    worker: 'w',
  });
  expect(Object.keys(result)).toEqual(FIELDS);
});

test('a firing says its entry and when it was due, from the broker and from the result store', async () => {
  const schedule = { entry: 'nightly', dueAt: NOW };
  const id = `repeat:nightly:${NOW}`;
  const stored = new FakeBroker().store('high', { id, meta: { schedule: { entry: 'nightly' } } });
  expect(await read({ id }, stored)).toMatchObject({ id, schedule });
  expect(await read({ id: 'x' }, new FakeBroker().store('high', { id: 'x' }))).toMatchObject({ schedule: null });
  const session = createFakeSession(new FakeBroker().store('high'));
  const rows = new FakeResultStore();
  await rows.write([createRow({ id, queue: 'high' }), createRow({ id: 'x', queue: 'high' })]);
  session.fakeResults.store = rows;
  expect(await readResult.run(session, { id }, READING)).toMatchObject({ id, schedule });
  expect(await readResult.run(session, { id: 'x' }, READING)).toMatchObject({ id: 'x', schedule: null });
});

test('an id that no queue holds is UNKNOWN with the same fields, also when waiting', async () => {
  const result = await read({ id: 'nope', wait: true }, new FakeBroker().store('high'));
  expect(result).toMatchObject({ id: 'nope', state: 'UNKNOWN', task: null, queue: null, createdAt: null });
  expect(Object.keys(result)).toEqual(FIELDS);
});

describe('a job that the broker knows no more', () => {
  const store = new FakeResultStore();
  const row = createRow({ id: 'x', queue: 'high', finishedAt: NOW });
  const sessionWith = (broker = new FakeBroker().store('high')) => {
    const session = createFakeSession(broker);
    session.fakeResults.store = store;
    return session;
  };

  test('is read from the result store, with the same fields', async () => {
    await store.write([row]);
    const result = await readResult.run(sessionWith(), { id: 'x' }, READING);
    expect(result).toMatchObject({ id: 'x', state: 'SUCCESS', result: { sent: 1 }, finishedAt: NOW, worker: 'tq@box' });
    expect(Object.keys(result)).toEqual(FIELDS);
  });

  test('that is removed while it is waited for is read there too', async () => {
    const broker = new FakeBroker().store('high', { id: 'x' });
    broker.queue('high').jobs.set('x', createStoredJob({ id: 'x', queue: 'high' }));
    const waiting = readResult.run(sessionWith(broker), { id: 'x', wait: true, timeoutMs: 5 }, READING);
    broker.queue('high').jobs.delete('x');
    expect(await waiting).toMatchObject({ state: 'SUCCESS', result: { sent: 1 } });
  });

  test('is not looked for while the broker has it', async () => {
    const broker = new FakeBroker().store('high', { id: 'x', state: 'STARTED' });
    expect(await readResult.run(sessionWith(broker), { id: 'x' }, READING)).toMatchObject({ state: 'STARTED' });
  });

  test('of a number in several queues is asked for by its queue', async () => {
    const numbered = new FakeResultStore();
    numbered.read = async (_id, queue) =>
      ['a', 'b'].filter((name) => queue === undefined || name === queue).map((name) => ({ ...ROW, queue: name }));
    const session = createFakeSession(new FakeBroker());
    session.fakeResults.store = numbered;
    await expect(readResult.run(session, { id: '7' }, READING)).rejects.toMatchObject({
      code: 'AMBIGUOUS_JOB',
    });
    expect(await readResult.run(session, { id: '7', queue: 'b' }, READING)).toMatchObject({ queue: 'b' });
  });
  const ROW = toRow(toRecord({ ...row, id: '7' }));
});

describe('a job is found', () => {
  test('in a queue that the app does not declare', async () => {
    expect(await read({ id: 'x' }, new FakeBroker().store('foreign', { id: 'x' }))).toMatchObject({ queue: 'foreign' });
  });

  test('when the app cannot be loaded', async () => {
    const session = createFakeSession(new FakeBroker().store('foreign', { id: 'x' }), failToLoad);
    expect(await readResult.run(session, { id: 'x' }, READING)).toMatchObject({ queue: 'foreign' });
  });
});

describe('waiting', () => {
  test('ends when the job ends', async () => {
    const broker = new FakeBroker().store('high', { id: 'x' });
    const waiting = read({ id: 'x', wait: true }, broker);
    broker.queue('high').put(createStoredJob({ id: 'x', queue: 'high', state: 'SUCCESS', result: 7 }));
    expect(await waiting).toMatchObject({ state: 'SUCCESS', result: 7 });
  });

  test('ends when the time is over, with the state as it is', async () => {
    const broker = new FakeBroker().store('high', { id: 'x', state: 'STARTED', progress: 0.5 });
    expect(await read({ id: 'x', wait: true, timeoutMs: 5 }, broker)).toMatchObject({
      state: 'STARTED',
      progress: 0.5,
    });
  });
});

test('its command line says the same', () => {
  expect(readResult.commandLine({ id: 'x' })).toEqual(['result', 'x']);
  expect(readResult.commandLine({ id: 'x', wait: true, timeoutMs: 5 })).toEqual([
    'result',
    'x',
    '--wait',
    '--timeout',
    '5ms',
  ]);
});
