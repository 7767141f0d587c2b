import { describe, expect, test } from 'vitest';
import type { JobRecord } from '../../../src/engine/core/job-record.ts';
import {
  type ReprocessOptions,
  type ReprocessSurroundings,
  reprocess,
} from '../../../src/engine/deadletter/reprocessing.ts';
import type { JobPage } from '../../../src/engine/jobs/seen-job.ts';
import { systemClock } from '../../../src/engine/runtime/system-clock.ts';
import { FakeBroker, NOW } from '../../cli/fake-broker.ts';

const ERROR = { name: 'TypeError', message: 'no such user\nat all', code: null, stack: null };
const DIED_AT = NOW - 1000;

function setup(count: number) {
  const broker = new FakeBroker();
  const jobs = Array.from({ length: count }, (_, index) => ({
    id: `d${index}`,
    state: 'FAILURE' as const,
    error: ERROR,
    attempts: 3,
    finishedAt: DIED_AT,
    args: [{ to: `a${index}`, n: index }],
  }));
  broker.store('mail', ...jobs);
  const queue = broker.queue('mail');
  const progress: number[] = [];
  const stopping = new AbortController();
  const run = (options: Partial<ReprocessOptions> = {}, around: Partial<ReprocessSurroundings> = {}) =>
    reprocess(
      pages(),
      { diedBy: NOW, ...options },
      {
        ...{ broker, clock: systemClock, signal: stopping.signal, run: 'op1', taskOf: () => undefined },
        onProgress: (done) => progress.push(done),
        ...around,
      },
    );
  const pages = async function* (): AsyncIterable<JobPage> {
    for await (const page of queue.bulk.scanSummaries({ places: ['dead'], pageSize: 10 })) {
      yield { queue: 'mail', jobs: page };
    }
  };
  return { broker, queue, progress, stopping, run };
}

test('dead letters go back to work with all their attempts, and their log says what had happened', async () => {
  const { queue, progress, run } = setup(25);
  expect(await run()).toMatchObject({ matched: 25, reprocessed: 25, failed: [], failedCount: 0, stop: undefined });
  expect(await queue.counts()).toMatchObject({ waiting: 25, dead: 0 });
  expect(progress).toEqual([10, 20, 25]);
  expect(await queue.readJob('d3')).toMatchObject({ attempts: 0, error: null });
  expect(await queue.readLog('d3')).toEqual([
    expect.stringMatching(/^reprocessed at .*Z by op1; had died after 3 attempts: TypeError: no such user$/),
  ]);
});

test('a canary takes the first ones alone', async () => {
  const { queue, run } = setup(25);
  expect(await run({ first: 12 })).toMatchObject({ matched: 12, reprocessed: 12 });
  expect(await queue.counts()).toMatchObject({ waiting: 12, dead: 13 });
});

test('what died after the run began is left alone', async () => {
  const { queue, run } = setup(3);
  expect(await run({ diedBy: DIED_AT - 1 })).toMatchObject({ matched: 0, reprocessed: 0 });
  expect(await queue.counts()).toMatchObject({ dead: 3 });
});

test('a job that another one has touched is named and left alone', async () => {
  const { broker, queue, run } = setup(3);
  const bulk = queue.bulk;
  const reprocess = bulk.reprocess.bind(bulk);
  // Another operator is quicker with d1, and d2 has run and died again.
  bulk.reprocess = async (jobs) => {
    await queue.reprocess('d1');
    const again = await queue.readJob('d2');
    if (again !== undefined) queue.put({ ...again, finishedAt: NOW });
    return await reprocess(jobs);
  };
  const report = await run();
  expect(report).toMatchObject({ matched: 3, reprocessed: 1, failedCount: 2 });
  expect(report.failed.map(({ id }) => id)).toEqual(['d1', 'd2']);
  expect(broker.changes.filter((change) => change.startsWith('reprocess d1'))).toHaveLength(1);
});

test('with a patch the arguments change, and what cannot be patched stays dead', async () => {
  const { queue, run } = setup(3);
  queue.put({ ...(await queue.readJob('d1')), args: [7] } as never);
  const report = await run({ patch: { kind: 'merge', patch: { to: 'fixed' } } });
  expect(report).toMatchObject({ matched: 3, reprocessed: 2, failed: [{ id: 'd1' }] });
  expect(await queue.readJob('d0')).toMatchObject({ args: [{ to: 'fixed', n: 0 }], state: 'PENDING' });
  expect(await queue.readJob('d1')).toMatchObject({ args: [7], state: 'FAILURE' });
});

test('into another queue they are moved first, and run there alone', async () => {
  const { broker, run } = setup(2);
  expect(await run({ queue: 'repair' })).toMatchObject({ reprocessed: 2 });
  expect(broker.changes.filter((change) => !change.startsWith('reprocess d'))).toEqual(['move 2 of mail to repair']);
  expect(await broker.queue('repair').counts()).toMatchObject({ waiting: 2 });
});

test('jobs are kept as they were before they are changed', async () => {
  const { queue, run } = setup(2);
  const kept: JobRecord[] = [];
  await run(
    {},
    {
      keeper: {
        async keep(records, after) {
          expect(after).toEqual({ queue: 'mail', data: {} });
          expect(await queue.counts()).toMatchObject({ dead: 2 });
          kept.push(...records);
        },
        left: (records) => expect(records).toEqual([]),
      },
    },
  );
  expect(kept).toMatchObject([
    { id: 'd0', place: 'dead', attemptsMade: 3 },
    { id: 'd1', place: 'dead' },
  ]);
});

describe('when it ends early', () => {
  test('asked to stop, it says how far it came', async () => {
    const { queue, stopping, run } = setup(25);
    const report = await run({}, { onProgress: () => stopping.abort() });
    expect(report).toMatchObject({ matched: 10, reprocessed: 10, stop: 'stopped' });
    expect(await queue.counts()).toMatchObject({ waiting: 10, dead: 15 });
  });

  test('asked to stop while it waits for its next turn, it stops at once', async () => {
    const { stopping, run } = setup(3);
    const report = await run({ rate: { count: 1, periodMs: 3_600_000 } }, { onProgress: () => stopping.abort() });
    expect(report).toMatchObject({ reprocessed: 1, stop: 'stopped' });
  });

  test('without a broker, it says what was done before', async () => {
    const { broker, run } = setup(25);
    const report = await run({}, { onProgress: () => broker.break() });
    expect(report).toMatchObject({ reprocessed: 10, stop: 'error', error: { code: 'BROKER_UNAVAILABLE' } });
  });

  test('without a broker from the begin, it fails', async () => {
    const { broker, run } = setup(1);
    broker.break();
    await expect(run()).rejects.toMatchObject({ code: 'BROKER_UNAVAILABLE' });
  });
});

describe('watching what they come to', () => {
  /** A worker that gives each job that goes back an end at once. */
  function work(
    queue: ReturnType<typeof setup>['queue'],
    endOf: (id: string) => 'SUCCESS' | 'FAILURE' | 'RETRY' | 'gone',
  ): void {
    const reprocess = queue.reprocess.bind(queue);
    queue.reprocess = async (id) => {
      const went = await reprocess(id);
      const end = endOf(id);
      const job = await queue.readJob(id);
      if (end === 'gone') await queue.removeJob(id);
      else if (job !== undefined) queue.put({ ...job, state: end, attempts: 1 });
      return went;
    };
  }

  test('it ends when all have ended well, and says what they came to', async () => {
    const { queue, run } = setup(45);
    work(queue, (id) => (id === 'd7' ? 'gone' : 'SUCCESS'));
    expect(await run({ stopIfFailingPercent: 5 })).toMatchObject({
      ...{ matched: 45, reprocessed: 45, stop: undefined },
      outcomes: { succeeded: 45, failed: 0, pending: 0 },
    });
  });

  test('it stops once too many fail, a failed attempt counts, and few have gone by then', async () => {
    const { queue, run } = setup(500);
    work(queue, (id) => (Number(id.slice(1)) % 10 === 0 ? 'RETRY' : 'SUCCESS'));
    const report = await run({ stopIfFailingPercent: 5 });
    expect(report).toMatchObject({ stop: 'failing' });
    expect(report.reprocessed).toBeLessThanOrEqual(40);
    expect((await queue.counts()).dead).toBe(500 - report.reprocessed);
  });

  test('a canary of a few is judged when all of them have ended', async () => {
    const { queue, run } = setup(5);
    work(queue, (id) => (id === 'd4' ? 'FAILURE' : 'SUCCESS'));
    expect(await run({ first: 5, stopIfFailingPercent: 5 })).toMatchObject({
      stop: 'failing',
      outcomes: { succeeded: 4, failed: 1, pending: 0 },
    });
  });

  test('it gives up when nobody runs them', async () => {
    const { run } = setup(45);
    const report = await run({ stopIfFailingPercent: 5, patienceMs: 0 });
    expect(report).toMatchObject({ stop: 'idle', reprocessed: 20, outcomes: { pending: 20 } });
  });
});
