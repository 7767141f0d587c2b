import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { RevokeOrder } from '../../../src/engine/control/revoke-order.ts';
import { TaskRevoked } from '../../../src/engine/core/errors.ts';
import { parseRetry } from '../../../src/engine/core/retry-policy.ts';
import type { Hooks } from '../../../src/engine/events/hooks.ts';
import { systemClock } from '../../../src/engine/runtime/system-clock.ts';
import { context } from '../../../src/engine/task/context.ts';
import type { TaskDefinition } from '../../../src/engine/task/definition.ts';
import { Worker } from '../../../src/engine/worker/worker.ts';
import type { WorkerSettings } from '../../../src/engine/worker/worker-settings.ts';
import { waitFor } from '../../support/wait-for.ts';
import { define } from './executor-setup.ts';
import { FakeBroker, type FakeConsumer } from './fake-broker.ts';
import { FakeJob, type FakeJobFields } from './fake-job.ts';
import { app } from './prefork/faulty-app.ts';
import { isAlive, untilDead } from './prefork/prefork-setup.ts';
import { createFakeClock, recordHooks, recordLog } from './recorded.ts';

const REVOCATION = { at: Date.parse('2031-05-01T12:00:00Z'), by: 'ada@box' };
const REASON = 'by ada@box at 2031-05-01T12:00:00.000Z';
const REVOKED = { kind: 'ended', state: 'REVOKED', reason: REASON };
/** Longer than any test: it is over only when the test says so. */
const LONG_MS = 60_000;

function order(given: Partial<RevokeOrder> = {}, id = 'job-1'): RevokeOrder {
  return {
    jobs: [{ id, queue: 'default', worker: 'tq@test' }],
    revocation: REVOCATION,
    terminate: false,
    graceMs: LONG_MS,
    ...given,
  };
}

interface Options extends Partial<WorkerSettings> {
  readonly handler?: TaskDefinition['handler'];
  readonly hooks?: Hooks;
}

async function start({ handler = () => 'done', hooks, ...options }: Options = {}) {
  const broker = new FakeBroker();
  const log = recordLog();
  const recorded = recordHooks(hooks);
  const worker = new Worker({
    worker: 'tq@test',
    broker,
    tasks: new Map([['a.task', define('a.task', { retry: { max: 5 } }, handler)]]),
    queues: [{ name: 'default', weight: 1 }],
    order: 'strict',
    concurrency: 2,
    clock: createFakeClock(),
    logger: log.logger,
    random: () => 0.5,
    unknownTasks: parseRetry({}, 'unknownTasks'),
    maxWorkerLost: 3,
    lockDurationMs: 30_000,
    shutdownTimeoutMs: 25_000,
    keepResultSeconds: 60,
    burst: false,
    ...options,
    hooks: recorded.hooks,
  });
  onTestFinished(async () => {
    await worker.stopNow();
  });
  await worker.start();
  const consumer = broker.consumers[0] as FakeConsumer;
  return {
    worker,
    log,
    consumer,
    hookNames: () => recorded.names().filter((name) => name.startsWith('task')),
    feed: (fields: FakeJobFields = {}) => consumer.feed(new FakeJob(fields)),
  };
}

function startPrefork(options: Options = {}) {
  const module = fileURLToPath(new URL('./prefork/faulty-app.ts', import.meta.url));
  return start({ clock: systemClock, tasks: app.tasks, prefork: { module, brokerUrl: undefined }, ...options });
}

/** A task that runs until its signal aborts, and then does what the test says. */
function createHeldTask(afterwards: (reason: unknown) => unknown) {
  const begun = Promise.withResolvers<void>();
  const handler = async (): Promise<unknown> => {
    const { signal } = context();
    const aborted = new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason)));
    begun.resolve();
    return afterwards(await aborted);
  };
  return { handler, begun: begun.promise };
}

describe.each([
  ['async', start, 'a.task'],
  ['prefork', startPrefork, 'where'],
] as const)('with the pool %s', (_, begin, task) => {
  test('a job that is taken with the mark never starts, and is charged nothing', async () => {
    const { worker, log, feed, hookNames } = await begin();
    expect(await feed({ task, revoked: REVOCATION })).toEqual(REVOKED);
    expect(hookNames()).toEqual([]);
    expect(log.lines).toContainEqual(
      expect.objectContaining({ message: 'task revoked', reason: REASON, task_id: 'job-1' }),
    );
    expect(worker.listRevoked()).toMatchObject([
      { id: 'job-1', task, queue: 'default', happened: 'never started', by: 'ada@box' },
    ]);
    expect(worker.counters).toMatchObject({ ended: 1, failed: 0, succeeded: 0 });
  });

  test('nor does one that is unreadable, expired, unknown here or lost too often', async () => {
    const { feed } = await begin();
    const meta = { expiresAt: 1 };
    const job = { task: 'nobody.knows', unreadable: 'no JSON', workersLost: 99, meta, revoked: REVOCATION };
    expect(await feed(job)).toEqual(REVOKED);
  });

  test('a job that comes after the order for it never starts, one of another worker does', async () => {
    const { worker, feed } = await begin();
    const jobs = [
      { id: 'coming', queue: 'default', worker: 'tq@test' },
      { id: 'elsewhere', queue: 'default', worker: 'tq@other' },
      { id: 'coming', queue: 'low', worker: null },
    ];
    expect(await worker.revoke(order({ jobs }))).toEqual([]);
    expect(await feed({ task, id: 'elsewhere' })).toMatchObject({ kind: 'succeeded' });
    expect(await feed({ task, id: 'coming', queue: 'low' })).toMatchObject({ kind: 'succeeded' });
    expect(await feed({ task, id: 'coming' })).toEqual(REVOKED);
    // An order is for one taking; after that the mark in the broker holds.
    expect(await feed({ task, id: 'coming' })).toMatchObject({ kind: 'succeeded' });
  });

  test('a job that has ended is none of its jobs any more', async () => {
    const { worker, feed } = await begin();
    await feed({ task });
    expect(await worker.revoke(order())).toEqual([]);
    expect(worker.listRevoked()).toEqual([]);
  });
});

describe('a job that runs in the event loop', () => {
  test('has its signal aborted with the revocation, and ends as REVOKED, whatever it throws', async () => {
    const reasons: unknown[] = [];
    const held = createHeldTask((reason) => {
      reasons.push(reason);
      throw new RangeError('cleaned up');
    });
    const { worker, feed, log, hookNames } = await start({ handler: held.handler });
    const outcome = feed();
    await held.begun;
    expect(await worker.revoke(order())).toEqual([
      { id: 'job-1', task: 'a.task', queue: 'default', happened: 'aborted' },
    ]);
    expect(await outcome).toEqual(REVOKED);
    expect(reasons).toEqual([expect.any(TaskRevoked)]);
    expect(reasons[0]).toMatchObject({
      code: 'TASK_REVOKED',
      message: `job job-1 of task "a.task" was revoked: ${REASON}`,
      by: 'ada@box',
      terminate: false,
    });
    expect(log.messages).toContain('task revoked');
    expect(hookNames()).toEqual(['taskStart']);
    expect(worker.listRevoked()).toMatchObject([{ happened: 'aborted' }]);
  });

  test('may return a result all the same, which is its truth', async () => {
    const held = createHeldTask(() => 'saved');
    const { worker, feed } = await start({ handler: held.handler });
    const outcome = feed();
    await held.begun;
    expect(await worker.revoke(order())).toMatchObject([{ happened: 'had finished' }]);
    expect(await outcome).toEqual({ kind: 'succeeded', result: 'saved' });
    expect(worker.listRevoked()).toEqual([]);
  });

  test('may ignore the signal, and is not retried when it fails later', async () => {
    const later = Promise.withResolvers<never>();
    const held = createHeldTask(() => later.promise);
    const { worker, feed } = await start({ handler: held.handler });
    const outcome = feed();
    await held.begun;
    expect(await worker.revoke(order({ graceMs: 1 }))).toMatchObject([{ happened: 'ignored the signal' }]);
    later.reject(new Error('at last'));
    expect(await outcome).toEqual(REVOKED);
    expect(worker.listRevoked()).toMatchObject([{ happened: 'aborted' }]);
  });

  test('is given up with terminate: its function goes on, and the log says so', async () => {
    const begun = Promise.withResolvers<void>();
    const end = Promise.withResolvers<string>();
    const reasons: unknown[] = [];
    const handler = (): Promise<string> => {
      const { signal } = context();
      signal.addEventListener('abort', () => reasons.push(signal.reason));
      begun.resolve();
      return end.promise;
    };
    const { worker, feed, log } = await start({ handler });
    const outcome = feed();
    await begun.promise;
    expect(await worker.revoke(order({ terminate: true }))).toMatchObject([{ happened: 'given up' }]);
    expect(await outcome).toEqual(REVOKED);
    expect(reasons).toMatchObject([{ code: 'TASK_REVOKED', terminate: true }]);
    expect(log.messages).toContain('the task is given up, but its function goes on in this process');
    end.resolve('too late');
    await waitFor('its end', () => log.messages.includes('the function of a task that was given up has ended'));
    expect(worker.listRevoked()).toMatchObject([{ happened: 'given up' }]);
  });

  test('that ignored the signal is given up by a second order, and the first one hears of it too', async () => {
    const held = createHeldTask(() => new Promise(() => {}));
    const { worker, feed } = await start({ handler: held.handler });
    const outcome = feed();
    await held.begun;
    const first = worker.revoke(order());
    expect(await worker.revoke(order({ terminate: true }))).toMatchObject([{ happened: 'given up' }]);
    expect(await first).toMatchObject([{ happened: 'given up' }]);
    expect(await outcome).toEqual(REVOKED);
  });

  test.each([false, true])('never starts when it waits for the hook taskStart (terminate: %s)', async (terminate) => {
    const [reached, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let calls = 0;
    const hooks: Hooks = {
      taskStart() {
        reached.resolve();
        return opened.promise;
      },
    };
    const handler = (): void => {
      calls += 1;
    };
    const { worker, feed } = await start({ handler, hooks });
    const outcome = feed();
    await reached.promise;
    const receipts = worker.revoke(order({ terminate }));
    opened.resolve();
    expect(await receipts).toMatchObject([{ happened: 'never started' }]);
    expect(await outcome).toEqual(REVOKED);
    expect(calls).toBe(0);
  });

  test('is revoked also when its soft limit has aborted the signal before, or the worker stops after', async () => {
    const end = Promise.withResolvers<void>();
    const reasons: unknown[] = [];
    const held = createHeldTask(async (reason) => {
      reasons.push(reason);
      await end.promise;
      throw reason;
    });
    const { worker, feed } = await start({ handler: held.handler, softTimeLimitMs: 1 });
    const outcome = feed();
    await waitFor('the soft limit', () => reasons.length === 1);
    const receipts = worker.revoke(order());
    const stopped = worker.stopNow();
    end.resolve();
    expect(reasons).toMatchObject([{ code: 'SOFT_TIME_LIMIT' }]);
    expect(await outcome).toEqual(REVOKED);
    expect(await receipts).toMatchObject([{ happened: 'aborted' }]);
    await stopped;
  });

  test('is found among jobs of the same number by its queue', async () => {
    const held = createHeldTask((reason) => Promise.reject(reason));
    const { worker, feed } = await start({ handler: held.handler });
    const outcome = feed({ id: '7', queue: 'high' });
    await held.begun;
    expect(await worker.revoke(order({ graceMs: 1 }, '7'))).toEqual([]);
    expect(await worker.revoke(order({ jobs: [{ id: '7', queue: 'high', worker: null }] }))).toMatchObject([
      { happened: 'aborted' },
    ]);
    expect(await outcome).toEqual(REVOKED);
  });
});

describe('a job that runs in a child', () => {
  const holding = (log: { readonly messages: readonly string[] }) =>
    waitFor('the task to run', () => log.messages.includes('holding'));

  test('has its signal aborted there with the revocation, and ends as REVOKED, whatever it throws', async () => {
    const { worker, feed, log } = await startPrefork();
    const outcome = feed({ task: 'hold-and-tell-why' });
    await holding(log);
    const pids = worker.children;
    expect(await worker.revoke(order())).toMatchObject([{ happened: 'aborted' }]);
    expect(await outcome).toEqual(REVOKED);
    const told = { isTaskRevoked: true, name: 'TaskRevoked', by: 'ada@box', terminate: false };
    await waitFor('its words', () => log.messages.includes(JSON.stringify(told)));
    expect(worker.children).toEqual(pids);
  });

  test('may return a result all the same', async () => {
    const { worker, feed, log } = await startPrefork();
    const outcome = feed({ task: 'hold-and-finish' });
    await holding(log);
    expect(await worker.revoke(order())).toMatchObject([{ happened: 'had finished' }]);
    expect(await outcome).toEqual({ kind: 'succeeded', result: 'TASK_REVOKED' });
  });

  test('is killed with terminate, also when it ignored the signal before', async () => {
    const { worker, feed, log } = await startPrefork({ concurrency: 1 });
    const [pid = 0] = worker.children;
    const outcome = feed({ task: 'hold-deafly' });
    await holding(log);
    expect(await worker.revoke(order({ graceMs: 1 }))).toMatchObject([{ happened: 'ignored the signal' }]);
    expect(isAlive(pid)).toBe(true);
    expect(await worker.revoke(order({ terminate: true }))).toMatchObject([{ happened: 'killed' }]);
    expect(await outcome).toEqual(REVOKED);
    await untilDead(pid);
    expect(worker.listRevoked()).toMatchObject([{ happened: 'killed' }]);
    await waitFor('its replacement', async () => (await feed({ task: 'where' })).kind === 'succeeded');
  });

  test('ends as REVOKED when its child dies after the signal', async () => {
    const { worker, feed, log } = await startPrefork({ concurrency: 1 });
    const [pid = 0] = worker.children;
    const outcome = feed({ task: 'hold-deafly' });
    await holding(log);
    const receipts = worker.revoke(order());
    process.kill(pid, 'SIGKILL');
    expect(await outcome).toEqual(REVOKED);
    expect(await receipts).toMatchObject([{ happened: 'aborted' }]);
  });

  test('never starts when it waits for a child, which the next job has then', async () => {
    const { worker, feed, log } = await startPrefork({ concurrency: 1 });
    const first = feed({ task: 'hold', id: 'first' });
    await holding(log);
    const waiting = feed({ task: 'where', id: 'waiting' });
    const receipts = worker.revoke(
      order({
        jobs: [
          { id: 'waiting', queue: 'default', worker: 'tq@test' },
          { id: 'first', queue: 'default', worker: 'tq@test' },
        ],
      }),
    );
    expect(await receipts).toMatchObject([
      { id: 'waiting', happened: 'never started' },
      { id: 'first', happened: 'aborted' },
    ]);
    expect(await waiting).toEqual(REVOKED);
    expect(await first).toEqual(REVOKED);
    expect(await feed({ task: 'where' })).toMatchObject({ kind: 'succeeded', result: { jobs: 1 } });
  });
});

test('a worker lists the last thousand, the latest first', async () => {
  const { worker, feed } = await start();
  for (let index = 0; index < 1003; index += 1) await feed({ id: `job-${index}`, revoked: REVOCATION });
  const listed = worker.listRevoked();
  expect(listed).toHaveLength(1000);
  expect([listed[0]?.id, listed.at(-1)?.id]).toEqual(['job-1002', 'job-3']);
});

test('a job that had run before and is refused is not started again', async () => {
  const { worker, feed } = await start();
  await feed({ attempts: 3, revoked: REVOCATION });
  expect(worker.listRevoked()).toMatchObject([{ happened: 'not started again' }]);
});

test('an order is remembered for a minute', async () => {
  const clock = createFakeClock();
  const { worker, feed } = await start({ clock });
  await worker.revoke(order({}, 'soon'));
  await worker.revoke(order({}, 'late'));
  clock.advance(59_000);
  expect(await feed({ id: 'soon' })).toEqual(REVOKED);
  clock.advance(2000);
  expect(await feed({ id: 'late' })).toMatchObject({ kind: 'succeeded' });
});
