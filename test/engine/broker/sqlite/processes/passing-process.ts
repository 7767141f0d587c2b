/**
 * Uses a database in every way that waits and then lets go of it: nothing must keep the process alive after that. Reports
 * `closed`. Arguments: path of the database, and `open` to leave a queue open, of which nobody waits for anything.
 */
import { Queue, QueueEvents, Worker } from 'bullmq';
import { createSqliteBackend } from '../../../../../src/sqlite.ts';
import { report } from './report.ts';

const [path = '', mode = ''] = process.argv.slice(2);
const connection = { path };
const queue = new Queue('mail', { connection }, createSqliteBackend);
if (mode === 'open') {
  await queue.add('letter', {}, { jobId: 'kept' });
} else {
  const events = new QueueEvents('mail', { connection }, createSqliteBackend);
  const worker = new Worker('mail', async () => 'sent', { connection, drainDelay: 3600 }, createSqliteBackend);
  const ready = Promise.all([events.waitUntilReady(), worker.waitUntilReady()]);
  await ready;
  const job = await queue.add('letter', {});
  await queue.add('letter', {}, { delay: 3_600_000 });
  await job.waitUntilFinished(events);
  await Promise.all([worker.close(), events.close()]);
  await queue.close();
}
report('closed');
