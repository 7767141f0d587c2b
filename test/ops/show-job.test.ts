import { expect, test } from 'vitest';
import type { StoredJob } from '../../src/engine/core/job.ts';
import { formatReprocessNote } from '../../src/engine/core/reprocess-note.ts';
import { READING } from '../../src/ops/operation.ts';
import { showJob } from '../../src/ops/show-job.ts';
import { FakeBroker, NOW } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';

const show = (id: string, broker: FakeBroker) => showJob.run(createFakeSession(broker), { id }, READING);

test('everything about a job: arguments, envelope laid flat, stacks and log', async () => {
  const meta = {
    requestId: 'r',
    rootId: 'root',
    expiresAt: NOW,
    timeLimitMs: 5,
    retry: false,
    headers: { a: 'b' },
  } as const;
  const broker = new FakeBroker().store('high', {
    id: 'x',
    state: 'RETRY',
    args: [1],
    meta,
    dueAt: NOW,
    stacks: ['s'],
  });
  broker.queue('high').logs.set('x', ['first', 'second']);
  const { meta: _, ...details } = { meta: null, ...(await show('x', broker)) };
  expect(details).toMatchObject({
    ...{ id: 'x', queue: 'high', state: 'RETRY', args: [1], dueAt: NOW, stacks: ['s'], log: ['first', 'second'] },
    ...{ requestId: 'r', rootId: 'root', parentId: null, expiresAt: NOW, softTimeLimitMs: null, timeLimitMs: 5 },
    ...{ retry: false, headers: { a: 'b' } },
  });
});

test('each attempt: the failed ones of the ledger, and the one that ended the job', async () => {
  const error = { name: 'Error', message: 'no', code: null, stack: 'Error: no' };
  const failed = {
    end: 'retry',
    startedAt: NOW - 900,
    endedAt: NOW - 800,
    worker: 'one',
    error,
    isEarlier: false,
  } as const;
  const job = { id: 'x', attempts: 2, worker: 'two', startedAt: NOW - 500, failures: [{ ...failed, number: 1 }] };
  const first = {
    attempt: 1,
    outcome: 'retry',
    startedAt: NOW - 900,
    endedAt: NOW - 800,
    durationMs: 100,
    worker: 'one',
    error,
  };
  const last = { attempt: 2, startedAt: NOW - 500, worker: 'two', error: null, isEarlier: false };
  const ofState = async (given: Partial<StoredJob>) =>
    (await show('x', new FakeBroker().store('high', { ...job, ...given }))).attemptHistory;
  expect(await ofState({ state: 'RETRY', attempts: 1 })).toEqual([{ ...first, isEarlier: false }]);
  expect(await ofState({ state: 'STARTED' })).toMatchObject([
    first,
    { ...last, outcome: 'running', endedAt: null, durationMs: null },
  ]);
  expect(await ofState({ state: 'SUCCESS', finishedAt: NOW })).toMatchObject([
    first,
    { ...last, outcome: 'succeeded', endedAt: NOW, durationMs: 500 },
  ]);
  expect(await ofState({ state: 'REVOKED' })).toMatchObject([first]);
  expect(await ofState({ state: 'FAILURE', finishedAt: NOW, attempts: 1 })).toMatchObject([first]);
});

test('where it comes from, what it waits for and what waits for it', async () => {
  const broker = new FakeBroker().store('high', { id: 'x', meta: { workflow: { id: 'w', node: 3 } } });
  const children = [
    { queue: 'low', id: 'a', end: 'done', value: '"large"' },
    ...Array.from({ length: 150 }, (_, at) => ({ queue: 'low', id: `p${at}`, end: 'pending' as const, value: null })),
  ] as const;
  const parent = { queue: 'low', id: 'up', onDead: 'wait' } as const;
  broker.queue('high').records.set('x', { schedulerId: 'nightly', parent, children });
  const note = formatReprocessNote({ at: NOW, by: 'mhy2k9x1-04af' }, 'had died after 1 attempt');
  broker.queue('high').logs.set('x', ['a row', note]);
  const details = await show('x', broker);
  expect(details).toMatchObject({
    ...{
      workflow: 'w',
      step: 3,
      scheduleEntry: 'nightly',
      waitedForBy: { queue: 'low', id: 'up' },
      waitsForCount: 151,
    },
    reprocessed: [{ at: NOW, by: 'mhy2k9x1-04af' }],
  });
  expect(details.waitsFor).toHaveLength(100);
  expect(details.waitsFor[0]).toEqual({ queue: 'low', id: 'p0', end: 'pending' });
});

test('the numbers of arguments are those that are stored', async () => {
  const broker = new FakeBroker().store('high', { id: 'x' });
  const data = '{"args":[{"id":12345678901234567890,"price":1.10}],"meta":{}}';
  broker.queue('high').records.set('x', { data });
  expect(JSON.stringify((await show('x', broker)).args)).toBe('[{"id":12345678901234567890,"price":1.10}]');
  broker.queue('high').records.set('x', { data: '{"id":9007199254740993}' });
  expect(JSON.stringify((await show('x', broker)).args)).toBe('[{"id":9007199254740993}]');
});

test('a job that goes away meanwhile is shown as it was seen', async () => {
  const broker = new FakeBroker().store('high', { id: 'x', args: [1] });
  broker.queue('high').bulk.readRecords = async () => [];
  expect(await show('x', broker)).toMatchObject({ args: [1], log: [], scheduleEntry: null, waitsForCount: 0 });
});

test('what is absent is null and never a missing key', async () => {
  const details = await show('x', new FakeBroker().store('high', { id: 'x', result: undefined, progress: undefined }));
  expect(Object.values(details)).not.toContain(undefined);
  expect(details).toMatchObject({ result: null, progress: null, requestId: null, retry: null, headers: {}, log: [] });
});

test('an id that no queue holds is an error', async () => {
  await expect(show('nope', new FakeBroker().store('high'))).rejects.toMatchObject({
    code: 'UNKNOWN_JOB',
    exitCode: 3,
  });
});

test('its command line says the same', () => {
  expect(showJob.commandLine({ id: 'x' })).toEqual(['jobs', 'show', 'x']);
});

test('a number that several queues hold shows none of them, and the queue says which', async () => {
  const broker = new FakeBroker().store('mail', { id: '7', args: ['a'] }).store('video', { id: '7', args: ['b'] });
  await expect(show('7', broker)).rejects.toMatchObject({
    code: 'AMBIGUOUS_JOB',
    message: 'the queues mail, video each hold a job 7',
    exitCode: 2,
  });
  const session = createFakeSession(broker);
  expect(await showJob.run(session, { id: '7', queue: 'video' }, READING)).toMatchObject({ args: ['b'] });
  expect(showJob.commandLine({ id: '7', queue: 'video' })).toEqual(['jobs', 'show', '7', '--queue', 'video']);
});

test('a firing says its entry, when it was due and when it expires', async () => {
  const id = `repeat:nightly:${NOW}`;
  const meta = { schedule: { entry: 'nightly', expiresMs: 1000 } };
  const broker = new FakeBroker().store('high', { id, meta });
  broker.store('high', { id: 'x' });
  expect(await show(id, broker)).toMatchObject({ schedule: { entry: 'nightly', dueAt: NOW }, expiresAt: NOW + 1000 });
  expect(await show('x', broker)).toMatchObject({ schedule: null, expiresAt: null });
});
