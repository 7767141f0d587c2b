/**
 * Runs jobs until it is told to end, and notes which. Then it sends the ids, closes, and ends by itself. Reports
 * `error TEXT` for what reaches the user. Arguments: path of the database, queue.
 */
import { Worker } from 'bullmq';
import { createSqliteBackend } from '../../../../../src/sqlite.ts';
import { described, report } from './report.ts';

const [path = '', queueName = ''] = process.argv.slice(2);
const ran: string[] = [];

const worker = new Worker(
  queueName,
  async ({ id = '' }) => {
    ran.push(id);
  },
  { connection: { path }, concurrency: 20 },
  createSqliteBackend,
);
worker.on('error', (error) => report('error', described(error)));
process.once('message', async () => {
  await worker.close();
  process.send?.(ran, () => process.disconnect());
});
await worker.waitUntilReady();
report('ready');
