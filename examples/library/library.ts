import { context, createApp, TaskFailed } from 'taskq';
import { z } from 'zod';

// The broker is a file, .tq/tq.db, until TQ_BROKER_URL names another, or an option here: `broker: 'redis://localhost:6379'`.
const app = createApp({ queues: ['reports'], resultExpires: '1h' });

// A task is a function with a name. The types of its argument and its result are those of the schema and the function.
const buildReport = app.task(
  'report.build',
  {
    input: z.object({ year: z.int().min(2000), rows: z.int().max(1000) }),
    retry: { max: 5, delay: '1s', maxDelay: '1m', except: RangeError },
    softTimeLimit: '50s',
    timeLimit: '1m',
  },
  async ({ year, rows }) => {
    const job = context();
    if (rows === 0) throw new RangeError(`there is nothing to report for ${year}`);
    for (let row = 1; row <= rows; row += 1) {
      job.signal.throwIfAborted();
      await job.progress({ done: row, total: rows });
    }
    job.log.info({ rows }, 'report built');
    return { title: `Report ${year}`, rows };
  },
);

// Where the work comes up: send a job, one with options, or many in one round trip.
const report = await buildReport.delay({ year: 2031, rows: 10 });
const empty = await buildReport.apply([{ year: 2032, rows: 0 }], { countdown: '200ms', requestId: 'order-7' });
const years = await buildReport.bulk([[{ year: 2033, rows: 1 }], [{ year: 2034, rows: 2 }]]);

// Where it is done: `tq worker -A FILE`, or a worker in this process.
const worker = await app.createWorker({ concurrency: 10 });
await worker.start();

const { title } = await report.get({ timeout: '10s' });
const reason = await empty.get().catch((error: unknown) => (error instanceof TaskFailed ? error.message : error));
const rows = await Promise.all(years.map(async (year) => (await year.get()).rows));
process.stdout.write(`${title}; ${rows.join(' + ')} rows; ${reason}\n`);

await worker.stop();
await app.close();
