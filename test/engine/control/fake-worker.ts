import type { ControlledWorker, RunningJobInfo } from '../../../src/engine/control/controlled-worker.ts';
import { defineTask } from '../../../src/engine/task/definition.ts';

/** A worker that runs nothing, and says what it is told to. */
export interface FakeWorker extends ControlledWorker {
  readonly running: RunningJobInfo[];
  readonly stopped: Promise<void>;
}

export function createFakeWorker(given: Partial<ControlledWorker> = {}): FakeWorker {
  const running: RunningJobInfo[] = [];
  const stopped = Promise.withResolvers<void>();
  const tasks = [
    defineTask(
      'email.send',
      {
        ...{ description: 'Send e-mail', queue: 'high', retry: { max: 5 }, timeLimit: '1m' },
        ...{ rateLimit: { rate: '10/m', scope: 'global' }, concurrency: 2, unique: true },
      },
      () => 1,
    ),
    defineTask('cleanup', () => undefined),
  ];
  return {
    name: 'tq@box',
    queues: ['high', 'default'],
    pool: 'async',
    concurrency: 4,
    startedAt: 1000,
    version: '1.2.3',
    tasks: new Map(tasks.map((task) => [task.name, task])),
    lockDurationMs: 30_000,
    settings: { concurrency: 4, queueOrder: 'strict' },
    running,
    listRunning: () => running,
    listReserved: () => [],
    counters: { succeeded: 3, retried: 2, failed: 1, ended: 0, handedBack: 0 },
    health: { live: true, ready: false, problems: ['the broker is away'] },
    pids: [process.pid],
    revoke: async () => [],
    listRevoked: () => [],
    autoscale: undefined,
    taskLimits: new Map(),
    resize: () => {},
    setAutoscale: () => {},
    addQueue: async () => false,
    removeQueue: () => false,
    setTimeLimits: () => {},
    reloadPauses: async () => [],
    taskRates: new Map(),
    setRate: () => () => undefined,
    stop: () => stopped.resolve(),
    stopped: stopped.promise,
    ...given,
  };
}

/** A job that the worker says it runs. */
export function runningJob(given: Partial<RunningJobInfo> = {}): RunningJobInfo {
  return {
    id: 'job-1',
    task: 'email.send',
    queue: 'high',
    attempt: 1,
    startedAt: 5000,
    requestId: 'request-1',
    pid: 77,
    progress: null,
    ...given,
  };
}
