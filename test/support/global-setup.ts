import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { TestProject } from 'vitest/node';
import type { TestServers } from './brokers.ts';
import { missingPostgres } from './postgres-binaries.ts';
import { type PostgresServer, startPostgres } from './postgres-server.ts';
import { hasRedisServer, type RedisServer, startRedis } from './redis-server.ts';
import { getRunFolder, removeRunFolder } from './run-folder.ts';

/**
 * Once per run: starts the shared servers, tells the test processes where they are, and at the end removes all that the
 * run made. TQ_TEST_REDIS_URL names a Redis to use in place of one of our own; TQ_TEST_REQUIRE=redis,postgres fails the
 * run where a server is missing, which otherwise skips its tests with a line on stderr.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = getRunFolder();
  // What tq keeps for its user, and reads of them, is that of this run in every test.
  process.env['XDG_STATE_HOME'] = join(folder, 'state');
  process.env['XDG_CONFIG_HOME'] = join(folder, 'config');
  const prefix = `tq-test-${process.pid}-`;
  const given = process.env['TQ_TEST_REDIS_URL'];
  const required = parseRequired(process.env['TQ_TEST_REQUIRE']);
  let redis: RedisServer | undefined;
  let postgres: PostgresServer | undefined;
  const stop = async (): Promise<void> => {
    await Promise.all([redis?.stop('SIGKILL'), postgres?.stop('SIGKILL')]);
    if (given) await removeKeys(given, prefix);
    removeRunFolder(folder);
  };
  try {
    const canStartRedis = hasRedisServer();
    const noPostgres = missingPostgres();
    if (!given && !canStartRedis)
      report('redis', 'there is no redis-server on PATH and no TQ_TEST_REDIS_URL', required);
    if (noPostgres) report('postgres', noPostgres, required);
    [redis, postgres] = await Promise.all([
      given || !canStartRedis ? undefined : startRedis(),
      noPostgres ? undefined : startPostgres(),
    ]);
    const servers: TestServers = {
      redisUrl: given ?? redis?.url ?? null,
      postgresUrl: postgres?.url ?? null,
      canStartRedis,
      canStartPostgres: !noPostgres,
      prefix,
    };
    project.provide('servers', servers);
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}

/** @throws Error on a name that is no server, so that a misspelt requirement cannot pass for a met one */
export function parseRequired(value: string | undefined): Set<string> {
  const names = (value ?? '').split(',').flatMap((name) => name.trim() || []);
  const unknown = names.filter((name) => name !== 'redis' && name !== 'postgres');
  if (unknown.length > 0) throw new Error(`TQ_TEST_REQUIRE names ${unknown.join(', ')}; known are redis, postgres`);
  return new Set(names);
}

function report(server: string, reason: string, required: ReadonlySet<string>): void {
  if (required.has(server)) throw new Error(`TQ_TEST_REQUIRE asks for ${server}, but ${reason}`);
  process.stderr.write(`Tests on ${server} are skipped: ${reason}.\n`);
}

async function removeKeys(url: string, prefix: string): Promise<void> {
  const client = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 1 });
  try {
    await client.connect();
    for await (const keys of client.scanStream({ match: `${prefix}*`, count: 500 }) as AsyncIterable<string[]>) {
      if (keys.length > 0) await client.unlink(...keys);
    }
  } finally {
    client.disconnect();
  }
}
