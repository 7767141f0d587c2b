import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { inject } from 'vitest';
import { createPostgresDatabase } from './postgres-database.ts';
import { createFolderOfRun } from './run-folder.ts';

/** What `global-setup.ts` started, for the test processes. */
declare module 'vitest' {
  interface ProvidedContext {
    servers: TestServers;
  }
}

export interface TestServers {
  /** Of the shared servers of this run; null where there is none. */
  readonly redisUrl: string | null;
  readonly postgresUrl: string | null;
  /** Whether tests can start a `redis-server` of their own, to kill or to configure. */
  readonly canStartRedis: boolean;
  readonly canStartPostgres: boolean;
  /** Begin of every key prefix of this run. */
  readonly prefix: string;
}

export interface BrokerUnderTest {
  readonly name: 'redis' | 'postgres' | 'sqlite';
  /** A broker URL that nobody else uses: a key prefix or a database of its own. It is cleared when the run ends. */
  createUrl(): Promise<string>;
}

/** The shared servers of this run and what can be started beside them; for `describe.skipIf`. */
export function testServers(): TestServers {
  return inject('servers');
}

/**
 * The brokers that this machine offers, for `describe.each(brokersUnderTest())('on $name', ({ createUrl }) => …)`.
 * What is missing was said on stderr when the run began, or has failed it when TQ_TEST_REQUIRE names it.
 */
export function brokersUnderTest(): BrokerUnderTest[] {
  const { redisUrl, postgresUrl, prefix } = testServers();
  const brokers: BrokerUnderTest[] = [{ name: 'sqlite', createUrl: async () => createSqliteUrl() }];
  if (redisUrl) brokers.push({ name: 'redis', createUrl: async () => withPrefix(redisUrl, prefix) });
  if (postgresUrl) {
    brokers.push({ name: 'postgres', createUrl: async () => (await createPostgresDatabase(postgresUrl)).url });
  }
  return brokers;
}

/** A URL of the shared Redis with a prefix of its own. @throws Error when there is no Redis: guard with `testServers()` */
export function createRedisUrl(): string {
  const { redisUrl, prefix } = testServers();
  if (!redisUrl) throw new Error('this run has no Redis');
  return withPrefix(redisUrl, prefix);
}

/** A file of its own in the run's folder, which the run removes when it ends. */
export function createSqliteUrl(): string {
  return `sqlite:${join(createFolderOfRun('sqlite'), 'tq.db')}`;
}

function withPrefix(url: string, prefix: string): string {
  const own = new URL(url);
  own.searchParams.set('prefix', `${prefix}${randomBytes(4).toString('hex')}`);
  return own.href;
}
