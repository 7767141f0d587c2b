/**
 * A plain BullMQ worker that goes on whatever happens to its file, until it is killed. Reports `error CODE` for the first
 * error of each code, `turn` once the event loop has gone round after an error, and `ran ID` for each job.
 *
 * Arguments: path of the database, queue, id of the user to become (empty for none).
 */
import { Worker } from 'bullmq';
import { createSqliteBackend } from '../../../../../src/sqlite.ts';
import { report } from './report.ts';

const [path = '', queueName = '', userId = ''] = process.argv.slice(2);
if (userId !== '') {
  process.setgid?.(Number(userId));
  process.setuid?.(Number(userId));
}
const seen = new Set<string>();
const worker = new Worker(
  queueName,
  async ({ id = '' }) => report('ran', id),
  { connection: { path }, runRetryDelay: 50, drainDelay: 1 },
  createSqliteBackend,
);
worker.on('error', (error: Error & { code?: string }) => {
  const code = error.code ?? error.message;
  if (seen.has(code)) return;
  seen.add(code);
  report('error', code);
  setTimeout(() => report('turn'), 10);
});
// A worker that waits does not keep the process alive by itself.
process.on('message', () => undefined);
