import { parseRetry } from '../../../../src/engine/core/retry-policy.ts';
import type { TaskDefinition, TaskOptions } from '../../../../src/engine/task/definition.ts';
import { Worker } from '../../../../src/engine/worker/worker.ts';
import type { WorkerSettings } from '../../../../src/engine/worker/worker-settings.ts';
import { define } from '../executor-setup.ts';
import { FakeBroker, type FakeConsumer } from '../fake-broker.ts';
import { createFakeClock, recordLog } from '../recorded.ts';

type Handler = TaskDefinition['handler'];

interface BenchOptions extends Partial<Omit<WorkerSettings, 'tasks'>> {
  /** Of the task `a.task`. */
  readonly handler?: Handler;
  readonly tasks?: Readonly<Record<string, readonly [TaskOptions, Handler]>>;
}

/** A worker on a broker in memory, which the test feeds with jobs. */
export function createBench({ handler = () => 'done', tasks = {}, ...settings }: BenchOptions = {}) {
  const broker = new FakeBroker();
  const log = recordLog();
  const clock = createFakeClock();
  const own = Object.entries(tasks).map(([name, [options, run]]) => [name, define(name, options, run)] as const);
  const worker = new Worker({
    worker: 'tq@test',
    broker,
    tasks: new Map([['a.task', define('a.task', {}, handler)], ...own]),
    queues: [{ name: 'default', weight: 1 }],
    order: 'strict',
    concurrency: 4,
    clock,
    logger: log.logger,
    random: () => 0.5,
    unknownTasks: parseRetry({}, 'unknownTasks'),
    maxWorkerLost: 3,
    lockDurationMs: 30_000,
    shutdownTimeoutMs: 25_000,
    keepResultSeconds: 60,
    burst: false,
    hooks: {},
    ...settings,
  });
  return { broker, consumer: broker.consumers[0] as FakeConsumer, worker, log, clock };
}
