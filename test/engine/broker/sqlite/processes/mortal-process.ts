/**
 * Adds jobs of every kind and runs them, until it is killed. It reports what it may be held to:
 *
 *     added ID KIND      the promise of the call that added it has resolved
 *     started ID TRY     a job has begun; TRY counts the attempts that ended before
 *     ended ID TRY       the worker knows that the end of that attempt is stored
 *     error TEXT         what must not happen
 *
 * Arguments: path of the database, a name that no other process has, seed, lock duration in milliseconds.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { FlowProducer, type Job, Queue, Worker } from 'bullmq';
import { createSqliteBackend } from '../../../../../src/sqlite.ts';
import { described, report } from './report.ts';
import { seededRandom } from './seeded-random.ts';

const [path = '', name = '', seed = '', lockDurationMs = ''] = process.argv.slice(2);
const random = seededRandom(Number(seed));
const connection = { path };
const complain = (error: unknown): void => report('error', described(error));

async function run(job: Job): Promise<number> {
  report('started', job.id ?? '', job.attemptsMade);
  const children = Object.keys(await job.getChildrenValues()).length;
  if (job.name === 'flow' && children !== 2)
    complain(new Error(`parent ${job.id} ran after ${children} of 2 children`));
  await pause(random() * 20);
  if (job.name === 'retried' && job.attemptsMade === 0) throw new Error('the first attempt fails');
  return children;
}

const worker = new Worker(
  'crash',
  run,
  {
    connection,
    concurrency: 5,
    lockDuration: Number(lockDurationMs),
    stalledInterval: 500,
    maxStalledCount: 1000,
    drainDelay: 1,
  },
  createSqliteBackend,
);
worker.on('error', complain);
worker.on('completed', (job) => report('ended', job.id ?? '', job.attemptsMade - 1));
worker.on('failed', (job) => report('ended', job?.id ?? '', (job?.attemptsMade ?? 0) - 1));

const queue = new Queue('crash', { connection }, createSqliteBackend);
const flows = new FlowProducer({ connection }, createSqliteBackend);
queue.on('error', complain);
flows.on('error', complain);

let count = 0;
const nextId = (): string => {
  count += 1;
  return `${name}-${count}`;
};

/** Each adds jobs of its kind and resolves with their ids. */
const KINDS: Readonly<Record<string, (kind: string) => Promise<readonly (string | undefined)[]>>> = {
  plain: async (kind) => [(await queue.add(kind, { payload: 'x'.repeat(random() * 2000) }, { jobId: nextId() })).id],
  removed: async (kind) => [(await queue.add(kind, {}, { jobId: nextId(), removeOnComplete: true })).id],
  priority: async (kind) => [(await queue.add(kind, {}, { jobId: nextId(), priority: 1 + (count % 5) })).id],
  later: async (kind) => [(await queue.add(kind, {}, { jobId: nextId(), delay: 1 + random() * 50 })).id],
  retried: async (kind) => {
    const opts = { jobId: nextId(), attempts: 2, backoff: { type: 'fixed', delay: 10 } };
    return [(await queue.add(kind, {}, opts)).id];
  },
  bulk: async (kind) => {
    const jobs = Array.from({ length: 5 }, () => ({ name: kind, data: {}, opts: { jobId: nextId() } }));
    return (await queue.addBulk(jobs)).map(({ id }) => id);
  },
  flow: async (kind) => {
    const child = () => ({ name: 'child', queueName: 'crash', opts: { jobId: nextId() } });
    const flow = { name: kind, queueName: 'crash', opts: { jobId: nextId() }, children: [child(), child()] };
    const { job, children = [] } = await flows.add(flow);
    return [job.id, ...children.map(({ job: { id } }) => id)];
  },
};

async function produce(): Promise<void> {
  const kinds = Object.entries(KINDS);
  for (;;) {
    const [kind, add] = kinds[Math.floor(random() * kinds.length)] as (typeof kinds)[number];
    const ids = await add(kind);
    for (const id of ids) report('added', id ?? '', kind);
    await pause(random() * 15);
  }
}

for (let producer = 0; producer < 3; producer += 1) produce().catch(complain);
