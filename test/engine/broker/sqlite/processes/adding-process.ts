/**
 * Adds a job with each message it is told, until it is killed. A message is `ID DELAY_MS`, or `pause`, or `resume`. Reports
 * `done ID`. Arguments: path of the database, queue.
 */
import { Queue } from 'bullmq';
import { createSqliteBackend } from '../../../../../src/sqlite.ts';
import { report } from './report.ts';

const [path = '', queueName = ''] = process.argv.slice(2);
const queue = new Queue(queueName, { connection: { path } }, createSqliteBackend);
process.on('message', async (message: string) => {
  const [word = '', delay] = message.split(' ');
  if (word === 'pause') await queue.pause();
  else if (word === 'resume') await queue.resume();
  else await queue.add('letter', {}, { jobId: word, delay: Number(delay ?? 0) });
  report('done', word);
});
await queue.waitUntilReady();
report('ready');
