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

const SCRIPT = fileURLToPath(import.meta.url);

let longestMs = 0;

const ROLES: Readonly<Record<string, (url: string, ...rest: string[]) => Promise<void>>> = { work, operate };

const [role, ...given] = process.argv.slice(2);
if (process.send !== undefined) await ROLES[role ?? '']?.(...(given as [string]));
else await main();

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tq-bench-'));
  try {
    if (ONLY !== 'sqlite') {
      const server = await startRedis();
      const redis = new Redis({ host: server.host, port: server.port });
      await redis.config('SET', 'slowlog-log-slower-than', 1000);
      await redis.config('SET', 'slowlog-max-len', 100_000);
      try {
        await measure('redis', server.url, folder, redis);
      } finally {
        redis.disconnect();
        await server.stop();
      }
    }
    if (ONLY !== 'redis') await measure('sqlite', `sqlite:${join(folder, 'tq.db')}`, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(name: string, url: string, folder: string, redis?: Redis): Promise<void> {
  const broker = await openBroker(url, { clock: systemClock });
  const queue = broker.queue('bulk');
  const ids = await fill(queue, JOBS);
  const spread = ids.filter((_, index) => index % Math.ceil(JOBS / BULK_PAGE) === 0);
  await timed('remove 500 spread over all', () => run(['remove', ...spread]));
  const middle = ids.slice(JOBS / 2 + 1, JOBS / 2 + BULK_PAGE).filter((id) => !spread.includes(id));
  await timed('remove 500 in the middle', () => run(['remove', ...middle]));
  const worker = fork(SCRIPT, ['work', url]);
  await once(worker, 'message');
  await wait(LOOK_MS);
  const alone = await rate(worker, () => wait(LOOK_MS));
  let busy = 0;
  await timed('purge', async () => {
    let told: Told | undefined;
    busy = await rate(worker, async () => {
      told = await run(['purge', join(folder, `${name}.gz`)]);
    });
    return told as Told;
  });
  say(`${name}, worker of another queue`, `${Math.round(alone)}/s before, ${Math.round(busy)}/s during the purge`);
  worker.kill();
  await once(worker, 'exit');
  const dead = broker.queue('dead');
  for (let made = 0; made < DEAD; made += BULK_PAGE)
    await dead.bulk.restore(Array.from({ length: BULK_PAGE }, createDead));
  await timed('reprocess', () => run(['reprocess']));
  await broker.close();

  /** In a process of its own, so that its memory is that of the operation. */
  async function run(what: readonly string[]): Promise<Told> {
    const operator = fork(SCRIPT, ['operate', url]);
    await once(operator, 'message');
    await redis?.slowlog('RESET');
    const before = await serverCpuSeconds(redis);
    operator.send(what);
    const [told] = (await once(operator, 'message')) as [Told];
    await once(operator, 'exit');
    return { ...told, serverSeconds: (await serverCpuSeconds(redis)) - before };
  }

  async function timed(what: string, operation: () => Promise<Told>): Promise<void> {
    const { done, seconds, cpuSeconds, serverSeconds = 0, longestMs, rssMib } = await operation();
    const longest = redis ? `command ${(await longestCommandMs(redis)).toFixed(1)}` : `call ${longestMs.toFixed(1)}`;
    const speed = `${done} in ${seconds.toFixed(2)} s, ${Math.round(done / seconds)}/s`;
    const cpu = `${cpuSeconds.toFixed(2)} s${redis ? ` + ${serverSeconds.toFixed(2)} s of the server` : ''}`;
    say(`${name}, ${what}`, `${speed}, processor ${cpu}, longest ${longest} ms, rss ${rssMib} MiB`);
  }
}

interface Told {
  readonly done: number;
  readonly seconds: number;
  /** Of the operator's process, with its threads. */
  readonly cpuSeconds: number;
  /** Of Redis, also for the worker beside. */
  readonly serverSeconds?: number;
  readonly longestMs: number;
  readonly rssMib: number;
}

async function operate(url: string): Promise<void> {
  const broker = await openBroker(url, { clock: systemClock });
  const [bulk, dead] = [broker.queue('bulk'), broker.queue('dead')];
  await bulk.counts();
  process.send?.('ready');
  const [[what, ...rest]] = (await once(process, 'message')) as [string[]];
  const startedAt = performance.now();
  const cpu = process.cpuUsage();
  let done = 0;
  if (what === 'remove') done = (await call(() => bulk.bulk.remove(rest, ['waiting']))).length;
  if (what === 'purge') done = await purge(bulk, rest[0] as string);
  if (what === 'reprocess') done = await reprocess(dead);
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const rssMib = Math.round(process.resourceUsage().maxRSS / 1024);
  process.send?.({ done, seconds, cpuSeconds: (user + system) / 1e6, longestMs, rssMib } satisfies Told);
  await broker.close();
  process.disconnect();
}

async function fill(queue: BrokerQueue, count: number): Promise<string[]> {
  const ids: string[] = [];
  const args = ['x'.repeat(BYTES - 30)];
  for (let sent = 0; sent < count; sent += BATCH) {
    const createdAt = Date.now();
    const jobs = Array.from({ length: BATCH }, () => ({
      id: createJobId(createdAt),
      task: 'bulk.task',
      args,
      meta: {},
      createdAt,
    }));
    ids.push(...(await queue.addBulk(jobs)));
  }
  return ids;
}

async function purge(queue: BrokerQueue, file: string): Promise<number> {
  let removed = 0;
  async function* lines(): AsyncGenerator<string> {
    for await (const page of queue.bulk.scanSummaries({ places: ['waiting'] })) {
      const ids = page.map(({ id }) => id);
      const records = await call(() => queue.bulk.readRecords(ids));
      yield `${records.map((record) => JSON.stringify({ record, after: null })).join('\n')}\n`;
      removed += (await call(() => queue.bulk.remove(ids, ['waiting']))).length;
    }
  }
  await pipeline(lines(), createGzip({ level: 1 }), createWriteStream(file));
  return removed;
}

async function reprocess(queue: BrokerQueue): Promise<number> {
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
  return done;
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

async function serverCpuSeconds(redis: Redis | undefined): Promise<number> {
  const text = (await redis?.info('cpu')) ?? '';
  const field = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(text)?.[1] ?? 0);
  return field('used_cpu_user') + field('used_cpu_sys');
}

async function longestCommandMs(redis: Redis): Promise<number> {
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

function say(what: string, value: string): void {
  process.stdout.write(`${what.padEnd(36)}${value}\n`);
}
