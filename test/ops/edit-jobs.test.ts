import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineTask } from '../../src/engine/task/definition.ts';
import { editJobs } from '../../src/ops/edit-jobs.ts';
import { execute, type GateOptions } from '../../src/ops/gate.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';
import { KeptJobs } from './kept-jobs.ts';

function setup() {
  const broker = new FakeBroker().store(
    'mail',
    { id: 'w', args: [{ to: 'a', n: 1 }, 2] },
    { id: 's', state: 'SCHEDULED', dueAt: 9, args: [{ to: 'b' }] },
    { id: 'd', state: 'FAILURE', args: ['text'] },
    { id: 'a', state: 'STARTED', args: [{ to: 'c' }] },
  );
  const keeper = new KeptJobs();
  const run = (input: unknown, options: Partial<GateOptions> = {}) =>
    execute(editJobs, input, {
      session: createFakeSession(broker),
      yes: true,
      createKeeper: () => keeper,
      ...options,
    });
  return { broker, keeper, run };
}

test('a patch changes the first argument; what it does not fit stays as it is', async () => {
  const { broker, keeper, run } = setup();
  const execution = await run({ ids: ['w', 's', 'd', 'a'], patch: { to: 'x', n: null } });
  expect(execution).toMatchObject({ result: { matched: 4, changed: 2, failedCount: 2, undo: 'op1' } });
  const queue = broker.queue('mail');
  expect((await queue.readJob('w'))?.args).toEqual([{ to: 'x' }, 2]);
  expect((await queue.readJob('s'))?.args).toEqual([{ to: 'x' }]);
  expect((await queue.readJob('d'))?.args).toEqual(['text']);
  expect(keeper.kept).toMatchObject([
    {
      record: { id: 'w', data: '{"args":[{"to":"a","n":1},2],"meta":{}}' },
      after: { queue: 'mail', place: 'waiting' },
    },
    { record: { id: 's' }, after: { place: 'scheduled' } },
  ]);
});

test('a dry run shows the differences, and what cannot be changed', async () => {
  const { broker, run } = setup();
  expect(await run({ where: 'queue:mail', patch: { to: 'x' } }, { dryRun: true })).toMatchObject({
    plan: {
      count: 3,
      rows: [
        { id: 'w', path: 'args.0.to', before: '"a"', after: '"x"', problem: null },
        { id: 's', path: 'args.0.to', before: '"b"', after: '"x"' },
        { id: 'd', path: null, problem: expect.stringContaining('no object') },
      ],
    },
  });
  expect(broker.changes).toEqual([]);
});

test('arguments that the task would refuse are not stored', async () => {
  const { broker, run } = setup();
  const session = createFakeSession(broker);
  const definition = defineTask('email.send', { input: z.object({ to: z.string() }) }, () => null);
  session.fakeApp.tasks.set('email.send', definition as never);
  expect(await run({ ids: ['s'], patch: { to: 7 } }, { session })).toMatchObject({
    result: { changed: 0, failed: [{ id: 's', message: expect.stringContaining('input.to') }] },
  });
  expect(await run({ ids: ['s'], patch: { to: 'x' } }, { session })).toMatchObject({ result: { changed: 1 } });
});

test('priority and time can be changed, the time of scheduled jobs alone', async () => {
  const { broker, run } = setup();
  expect(await run({ ids: ['w', 's'], dueAt: 99, priority: 7 })).toMatchObject({
    result: { changed: 1, failed: [{ id: 'w', message: expect.stringContaining('not scheduled') }] },
  });
  expect(await broker.queue('mail').readJob('s')).toMatchObject({ dueAt: 99, priority: 7 });
});

test('all arguments can be replaced', async () => {
  const { broker, run } = setup();
  await run({ ids: ['d'], args: [1, 2] });
  expect((await broker.queue('mail').readJob('d'))?.args).toEqual([1, 2]);
});

test.each([{}, { patch: {}, args: [] }])('there must be one thing to change: %j', async (change) => {
  const { broker, run } = setup();
  await expect(run({ ids: ['w'], ...change })).rejects.toMatchObject({ code: 'USAGE' });
  expect(broker.changes).toEqual([]);
});
