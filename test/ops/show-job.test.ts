import { expect, test } from 'vitest';
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
