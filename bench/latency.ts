/**
 * How soon a job starts that another process has sent to an idle worker, and what an idle worker costs, on Redis and on
 * SQLite: `npm run bench:latency`. Both processes read the machine's monotonic clock.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createLogger } from '../src/engine/runtime/logger.ts';
import { createApp } from '../src/index.ts';
import { startRedis } from './redis-server.ts';

const COUNT = Number(process.argv[2] ?? 500);
const IDLE_MS = Number(process.argv[3] ?? 10_000);

const server = await startRedis();
const folder = await mkdtemp(join(tmpdir(), 'tq-bench-'));
try {
  await measure('Redis', server.url);
  await measure('SQLite', `sqlite:${join(folder, 'tq.db')}`);
} finally {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}

async function measure(name: string, broker: string): Promise<void> {
  const latencies: number[] = [];
  const app = createApp({ broker, builtins: false }, { env: {} });
  app.task('ping', { queue: 'ping' }, async (sentAt: string) => {
    latencies.push(Number(process.hrtime.bigint() - BigInt(sentAt)) / 1e6);
  });
  const logger = createLogger({ level: 'warn', destination: 2 });
  const worker = await app.createWorker({ queues: ['ping'], concurrency: 10, logger: logger.log });
  await worker.start();
  const producer = fork(new URL('latency-producer.ts', import.meta.url), [broker, 'ping', String(COUNT)]);
  await once(producer, 'exit');
  while (latencies.length < COUNT) await wait(10);
  const before = process.cpuUsage();
  await wait(IDLE_MS);
  const { user, system } = process.cpuUsage(before);
  await worker.stop();
  await app.close();
  await logger.close();
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1);
  const idle = ((user + system) / 10 / IDLE_MS).toFixed(2);
  process.stdout.write(
    `${name.padEnd(8)}enqueue to start: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms; idle: ${idle} % of a core\n`,
  );
}
