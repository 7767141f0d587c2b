/**
 * Adds a job, takes it, waits for it and closes everything: then nothing must keep the process alive. Run as a child
 * process; says the state of the job on its IPC channel, which it lets go of first.
 *
 * Arguments: broker URL, queue.
 */
import { openBroker } from '../../../src/engine/broker/open-broker.ts';
import { systemClock } from '../../../src/engine/runtime/system-clock.ts';

const [url = '', name = ''] = process.argv.slice(2);
const broker = await openBroker(url, { clock: systemClock });
const consumer = broker.createConsumer({
  queues: [name, `${name}-other`].map((queue) => ({ name: queue, weight: 1 })),
  order: 'fair',
  concurrency: 2,
  workerName: 'passing',
  lockDurationMs: 30_000,
  maxWorkerLost: 3,
  keepResultSeconds: 3600,
  perform: async () => ({ kind: 'succeeded', result: null }),
  onTrouble: () => {},
  onRecovered: () => {},
  onIdle: () => {},
});
await consumer.run();
const queue = broker.queue(name);
await queue.add({ id: 'only', task: 'work', args: [], meta: {}, createdAt: systemClock.now() });
await queue.waitUntilFinished('only');
const job = await queue.readJob('only');
await consumer.stop();
await broker.close();
process.send?.(job?.state, () => process.disconnect?.());
