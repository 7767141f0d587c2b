import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { openBroker } from '../src/engine/broker/open-broker.ts';
import { systemClock } from '../src/engine/runtime/system-clock.ts';
import { startPostgres } from '../test/support/postgres-server.ts';
import { startRedis } from './redis-server.ts';

/** What is measured, on one broker. */
export interface BenchedBroker {
  readonly name: 'redis' | 'postgres' | 'sqlite';
  readonly url: string;
  /** A folder that goes with the run. */
  readonly folder: string;
  /** Of Redis: with a slow log of all commands that take a millisecond. */
  readonly redis?: Redis;
}

/**
 * Runs a measurement on a Redis of its own and on a SQLite file, or on the one that is named. PostgreSQL is measured only when it is named:
 * a server of its own, whose commits do not wait for the disk.
 */
export async function measureEach(
  only: string | undefined,
  measure: (broker: BenchedBroker) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tq-bench-'));
  try {
    if (only === 'postgres') {
      const server = await startPostgres();
      const broker = await openBroker(server.url, { clock: systemClock, skipSchema: true });
      await broker.migrate();
      await broker.close();
      await measure({ name: 'postgres', url: server.url, folder });
      await server.stop();
      return;
    }
    if (only !== 'sqlite') {
      const server = await startRedis();
      const redis = new Redis({ host: server.host, port: server.port });
      await redis.config('SET', 'slowlog-log-slower-than', 1000);
      await redis.config('SET', 'slowlog-max-len', 100_000);
      await measure({ name: 'redis', url: server.url, folder, redis });
      redis.disconnect();
      await server.stop();
    }
    if (only !== 'redis') await measure({ name: 'sqlite', url: `sqlite:${join(folder, 'tq.db')}`, folder });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The longest command since the slow log was reset, in milliseconds. */
export async function readLongest(redis: Redis): Promise<number> {
  const entries = (await redis.slowlog('GET', 100_000)) as [id: number, at: number, micros: number][];
  return Math.max(0, ...entries.map(([, , micros]) => micros)) / 1000;
}
