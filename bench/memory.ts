/**
 * Whether a worker's own process grows: `node --expose-gc bench/memory.ts [jobs]`, for the pools `prefork` and `async` on Redis.
 * Jobs that do nothing are sent while they run; after each tenth of them the heap is collected and what is left is printed.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { createJobId } from '../src/engine/core/job-id.ts';
import { createLogger } from '../src/engine/runtime/logger.ts';
import { createApp } from '../src/index.ts';
import { startRedis } from './redis-server.ts';

const JOBS = Number(process.argv[2] ?? 1_000_000);
const SAMPLES = 10;
const BACKLOG = 5000;
const BATCH = 1000;

const server = await startRedis();
const redis = new Redis({ host: server.host, port: server.port });
for (const pool of ['prefork', 'async'] as const) await measure(pool);
redis.disconnect();
await server.stop();

async function measure(pool: 'prefork' | 'async'): Promise<void> {
  const app = createApp({ broker: server.url, builtins: false }, { env: {} });
  app.task('noop', { ignoreResult: true }, async () => {});
  const { log, close } = createLogger({ level: 'warn', destination: '/dev/null' });
  const queueName = `memory-${pool}`;
  const worker = await app.createWorker({
    queues: [queueName],
    concurrency: pool === 'prefork' ? 2 : 50,
    logger: log,
    ...(pool === 'prefork' && { pool, module: new URL('./prefork/app.ts', import.meta.url) }),
  });
  await worker.start();
  const queue = (await app.broker()).queue(queueName);
  const startedAt = performance.now();
  for (let sent = 0, sample = 1; sent < JOBS; ) {
    const now = Date.now();
    const jobs = Array.from({ length: BATCH }, () => ({
      id: createJobId(now),
      task: 'noop',
      args: [],
      meta: {},
      createdAt: now,
    }));
    await queue.addBulk(jobs);
    sent += BATCH;
    while ((await redis.llen(`bull:${queueName}:wait`)) > BACKLOG) await wait(20);
    if (sent < (JOBS / SAMPLES) * sample) continue;
    while ((await queue.counts()).waiting > 0) await wait(20);
    report(pool, worker.counters.succeeded, performance.now() - startedAt);
    sample += 1;
  }
  await worker.stop();
  await app.close();
  await close();
}

function report(pool: string, done: number, ms: number): void {
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  const columns = [
    pool.padEnd(9),
    `${done} jobs`.padEnd(15),
    `heap ${mib(heapUsed)}`.padEnd(18),
    `rss ${mib(rss)}`.padEnd(16),
  ];
  process.stdout.write(`${columns.join('')}${Math.round((done / ms) * 1000)}/s\n`);
}
