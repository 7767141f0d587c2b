/**
 * Takes jobs and never ends them: a worker for tests to kill. Run as a child process with an IPC channel; it says the id of
 * every job that it takes.
 *
 * Arguments: broker URL, queue, lock duration in milliseconds.
 */
import { openBroker } from '../../../src/engine/broker/open-broker.ts';
import { systemClock } from '../../../src/engine/runtime/system-clock.ts';

const [url = '', queue = '', lockDurationMs = ''] = process.argv.slice(2);
const broker = await openBroker(url, { clock: systemClock });
const consumer = broker.createConsumer({
  queues: [{ name: queue, weight: 1 }],
  order: 'strict',
  concurrency: 1,
  workerName: 'doomed',
  lockDurationMs: Number(lockDurationMs),
  maxWorkerLost: 3,
  keepResultSeconds: 3600,
  perform(job) {
    process.send?.(job.id);
    return new Promise(() => {});
  },
  onTrouble: () => {},
  onRecovered: () => {},
  onIdle: () => {},
});
await consumer.run();
