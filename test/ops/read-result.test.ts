import { describe, expect, test } from 'vitest';
import { readResult } from '../../src/ops/read-result.ts';
import { failToLoad } from '../cli/fake-app.ts';
import { createStoredJob, FakeBroker, NOW } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';

const read = (input: { id: string; wait?: boolean; timeoutMs?: number }, broker: FakeBroker) =>
  readResult.run(createFakeSession(broker), input, () => undefined);

const FIELDS = 'id task queue state result error attempts progress createdAt startedAt finishedAt worker'.split(' ');

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

test('an id that no queue holds is UNKNOWN with the same fields, also when waiting', async () => {
  const result = await read({ id: 'nope', wait: true }, new FakeBroker().store('high'));
  expect(result).toMatchObject({ id: 'nope', state: 'UNKNOWN', task: null, queue: null, createdAt: null });
  expect(Object.keys(result)).toEqual(FIELDS);
});

describe('a job is found', () => {
  test('in a queue that the app does not declare', async () => {
    expect(await read({ id: 'x' }, new FakeBroker().store('foreign', { id: 'x' }))).toMatchObject({ queue: 'foreign' });
  });

  test('when the app cannot be loaded', async () => {
    const session = createFakeSession(new FakeBroker().store('foreign', { id: 'x' }), failToLoad);
    expect(await readResult.run(session, { id: 'x' }, () => undefined)).toMatchObject({ queue: 'foreign' });
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
