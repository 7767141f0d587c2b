/**
 * Operations on very many jobs: `node bench/bulk.ts [jobs] [redis|sqlite]`. Makes waiting jobs with 500 bytes of data, then measures
 *
 * - a purge: each page is scanned, read whole, written into a gzip file and removed;
 * - how far a worker of another queue falls behind meanwhile, beside the same worker with nothing else on the machine;
 * - removing 500 jobs that are spread over the whole queue, and 500 neighbours in its middle;
 * - putting back 100,000 dead letters, each page scanned and read before.
 *
 * Of Redis, the longest single command is that of its slow log; of SQLite, the longest single call.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createGzip } from 'node:zlib';
import { Redis } from 'ioredis';
import { BULK_PAGE } from '../src/engine/broker/bulk-port.ts';
import { openBroker } from '../src/engine/broker/open-broker.ts';
import type { BrokerQueue } from '../src/engine/broker/port.ts';
import { createJobId } from '../src/engine/core/job-id.ts';
import type { JobRecord } from '../src/engine/core/job-record.ts';
import { createLogger } from '../src/engine/runtime/logger.ts';
import { systemClock } from '../src/engine/runtime/system-clock.ts';
import { createApp } from '../src/index.ts';
import { startRedis } from './redis-server.ts';

const JOBS = Number(process.argv[2] ?? 1_000_000);
const ONLY = process.argv[3];
const DEAD = Math.min(JOBS, 100_000);
const BATCH = 1000;
const BYTES = 500;
/** Of the worker of another queue: its jobs wait, so that it asks for less than the cores have to give. */
const SLOTS = 4;
const TASK_MS = 5;
const LOOK_MS = 3000;

const ids: string[] = [];
let longestMs = 0;

if (process.send !== undefined) await work(process.argv[2] as string);
else await main();

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tq-bench-'));
  try {
    if (ONLY !== 'sqlite') {
      const server = await startRedis();
      const redis = new Redis({ host: server.host, port: server.port });
      await redis.config('SET', 'slowlog-log-slower-than', 1000);
      await redis.config('SET', 'slowlog-max-len', 100_000);
      await measure('redis', server.url, folder, redis);
      redis.disconnect();
      await server.stop();
    }
    if (ONLY !== 'redis') await measure('sqlite', `sqlite:${join(folder, 'tq.db')}`, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(name: string, url: string, folder: string, redis?: Redis): Promise<void> {
  const broker = await openBroker(url, { clock: systemClock });
  const queue = broker.queue('bulk');
  const timed = async (what: string, jobs: number, run: () => Promise<string>): Promise<void> => {
    await redis?.slowlog('RESET');
    longestMs = 0;
    const startedAt = performance.now();
    const more = await run();
    const seconds = (performance.now() - startedAt) / 1000;
    const rest = `longest ${redis ? 'command' : 'call'} ${(await longest(redis)).toFixed(1)} ms, ${rss()}`;
    say(`${name}, ${what}`, `${seconds.toFixed(2)} s, ${Math.round(jobs / seconds)}/s, ${rest}${more}`);
  };
  await fill(queue, JOBS);
  await timed('remove 500 spread over all', BULK_PAGE, () => removeSome(queue, (index) => index * (JOBS / BULK_PAGE)));
  await timed('remove 500 in the middle', BULK_PAGE, () => removeSome(queue, (index) => JOBS / 2 + index));
  const worker = fork(fileURLToPath(import.meta.url), [url]);
  await once(worker, 'message');
  await wait(LOOK_MS);
  const alone = await rate(worker, () => wait(LOOK_MS));
  await timed('purge', JOBS, async () => {
    const busy = await rate(worker, () => purge(queue, join(folder, `${name}.gz`)));
    return `, worker of another queue ${Math.round(alone)}/s alone, ${Math.round(busy)}/s meanwhile`;
  });
  worker.kill();
  await once(worker, 'exit');
  const dead = broker.queue('dead');
  for (let made = 0; made < DEAD; made += BATCH) await dead.bulk.restore(Array.from({ length: BATCH }, createDead));
  await timed('reprocess', DEAD, () => reprocess(dead));
  await broker.close();
}

async function fill(queue: BrokerQueue, count: number): Promise<void> {
  ids.length = 0;
  for (let sent = 0; sent < count; sent += BATCH) {
    const now = Date.now();
    const args = ['x'.repeat(BYTES - 30)];
    const jobs = Array.from({ length: BATCH }, () => ({
      id: createJobId(now),
      task: 'bulk.task',
      args,
      meta: {},
      createdAt: now,
    }));
    ids.push(...jobs.map(({ id }) => id));
    await queue.addBulk(jobs);
  }
}

async function removeSome(queue: BrokerQueue, indexOf: (index: number) => number): Promise<string> {
  const some = Array.from({ length: BULK_PAGE }, (_, index) => ids[Math.floor(indexOf(index))] as string);
  const removed = await call(() => queue.bulk.remove(some, ['waiting']));
  return removed.length < BULK_PAGE ? `, only ${removed.length}` : '';
}

async function purge(queue: BrokerQueue, file: string): Promise<void> {
  let removed = 0;
  async function* lines(): AsyncGenerator<string> {
    for await (const page of queue.bulk.scanSummaries({ places: ['waiting'] })) {
      const records = await call(() => queue.bulk.readRecords(page.map(({ id }) => id)));
      yield `${records.map((record) => JSON.stringify({ record, after: null })).join('\n')}\n`;
      removed += (
        await call(() =>
          queue.bulk.remove(
            records.map(({ id }) => id),
            ['waiting'],
          ),
        )
      ).length;
    }
  }
  await pipeline(lines(), createGzip({ level: 1 }), createWriteStream(file));
  const { waiting } = await queue.counts();
  if (waiting > 0) say('left', `${waiting} of ${removed + waiting}`);
}

async function reprocess(queue: BrokerQueue): Promise<string> {
  let done = 0;
  for await (const page of queue.bulk.scanSummaries({ places: ['dead'] })) {
    const records = await call(() => queue.bulk.readRecords(page.map(({ id }) => id)));
    const jobs = records.map(({ id, finishedAt }) => ({
      id,
      ...(finishedAt !== null && { finishedAt }),
      note: 'again',
    }));
    done += (await call(() => queue.bulk.reprocess(jobs))).length;
  }
  return done === DEAD ? '' : `, only ${done}`;
}

function createDead(): JobRecord {
  const now = Date.now();
  return {
    id: createJobId(now),
    task: 'bulk.task',
    queue: 'dead',
    place: 'dead',
    data: `{"args":["${'x'.repeat(BYTES - 30)}"],"meta":{}}`,
    options: {},
    priority: 0,
    createdAt: now,
    delayMs: 0,
    dueAt: null,
    attemptsMade: 3,
    attemptsStarted: 3,
    workersLost: 0,
    startedAt: now,
    finishedAt: now,
    worker: 'w1',
    failure: 'connect ECONNREFUSED 10.0.0.7:25',
    stacks: Array.from({ length: 3 }, () => `Error: connect ECONNREFUSED\n    at ${'frame '.repeat(30)}`),
    result: null,
    progress: null,
    deferredFailure: null,
    unique: null,
    schedulerId: null,
    parent: null,
    children: [],
    log: [],
  };
}

async function call<Result>(operation: () => Promise<Result>): Promise<Result> {
  const startedAt = performance.now();
  const result = await operation();
  longestMs = Math.max(longestMs, performance.now() - startedAt);
  return result;
}

async function longest(redis: Redis | undefined): Promise<number> {
  if (redis === undefined) return longestMs;
  const entries = (await redis.slowlog('GET', 100_000)) as [id: number, at: number, micros: number][];
  return Math.max(0, ...entries.map(([, , micros]) => micros)) / 1000;
}

/** Jobs a second of the worker while something else runs. */
async function rate(worker: ChildProcess, during: () => Promise<unknown>): Promise<number> {
  const count = async (): Promise<number> => {
    const told = once(worker, 'message');
    worker.send('count');
    return (await told)[0] as number;
  };
  const before = await count();
  const startedAt = performance.now();
  await during();
  return ((await count()) - before) / ((performance.now() - startedAt) / 1000);
}

/** The worker of another queue, which always has work. */
async function work(url: string): Promise<void> {
  const app = createApp({ broker: url, builtins: false }, { env: {} });
  const task = app.task('other', { queue: 'other', ignoreResult: true }, () => wait(TASK_MS));
  const { log } = createLogger({ level: 'error', destination: 2 });
  const worker = await app.createWorker({ queues: ['other'], concurrency: SLOTS, pool: 'async', logger: log });
  await worker.start();
  process.on('message', () => process.send?.(worker.counters.succeeded));
  process.send?.('ready');
  for (let sent = 0; ; ) {
    if (sent - worker.counters.succeeded < BATCH) {
      await task.bulk(Array.from({ length: BATCH }, () => []));
      sent += BATCH;
    }
    await wait(50);
  }
}

function rss(): string {
  return `rss ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB at most`;
}

function say(what: string, value: string): void {
  process.stdout.write(`${what.padEnd(36)}${value}\n`);
}
