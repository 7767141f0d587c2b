/** Works off a queue in a process of its own, and says how many jobs it ran: `sqlite-worker.ts DATABASE QUEUE CONCURRENCY`. */
import { Worker } from 'bullmq';
import { createSqliteBackend } from '../src/sqlite.ts';

const [path = '', queue = '', concurrency = '1'] = process.argv.slice(2);
let ran = 0;
const options = {
  connection: { path },
  concurrency: Number(concurrency),
  autorun: false,
  removeOnComplete: { count: 0 },
};
const worker = new Worker(queue, async () => (ran += 1), options as never, createSqliteBackend as never);
await worker.waitUntilReady();
process.on('message', (message) => {
  if (message === 'begin') void worker.run();
  else void worker.close().then(() => process.send?.(ran, () => process.disconnect()));
});
process.send?.('ready');
