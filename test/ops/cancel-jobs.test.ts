import { expect, test } from 'vitest';
import { cancelJobs } from '../../src/ops/cancel-jobs.ts';
import { execute, type GateOptions } from '../../src/ops/gate.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';
import { KeptJobs } from './kept-jobs.ts';

function setup() {
  const broker = new FakeBroker()
    .store('mail', { id: 'w', task: 'email.send', args: [{ to: 'a@x.de' }] }, { id: 's', state: 'SCHEDULED', dueAt: 1 })
    .store('mail', { id: 'a', state: 'STARTED' }, { id: 'd', state: 'FAILURE' }, { id: 'f', state: 'SUCCESS' })
    .store('slow', { id: 'v', task: 'video.cut' }, { id: 'r', state: 'RETRY', dueAt: 5, task: 'video.cut' });
  const keeper = new KeptJobs();
  const run = (input: unknown, options: Partial<GateOptions> = {}) =>
    execute(cancelJobs, input, {
      session: createFakeSession(broker),
      yes: true,
      createKeeper: () => keeper,
      ...options,
    });
  return { broker, keeper, run };
}

test('named jobs that have not started are removed, the others are named with what they are', async () => {
  const { broker, keeper, run } = setup();
  expect(await run({ ids: ['w', 's', 'a', 'd', 'f', 'nobody'] })).toEqual({
    kind: 'done',
    result: {
      matched: 6,
      changed: 2,
      failed: [
        { id: 'nobody', message: 'no queue holds it' },
        { id: 'a', message: 'it is running now' },
        { id: 'd', message: 'it is a dead letter' },
        { id: 'f', message: 'it is finished' },
      ],
      failedCount: 4,
      undo: 'op1',
      stopped: null,
    },
  });
  expect([...broker.queue('mail').jobs.keys()]).toEqual(['a', 'd', 'f']);
  expect(keeper.kept).toMatchObject([
    { record: { id: 'w', queue: 'mail', place: 'waiting' }, after: null },
    { record: { id: 's', place: 'scheduled' }, after: null },
  ]);
});

test('by a query they are removed from all queues', async () => {
  const { broker, run } = setup();
  expect(await run({ where: 'task:video.* OR args.0.to=*@x.de' })).toMatchObject({
    result: { matched: 3, changed: 3, failedCount: 0 },
  });
  expect([...broker.queue('slow').jobs.keys()]).toEqual([]);
  expect([...broker.queue('mail').jobs.keys()]).toEqual(['s', 'a', 'd', 'f']);
});

test('a dry run counts by groups and changes nothing', async () => {
  const { broker, run } = setup();
  expect(await run({ where: 'queue:*' }, { dryRun: true })).toEqual({
    kind: 'planned',
    plan: {
      summary: 'would remove 4 jobs',
      count: 4,
      rows: expect.arrayContaining([
        { queue: 'slow', task: 'video.cut', state: 'PENDING', error: null, jobs: 1 },
        { queue: 'slow', task: 'video.cut', state: 'RETRY', error: null, jobs: 1 },
      ]),
    },
  });
  expect(broker.changes).toEqual([]);
});

test('what was not kept is not removed', async () => {
  const { broker, keeper, run } = setup();
  keeper.failure = new Error('no space left');
  await expect(run({ ids: ['w'] })).rejects.toThrow('no space left');
  expect(broker.changes).toEqual([]);
});

test('a job that starts between the look and the removal is left alone', async () => {
  const { broker, run } = setup();
  const queue = broker.queue('mail');
  const keeper = new KeptJobs(() => {
    const job = queue.jobs.get('w');
    if (job !== undefined) queue.put({ ...job, state: 'STARTED' });
  });
  expect(await run({ ids: ['w'] }, { createKeeper: () => keeper })).toMatchObject({
    result: { matched: 1, changed: 0, failed: [{ id: 'w', message: 'somebody else has touched it meanwhile' }] },
  });
  expect(queue.jobs.has('w')).toBe(true);
  expect(keeper.leftAlone.map(({ id }) => id)).toEqual(['w']);
});

test('asked to stop it ends between two queues, and says so', async () => {
  const { broker, run } = setup();
  const stopping = new AbortController();
  const keeper = new KeptJobs(() => stopping.abort());
  const execution = await run({ where: 'queue:*' }, { createKeeper: () => keeper, signal: stopping.signal });
  expect(execution).toMatchObject({ result: { stopped: 'it was asked to stop' } });
  expect(broker.changes.filter((change) => change.startsWith('remove'))).toHaveLength(1);
});

test('when the broker goes away in the middle, it says what was done', async () => {
  const { broker, run } = setup();
  const execution = await run({ where: 'queue:*' }, { onProgress: () => broker.break() });
  expect(execution).toMatchObject({ result: { changed: 1, stopped: expect.stringContaining('6379') } });
});

test.each([{}, { ids: ['w'], where: 'queue:mail' }, { where: 'queue:mail', all: true }])(
  'jobs are chosen in one way: %j',
  async (input) => {
    const { broker, run } = setup();
    await expect(run(input)).rejects.toMatchObject({ code: 'USAGE' });
    expect(broker.changes).toEqual([]);
  },
);
