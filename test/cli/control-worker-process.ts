/**
 * A worker that takes jobs and never ends them, and answers on the control bus: for tests to ask, to stop and to kill. Run as
 * a child process with an IPC channel. It says `ready`, then the id of every job that it takes; when it may not start, why.
 *
 * Arguments: broker URL, name, queue.
 */
import pino from 'pino';
import { openBroker } from '../../src/engine/broker/open-broker.ts';
import type { RunningJobInfo } from '../../src/engine/control/controlled-worker.ts';
import { openWorkerControl, type WorkerControl } from '../../src/engine/control/worker-control.ts';
import { systemClock } from '../../src/engine/runtime/system-clock.ts';
import { createFakeWorker } from '../engine/control/fake-worker.ts';

const LOCK_MS = 30_000;
const [url = '', template = '', queue = ''] = process.argv.slice(2);
const broker = await openBroker(url, { clock: systemClock });
try {
  const logger = pino({ level: 'silent' });
  await serve(await openWorkerControl({ template, broker, clock: systemClock, logger }));
} catch (error) {
  process.send?.((error as { code?: string }).code);
} finally {
  await broker.close();
  process.disconnect();
}

async function serve(control: WorkerControl): Promise<void> {
  const running: RunningJobInfo[] = [];
  const ended = Promise.withResolvers<{ readonly kind: 'released' }>();
  const consumer = broker.createConsumer({
    queues: [{ name: queue, weight: 1 }],
    order: 'strict',
    concurrency: 2,
    workerName: control.name,
    lockDurationMs: LOCK_MS,
    maxWorkerLost: 3,
    keepResultSeconds: 3600,
    perform({ id, task, attempts: attempt, progress }) {
      const startedAt = systemClock.now();
      running.push({ id, task, queue, attempt, startedAt, requestId: id, pid: process.pid, progress });
      process.send?.(id);
      return ended.promise;
    },
    onTrouble: () => {},
    onRecovered: () => {},
    onIdle: () => {},
  });
  const stopped = Promise.withResolvers<void>();
  const worker = createFakeWorker({
    name: control.name,
    queues: [queue],
    concurrency: 2,
    startedAt: systemClock.now(),
    lockDurationMs: LOCK_MS,
    listRunning: () => running,
    stop: () => stopped.resolve(),
  });
  await control.join(worker);
  await consumer.run();
  process.send?.('ready');
  await stopped.promise;
  ended.resolve({ kind: 'released' });
  await consumer.stop();
  await control.leave();
}
