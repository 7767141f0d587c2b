import { availableParallelism, hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { AppOptions, WorkerOptions } from '../../../src/engine/app/contract.ts';
import { parsePrefork } from '../../../src/engine/app/prefork-options.ts';
import type { ConsumerOptions } from '../../../src/engine/broker/port.ts';
import type { Worker } from '../../../src/engine/worker/worker.ts';
import type { FakeConsumer } from '../worker/fake-broker.ts';
import { recordLog } from '../worker/recorded.ts';
import { setUp } from './setup.ts';

const BUILTIN_APP = new URL('../../../src/engine/app/builtin-app.ts', import.meta.url);

async function create(
  options: WorkerOptions = {},
  app: AppOptions = {},
): Promise<{ worker: Worker; consumer: ConsumerOptions }> {
  const bench = setUp(app);
  const worker = await bench.app.createWorker({ logger: recordLog().logger, ...options });
  return { worker, consumer: (bench.broker.consumers[0] as FakeConsumer).options };
}

test('a worker without options serves the queues of its app in order, with the documented defaults', async () => {
  const { worker, consumer } = await create({}, { queues: ['high', 'low'], resultExpires: '1h', maxWorkerLost: 1 });
  expect(worker.name).toBe(`tq@${hostname()}`);
  expect(consumer).toMatchObject({
    queues: [
      { name: 'high', weight: 1 },
      { name: 'low', weight: 1 },
    ],
    order: 'strict',
    concurrency: availableParallelism(),
    lockDurationMs: 30_000,
    maxWorkerLost: 1,
    keepResultSeconds: 3600,
  });
});

describe('its queues', () => {
  test('are those that are named, with their weights, less those that are excluded', async () => {
    const app = { queues: ['high', 'default', 'low'] };
    const { consumer } = await create({ queues: ['low:2', 'high:6'], queueOrder: 'weighted' }, app);
    expect(consumer).toMatchObject({
      order: 'weighted',
      queues: [
        { name: 'low', weight: 2 },
        { name: 'high', weight: 6 },
      ],
    });
    expect((await create({ excludeQueues: ['default'] }, app)).worker.queues).toEqual(['high', 'low']);
  });

  test('may change while it runs, within those that the app declares', async () => {
    const { worker } = await create({ queues: ['high'] }, { queues: ['high', 'low'] });
    await expect(worker.addQueue('hihg')).rejects.toMatchObject({ code: 'UNDECLARED_QUEUE' });
    await expect(worker.addQueue('low:0')).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    expect(await worker.addQueue('low:6')).toBe(true);
    expect(worker.queues).toEqual(['high', 'low']);
  });

  test('may be any when the app declares none', async () => {
    expect((await create({ queues: ['whatever'] })).worker.queues).toEqual(['whatever']);
  });
});

test('its slots begin with the minimum of autoscale, which is 1 unless it is given', async () => {
  const { worker, consumer } = await create({ autoscale: { max: 8 } });
  expect(worker.autoscale).toEqual({ max: 8, min: 1 });
  expect([worker.concurrency, consumer.concurrency]).toEqual([1, 1]);
  expect((await create({ autoscale: { max: 8, min: 3 } })).worker.concurrency).toBe(3);
});

test('its name may hold the host, the process and a percent sign', async () => {
  const { worker } = await create({ name: 'w-%p@%h%%' });
  expect(worker.name).toBe(`w-${process.pid}@${hostname()}%`);
});

test.each<[string, object, string, string]>([
  [
    'an unknown option',
    { concurency: 5 },
    'UNKNOWN_OPTION',
    'the worker has no option "concurency"; did you mean "concurrency"?',
  ],
  [
    'no slots',
    { concurrency: 0 },
    'INVALID_OPTION',
    'concurrency of the worker must be a whole number from 1 to 10000, got 0',
  ],
  ['slots beside autoscale', { concurrency: 2, autoscale: { max: 3 } }, 'INVALID_OPTION', 'left out with autoscale'],
  ['bounds that are crossed', { autoscale: { max: 3, min: 4 } }, 'INVALID_OPTION', 'at most its max, 3, got 4'],
  ['bounds that are no object', { autoscale: 4 as never }, 'INVALID_OPTION', 'an object { max, min }, got 4'],
  ['slots that are no number', { concurrency: Number.NaN }, 'INVALID_OPTION', 'got NaN'],
  [
    'an unknown order',
    { queueOrder: 'random' },
    'INVALID_OPTION',
    'must be "strict", "weighted" or "fair", got "random"',
  ],
  [
    'a lock that is too short',
    { lockDuration: '1s' },
    'INVALID_OPTION',
    'lockDuration of the worker must be at least 5000 ms',
  ],
  [
    'a bad duration',
    { shutdownTimeout: 'soon' },
    'INVALID_DURATION',
    'shutdownTimeout of the worker must be a duration',
  ],
  ['limits the wrong way round', { softTimeLimit: 5, timeLimit: 5 }, 'INVALID_OPTION', 'softTimeLimit of the worker'],
  ['a name with a colon', { name: 'a:b' }, 'INVALID_OPTION', 'the name of the worker must be a text'],
  ['a name with a space', { name: 'a b' }, 'INVALID_OPTION', 'the name of the worker must be a text'],
  [
    'a misspelt queue',
    { queues: ['hihg'] },
    'UNDECLARED_QUEUE',
    'the app declares no queue "hihg"; did you mean "high"?',
  ],
  ['a misspelt exclusion', { excludeQueues: ['lwo'] }, 'UNDECLARED_QUEUE', 'did you mean "low"?'],
  ['no queue', { queues: [] }, 'INVALID_OPTION', 'the queues of the worker must be at least one, got none'],
  ['no queue that is left', { excludeQueues: ['high', 'low'] }, 'INVALID_OPTION', 'at least one, got none'],
  [
    'a queue twice',
    { queues: ['high', 'low', 'high:2'] },
    'INVALID_OPTION',
    'a list without doubles, got "high" twice',
  ],
  ['a weight of nothing', { queues: ['high:0'] }, 'INVALID_OPTION', 'a name, or a name and a weight as in high:6'],
  ['a weight that is no number', { queues: ['high:much'] }, 'INVALID_OPTION', 'a queue of the worker must be a name'],
  ['two weights', { queues: ['high:1:2'] }, 'INVALID_OPTION', 'a queue of the worker must be a name'],
  ['an unknown pool', { pool: 'threads' }, 'INVALID_OPTION', 'pool of the worker must be "async" or "prefork"'],
  ['children without a module', { pool: 'prefork' }, 'INVALID_OPTION', 'module of the worker must be the file'],
  ['a module from elsewhere', { pool: 'prefork', module: new URL('https://a.b/c.js') }, 'INVALID_OPTION', 'module of'],
  [
    'a module for no child',
    { module: 'app.ts' },
    'INVALID_OPTION',
    'module of the worker must be left out with the pool "async"',
  ],
  ['recycling no child', { pool: 'async', maxTasksPerChild: 5 }, 'INVALID_OPTION', 'maxTasksPerChild of the worker'],
  [
    'children that run nothing',
    { pool: 'prefork', module: null, maxTasksPerChild: 0 },
    'INVALID_OPTION',
    'maxTasksPerChild of the worker must be a whole number from 1, got 0',
  ],
  [
    'a memory limit that is none',
    { pool: 'prefork', module: null, maxMemoryPerChild: 'much' },
    'INVALID_OPTION',
    'maxMemoryPerChild of the worker must be bytes',
  ],
])('%s is refused', async (_, options, code, message) => {
  await expect(create(options, { queues: ['high', 'low'] })).rejects.toMatchObject({
    code,
    message: expect.stringContaining(message),
  });
});

test('children are refused with a broker that only this process has', async () => {
  await expect(create({ pool: 'prefork', module: null }, { broker: 'sqlite::memory:' })).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    message: expect.stringContaining('lives in the memory of one process'),
  });
});

describe('the module of its children', () => {
  test.each<[string, string | URL | null, string]>([
    ['a path', '/srv/app.ts', '/srv/app.ts'],
    ['a path from the working directory', 'src/app.ts', join(process.cwd(), 'src/app.ts')],
    ['the import.meta.url of a module', 'file:///srv/my%20app.ts', '/srv/my app.ts'],
    ['a file URL', new URL('file:///srv/app.ts'), '/srv/app.ts'],
    ['null, which stands for the built-in tasks', null, fileURLToPath(BUILTIN_APP)],
  ])('may be given as %s', (_, given, path) => {
    const options = parsePrefork(
      { pool: 'prefork', module: given, maxMemoryPerChild: '2MB' },
      { brokerUrl: 'redis://a' },
    );
    expect(options).toMatchObject({ module: path, brokerUrl: 'redis://a', maxMemoryPerChild: 2 * 1024 ** 2 });
  });
});

test('a queue name that cannot be one is refused also when the app declares none', async () => {
  await expect(create({ queues: ['a b'] })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
});
