import type { Logger } from 'pino';
import type { App } from '../engine/app/contract.ts';
import type { ControlledWorker } from '../engine/control/controlled-worker.ts';
import { openWorkerControl, type WorkerControl } from '../engine/control/worker-control.ts';
import { TqError } from '../engine/core/errors.ts';
import type { Worker } from '../engine/worker/worker.ts';
import type { CommandContext } from './command.ts';
import { readVersion } from './version.ts';

const DEFAULT_NAME = 'tq@%h';
/** The second worker of a machine that was not given a name either. */
const NUMBERED_NAME = 'tq%n@%h';

/**
 * Takes the name of a worker. Without `--name`, the workers of one machine are `tq@host`, `tq2@host`, `tq3@host`.
 *
 * @throws WORKER_NAME_TAKEN for a name that was chosen, and is a live worker's
 */
export async function nameWorker(app: App, { settings, host }: CommandContext, logger: Logger): Promise<WorkerControl> {
  const template = settings.worker.name;
  const options = { broker: await app.broker(), clock: host.clock, logger };
  try {
    return await openWorkerControl({ ...options, template });
  } catch (error) {
    const isTaken = error instanceof TqError && error.code === 'WORKER_NAME_TAKEN';
    if (!isTaken || template !== DEFAULT_NAME) throw error;
    return openWorkerControl({ ...options, template: NUMBERED_NAME, firstNumber: 2 });
  }
}

/** What operators may ask of a worker of this process. */
export function toControlledWorker(worker: Worker, app: App, { settings, host }: CommandContext): ControlledWorker {
  const { queueOrder, shutdownTimeoutMs, softTimeLimitMs, timeLimitMs, burst } = settings.worker;
  return {
    name: worker.name,
    queues: worker.queues,
    pool: worker.pool,
    concurrency: worker.concurrency,
    startedAt: host.clock.now(),
    version: readVersion(),
    tasks: app.tasks,
    lockDurationMs: worker.lockDurationMs,
    settings: {
      queueOrder,
      shutdownTimeoutMs,
      softTimeLimitMs: softTimeLimitMs ?? null,
      timeLimitMs: timeLimitMs ?? null,
      burst,
      logLevel: settings.logLevel,
    },
    listRunning: () => worker.listHeld().flatMap(({ pid, ...job }) => (pid === null ? [] : [{ ...job, pid }])),
    listReserved: () => worker.listHeld().filter(({ pid }) => pid === null),
    counters: worker.counters,
    pids: [process.pid],
    reloadPauses: () => worker.reloadPauses(),
    setRate: (change) => worker.setRate(change),
    stop: () => void worker.stop(),
  };
}
