import { describe, expect, test } from 'vitest';
import { createApp } from '../../../src/engine/app/create-app.ts';
import type { RevokeOptions } from '../../../src/engine/app/revoke-control.ts';
import { context } from '../../../src/engine/task/context.ts';
import { prepareSqliteBenches } from './sqlite-benches.ts';

const setUp = prepareSqliteBenches();

test('an application revokes waiting jobs without a worker, and sees where they lie', async () => {
  const bench = setUp();
  const app = bench.createApp();
  const { queue } = bench;
  const waiting = await app.send('a');
  const later = await app.send('b', [], { countdown: '1h' });
  const revoked = { happened: 'never started', state: 'REVOKED', worker: null };
  expect(await app.control.revoke([waiting.id, 'gone', later.id, waiting.id], { by: 'ada' })).toEqual({
    jobs: [
      { id: waiting.id, task: 'a', queue, ...revoked },
      { id: 'gone', task: null, queue: null, happened: 'unknown', state: 'UNKNOWN', worker: null },
      { id: later.id, task: 'b', queue, ...revoked },
    ],
    workflows: [],
    workers: {},
    silent: [],
  });
  const lying = { queue, at: expect.any(Number), by: 'ada' };
  expect(await app.inspect.revoked()).toEqual({
    workers: {},
    silent: [],
    waiting: [
      { id: waiting.id, task: 'a', phase: 'waiting', ...lying },
      // It does not wait for its time any more.
      { id: later.id, task: 'b', phase: 'waiting', ...lying },
    ],
  });
  expect(await app.control.revoke([])).toEqual({ jobs: [], workflows: [], workers: {}, silent: [] });
});

test('of running jobs it has the receipts of the workers, which tell of them from then on', async () => {
  const bench = setUp();
  const app = bench.createApp();
  const begun = Promise.withResolvers<void>();
  const hold = app.task('hold', async (): Promise<void> => {
    const { signal } = context();
    begun.resolve();
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))));
  });
  await bench.startWorker(app);
  const { id } = await hold.delay();
  await begun.promise;
  const job = { id, task: 'hold', queue: bench.queue, happened: 'aborted' };
  expect(await app.control.revoke(id, { timeout: '20s', destinations: ['worker-1'] })).toEqual({
    jobs: [{ ...job, state: 'REVOKED', worker: 'worker-1' }],
    workflows: [],
    workers: { 'worker-1': [job] },
    silent: [],
  });
  expect(await app.inspect.revoked({ destinations: ['worker-1', 'gone'] })).toEqual({
    workers: { 'worker-1': [{ ...job, at: expect.any(Number), by: null }] },
    silent: ['gone'],
    waiting: [],
  });
});

test('it gives up on a function that does not listen when it is to terminate it', async () => {
  const bench = setUp();
  const app = bench.createApp();
  const begun = Promise.withResolvers<void>();
  const ends = Promise.withResolvers<void>();
  const deaf = app.task('deaf', () => {
    begun.resolve();
    return ends.promise;
  });
  await bench.startWorker(app);
  const { id } = await deaf.delay();
  await begun.promise;
  expect(await app.control.revoke(id, { timeout: 200 })).toMatchObject({
    jobs: [{ id, happened: 'ignored the signal', state: 'STARTED' }],
  });
  expect(await app.control.revoke(id, { terminate: true, queue: bench.queue })).toMatchObject({
    jobs: [{ id, happened: 'given up', state: 'REVOKED' }],
  });
  ends.resolve();
});

describe('options are checked', () => {
  const { control, inspect } = createApp({ broker: 'redis://127.0.0.1:1/0', builtins: false }, { env: {} });
  test.each<[object, string, string]>([
    [
      { terminated: true },
      'UNKNOWN_OPTION',
      'app.control.revoke() has no option "terminated"; did you mean "terminate"?',
    ],
    [{ terminate: 1 }, 'INVALID_OPTION', 'terminate of app.control.revoke() must be true or false, got 1'],
    [{ queue: '' }, 'INVALID_OPTION', 'queue of app.control.revoke() must be a text that is not empty, got ""'],
    [{ by: 7 }, 'INVALID_OPTION', 'by of app.control.revoke() must be a text'],
    [{ timeout: 0 }, 'INVALID_OPTION', 'timeout of app.control.revoke() must be from 1 ms'],
    [{ destinations: [] }, 'INVALID_OPTION', 'destinations of app.control.revoke() must be a list'],
  ])('%j', async (options, code, message) => {
    await expect(control.revoke('a', options as RevokeOptions)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });

  test('and ids must be texts', async () => {
    const message = 'each id of app.control.revoke() must be a text that is not empty';
    for (const ids of ['', ['a', ''], [7], undefined]) {
      await expect(control.revoke(ids as string)).rejects.toThrow(message);
    }
    await expect(inspect.revoked({ timeout: 'x' })).rejects.toMatchObject({ code: 'INVALID_DURATION' });
  });
});
