import { expect, test } from 'vitest';
import { createRunId } from '../../src/engine/core/run-id.ts';
import { execute, type GateOptions } from '../../src/ops/gate.ts';
import { reprocessDeadLetters } from '../../src/ops/reprocess-dead-letters.ts';
import { FakeBroker, NOW } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';
import { KeptJobs } from './kept-jobs.ts';

const dead = (id: string, finishedAt: number, args: unknown[] = [{ to: id }]) => ({
  id,
  args,
  finishedAt,
  state: 'FAILURE' as const,
  error: { name: 'TypeError', message: 'no', code: null, stack: null },
});

function setup() {
  const broker = new FakeBroker()
    .store('mail', dead('a', NOW - 10_000), dead('b', NOW - 100, ['text']), { id: 'w' })
    .store('slow', dead('c', NOW - 5000));
  const keeper = new KeptJobs();
  const run = (input: unknown, options: Partial<GateOptions> = {}) =>
    execute(reprocessDeadLetters, input, {
      session: createFakeSession(broker),
      yes: true,
      createKeeper: () => keeper,
      ...options,
    });
  return { broker, keeper, run };
}

test('all dead letters of all queues go back, and are kept as they were', async () => {
  const { broker, keeper, run } = setup();
  expect(await run({ all: true })).toMatchObject({
    result: {
      ...{ matched: 3, reprocessed: 3, failed: [], failedCount: 0, stopped: null, outcomes: null, undo: 'op1' },
      run: expect.stringMatching(/^[0-9a-z]{8}-[0-9a-z]{4}$/),
    },
  });
  expect(await broker.queue('mail').counts()).toMatchObject({ waiting: 3, dead: 0 });
  expect(keeper.kept.map(({ record, after }) => [record.id, after])).toEqual([
    ['a', { queue: 'mail', place: 'waiting' }],
    ['b', { queue: 'mail', place: 'waiting' }],
    ['c', { queue: 'slow', place: 'waiting' }],
  ]);
});

test('of named jobs, those that are no dead letters are told', async () => {
  const { run } = setup();
  expect(await run({ ids: ['a', 'w', 'x'] })).toMatchObject({
    result: {
      ...{ matched: 3, reprocessed: 1, failedCount: 2 },
      failed: [
        { id: 'x', message: 'no queue holds it' },
        { id: 'w', message: 'it is no dead letter: its state is PENDING' },
      ],
    },
  });
});

test('a plan counts no more than the first ones, and shows what a patch would change', async () => {
  const { broker, run } = setup();
  expect(await run({ where: 'queue:mail', first: 1 }, { dryRun: true })).toMatchObject({
    plan: {
      summary: 'would send 1 job back to work',
      count: 1,
      rows: [{ queue: 'mail', error: 'TypeError', jobs: 1 }],
    },
  });
  expect(await run({ where: 'queue:mail', patch: { to: 'z' }, to: 'repair' }, { dryRun: true })).toMatchObject({
    plan: {
      summary: 'would send 2 jobs back to work in queue "repair"',
      rows: [
        { id: 'a', path: 'args.0.to', before: '"a"', after: '"z"' },
        { id: 'b', problem: expect.stringContaining('no object') },
      ],
    },
  });
  expect(broker.changes).toEqual([]);
});

test('to go on with an earlier run leaves alone what has died since', async () => {
  const { run } = setup();
  const earlier = createRunId(NOW - 1000);
  expect(await run({ all: true, resume: earlier })).toMatchObject({ result: { matched: 2, reprocessed: 2 } });
});

test.each(['nonsense', createRunId(NOW + 60_000), ''])('%j is no run to go on with', async (resume) => {
  const { broker, run } = setup();
  await expect(run({ all: true, resume })).rejects.toMatchObject({ code: 'USAGE' });
  expect(broker.changes).toEqual([]);
});

test('a rate that cannot be read is refused before anything is done', async () => {
  const { broker, run } = setup();
  await expect(run({ all: true, rate: 'fast' })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  expect(broker.changes).toEqual([]);
});

test('it says why it stopped', async () => {
  const { run } = setup();
  expect(await run({ all: true, stopIfFailing: 5, patienceMs: 0 })).toMatchObject({
    result: { stopped: expect.stringContaining('nobody runs them: 3 wait'), outcomes: { pending: 3 } },
  });
});
