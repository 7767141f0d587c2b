/**
 * Opens the database, and when it is told to start adds jobs, half of them one by one and half in bulk, says `done` and
 * ends by itself. Reports `error TEXT` for what reaches the user. Arguments: path of the database, queue, a name that no other process has, number of jobs.
 */
import { once } from 'node:events';
import { Queue } from 'bullmq';
import { createSqliteBackend } from '../../../../../src/sqlite.ts';
import { described, report } from './report.ts';

const [path = '', queueName = '', name = '', count = ''] = process.argv.slice(2);
const AT_ONCE = 25;

const queue = new Queue(queueName, { connection: { path } }, createSqliteBackend);
queue.on('error', (error) => report('error', described(error)));

let added = 0;
const nextJobs = (): { name: string; data: number; opts: { jobId: string } }[] =>
  Array.from({ length: Math.min(AT_ONCE, Number(count) - added) }, () => {
    added += 1;
    return { name: 'count', data: added, opts: { jobId: `${name}-${added}` } };
  });
try {
  await queue.waitUntilReady();
  const told = once(process, 'message');
  report('ready');
  await told;
  for (let bulk = false; added < Number(count); bulk = !bulk) {
    const jobs = nextJobs();
    if (bulk) await queue.addBulk(jobs);
    else await Promise.all(jobs.map((job) => queue.add(job.name, job.data, job.opts)));
  }
  report('done', added);
} catch (error) {
  report('error', described(error));
}
await queue.close();
