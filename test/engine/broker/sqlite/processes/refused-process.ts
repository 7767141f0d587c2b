/**
 * Adds one job as another user and reports `refused CODE MESSAGE`, or `added ID`. Arguments: path of the database, id of the
 * user to become (empty for none).
 */
import { Queue } from 'bullmq';
import { createSqliteBackend } from '../../../../../src/sqlite.ts';
import { described, report } from './report.ts';

const [path = '', userId = ''] = process.argv.slice(2);
if (userId !== '') {
  process.setgid?.(Number(userId));
  process.setuid?.(Number(userId));
}
const queue = new Queue('mail', { connection: { path } }, createSqliteBackend);
queue.on('error', () => undefined);
await queue.add('letter', {}, { jobId: 'new' }).then(
  ({ id }) => report('added', id ?? ''),
  (error) => report('refused', described(error)),
);
await queue.close();
