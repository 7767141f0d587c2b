import pino from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ControlAnswer } from '../../../src/engine/broker/control-port.ts';
import { openBroker } from '../../../src/engine/broker/open-broker.ts';
import type { Broker } from '../../../src/engine/broker/port.ts';
import {
  assertControlHandlers,
  openWorkerControl,
  type WorkerControl,
  type WorkerControlOptions,
} from '../../../src/engine/control/worker-control.ts';
import { systemClock } from '../../../src/engine/runtime/system-clock.ts';
import { createSqliteUrl } from '../../support/brokers.ts';
import { createFakeWorker, runningJob } from './fake-worker.ts';

let broker: Broker;
const opened: WorkerControl[] = [];

beforeEach(async () => {
  broker = await openBroker(createSqliteUrl(), { clock: systemClock });
});
afterEach(async () => {
  for (const control of opened.splice(0)) await control.leave();
  await broker.close();
});

async function open(given: Partial<WorkerControlOptions> = {}): Promise<WorkerControl> {
  const clock = { now: () => 9000, monotonic: systemClock.monotonic };
  const logger = pino({ level: 'silent' });
  const control = await openWorkerControl({ template: 'tq', broker, clock, logger, ...given });
  opened.push(control);
  return control;
}

async function ask(command: string, args: unknown = null): Promise<ControlAnswer | undefined> {
  const { answers } = await broker.control.ask({ command, args, timeoutMs: 30_000 });
  return answers.get('tq');
}

/** A task that was registered with its name alone. */
const PLAIN = {
  ...{ description: null, queue: null, softTimeLimitMs: null, timeLimitMs: null, retries: null },
  ...{ rateLimit: null, concurrency: null, unique: false, delivery: 'at-least-once' },
};

describe('a worker answers', () => {
  const worker = createFakeWorker({ listReserved: () => [{ id: 'job-9', task: 'cleanup', queue: 'low', attempt: 2 }] });
  worker.running.push(runningJob(), runningJob({ id: 'job-2', startedAt: 2000, progress: { done: 3 } }));
  beforeEach(async () => {
    await (await open()).join(worker);
  });

  const active = [
    { ...runningJob({ id: 'job-2', startedAt: 2000, progress: { done: 3 } }), runningMs: 7000 },
    { ...runningJob(), runningMs: 4000 },
  ];

  test.each<[string, unknown]>([
    ['ping', 'pong'],
    ['active', active],
    ['reserved', [{ id: 'job-9', task: 'cleanup', queue: 'low', attempt: 2 }]],
    ['held', { active, reserved: ['job-9'], queues: ['high', 'default'], lockDurationMs: 30_000 }],
    [
      'registered',
      [
        { ...PLAIN, task: 'cleanup', rateLimit: null },
        {
          ...PLAIN,
          task: 'email.send',
          description: 'Send e-mail',
          queue: 'high',
          timeLimitMs: 60_000,
          retries: 5,
          rateLimit: '10/m global',
          concurrency: 2,
          unique: true,
        },
      ],
    ],
    ['conf', { concurrency: 4, queueOrder: 'strict' }],
  ])('%s', async (command, value) => {
    expect(await ask(command)).toEqual({ ok: true, value });
  });

  test('stats', async () => {
    expect(await ask('stats')).toEqual({
      ok: true,
      value: {
        name: 'tq@box',
        host: expect.stringMatching(/./),
        pid: process.pid,
        version: '1.2.3',
        node: process.version,
        pool: 'async',
        concurrency: 4,
        pids: [process.pid],
        queues: ['high', 'default'],
        startedAt: 1000,
        uptimeMs: 8000,
        active: 2,
        reserved: 1,
        jobs: worker.counters,
        health: worker.health,
        memory: { rssBytes: expect.any(Number), heapUsedBytes: expect.any(Number) },
        cpu: { userMs: expect.any(Number), systemMs: expect.any(Number) },
      },
    });
  });

  test('shutdown with a receipt, and stops then', async () => {
    expect(await ask('shutdown')).toEqual({ ok: true, value: { stopping: true, active: 2 } });
    await worker.stopped;
  });

  test('a command that it does not have with near names', async () => {
    expect(await ask('regstered')).toEqual({
      ok: false,
      error: {
        code: 'UNKNOWN_CONTROL',
        message: expect.stringMatching(/^worker tq has no control command "regstered"; did you mean "registered"/),
      },
    });
    expect(await ask('toString')).toMatchObject({ ok: false, error: { code: 'UNKNOWN_CONTROL' } });
  });
});

describe('pauses and rates', () => {
  const joinAs = async (given: Parameters<typeof createFakeWorker>[0]) => {
    const control = await open();
    await control.join(createFakeWorker(given));
  };

  test('a worker that reads the pauses says which of them it does not register', async () => {
    await joinAs({ reloadPauses: async () => ['email.send', 'report'] });
    expect(await ask('reload-pauses')).toEqual({
      ok: true,
      value: { paused: ['email.send', 'report'], unknown: ['report'] },
    });
  });

  test('a new rate is set when it is answered, and the held jobs are let go after that', async () => {
    const heard: unknown[] = [];
    const letGo = Promise.withResolvers<void>();
    await joinAs({
      setRate: (change) => {
        heard.push(change);
        return () => letGo.resolve();
      },
    });
    expect(await ask('rate-limit', { task: 'email.send', rate: '10/60s', id: 'x' })).toEqual({
      ok: true,
      value: { task: 'email.send', rate: '10/m' },
    });
    await letGo.promise;
    expect(await ask('rate-limit', { task: 'email.send', rate: null, id: 'y' })).toMatchObject({
      value: { rate: null },
    });
    expect(heard).toEqual([
      { task: 'email.send', rate: { count: 10, periodMs: 60_000 }, id: 'x' },
      { task: 'email.send', rate: null, id: 'y' },
    ]);
    expect(await ask('rate-limit', { task: 'email.send', rate: 'often' })).toMatchObject({
      ok: false,
      error: { code: 'INVALID_OPTION' },
    });
    expect(await ask('rate-limit')).toMatchObject({ ok: false, error: { code: 'INVALID_OPTION' } });
  });
});

describe('commands of an application', () => {
  test('get what was sent and the worker, and answer', async () => {
    const control = await open({
      handlers: { 'cache.clear': async (args, worker) => ({ args, queues: worker.queues }) },
    });
    await control.join(createFakeWorker({ queues: ['q'] }));
    expect(await ask('cache.clear', { deep: true })).toEqual({
      ok: true,
      value: { args: { deep: true }, queues: ['q'] },
    });
  });

  test('fail alone: the worker answers with the error', async () => {
    const fail = () => {
      throw new Error('no cache');
    };
    const control = await open({ handlers: { fail } });
    await control.join(createFakeWorker());
    expect(await ask('fail')).toEqual({ ok: false, error: { code: 'INTERNAL', message: 'no cache' } });
    expect(await ask('ping')).toEqual({ ok: true, value: 'pong' });
  });

  test('cannot replace a command of tq', () => {
    expect(() => assertControlHandlers({ ping: () => 1 })).toThrow(/control\.ping of the app must be under a name/);
    expect(() => assertControlHandlers({ mine: 1 })).toThrow(/control\.mine of the app must be a function, got number/);
    expect(() => assertControlHandlers({ mine: () => 1 })).not.toThrow();
  });
});

describe('its name', () => {
  test('is taken before the worker joins, and free when it has left', async () => {
    const first = await open({ template: 'tq%n' });
    const second = await open({ template: 'tq%n' });
    expect([first.name, second.name]).toEqual(['tq1', 'tq2']);
    await first.leave();
    await first.leave();
    expect((await open({ template: 'tq%n' })).name).toBe('tq1');
  });

  test('is that of a live worker already: refused', async () => {
    await open({ naming: { leaseMs: 800, renewMs: 100 } });
    await expect(open()).rejects.toMatchObject({ code: 'WORKER_NAME_TAKEN' });
  });

  test('goes with the worker off the list of live ones', async () => {
    const control = await open();
    await control.join(createFakeWorker());
    expect((await broker.control.listNodes()).map(({ name }) => name)).toEqual(['tq']);
    await control.leave();
    expect(await broker.control.listNodes()).toEqual([]);
  });
});
