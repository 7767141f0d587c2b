import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { Outcome } from '../../../../src/engine/core/job.ts';
import { parseRetry } from '../../../../src/engine/core/retry-policy.ts';
import type { Hooks } from '../../../../src/engine/events/hooks.ts';
import { systemClock } from '../../../../src/engine/runtime/system-clock.ts';
import { PreforkPool, type PreforkPoolOptions } from '../../../../src/engine/worker/prefork/prefork-pool.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { type Channel, createChannel } from '../../broker/channel.ts';
import { FakeJob, type FakeJobFields } from '../fake-job.ts';
import { type HookCall, type LogLine, type RecordedLog, recordHooks, recordLog } from '../recorded.ts';
import { app } from './faulty-app.ts';

export interface PoolBench {
  readonly pool: PreforkPool;
  readonly log: RecordedLog;
  /** Of the hooks that ran in this process. */
  readonly calls: readonly HookCall[];
  readonly capacities: Channel<number>;
  perform(task: string, fields?: FakeJobFields): Promise<Outcome>;
  /** Resolves with the first line that has these fields. */
  line(fields: Readonly<Record<string, unknown>>): Promise<LogLine>;
}

type BenchOptions = Partial<Omit<PreforkPoolOptions, 'prefork' | 'hooks'>> & {
  readonly prefork?: Partial<PreforkPoolOptions['prefork']>;
  readonly hooks?: Hooks;
};

/** A pool with one child unless `concurrency` says otherwise, not started. It is stopped when the test ends. */
export function createPoolBench({ prefork, hooks, ...options }: BenchOptions = {}): PoolBench {
  const log = recordLog();
  const recorded = recordHooks(hooks);
  const capacities = createChannel<number>();
  const pool = new PreforkPool({
    worker: 'tq@test',
    queues: ['default'],
    tasks: app.tasks,
    clock: systemClock,
    logger: log.logger,
    random: () => 0.5,
    unknownTasks: parseRetry({ max: 3, delay: '5s', jitter: false }, 'unknownTasks'),
    maxWorkerLost: 2,
    concurrency: 1,
    onCapacity: (capacity) => capacities.push(capacity),
    ...options,
    hooks: recorded.hooks,
    prefork: { module: fileURLToPath(new URL('./faulty-app.ts', import.meta.url)), brokerUrl: undefined, ...prefork },
  });
  onTestFinished(() => pool.stop());
  return {
    pool,
    log,
    calls: recorded.calls,
    capacities,
    perform: (task, fields) => pool.perform(new FakeJob({ task, ...fields })),
    line: (fields) =>
      waitFor(
        `a log line with ${JSON.stringify(fields)}`,
        () => log.lines.find((line) => Object.entries(fields).every(([key, value]) => line[key] === value)),
        { detail: () => log.lines.map((line) => JSON.stringify(line)).join('\n') },
      ),
  };
}

export async function startPool(options?: BenchOptions): Promise<PoolBench> {
  const bench = createPoolBench(options);
  await bench.pool.start();
  return bench;
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

export function untilDead(pid: number): Promise<true> {
  return waitFor(`process ${pid} to be gone`, () => !isAlive(pid));
}
