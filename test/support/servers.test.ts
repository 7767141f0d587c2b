import { Redis } from 'ioredis';
import { afterEach, describe, expect, test } from 'vitest';
import { brokersUnderTest, createRedisUrl, createSqliteUrl, testServers } from './brokers.ts';
import { parseRequired } from './global-setup.ts';
import { createPostgresDatabase } from './postgres-database.ts';
import { query, startPostgres } from './postgres-server.ts';
import { startRedisSentinel } from './redis-sentinel.ts';
import { type RedisServer, startRedis } from './redis-server.ts';
import { waitFor } from './wait-for.ts';

const servers = testServers();
const stops: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function connect(server: RedisServer): Redis {
  const client = new Redis({
    host: '127.0.0.1',
    port: server.port,
    ...(server.password ? { password: server.password } : {}),
    ...(server.tls ? { tls: { ca: server.tls.ca } } : {}),
  });
  client.on('error', () => undefined);
  stops.push(() => client.disconnect());
  return client;
}

describe.skipIf(!servers.canStartRedis)('a redis-server of its own', () => {
  test.each([
    ['plain', {}],
    ['with a password', { password: 'secret1' }],
    ['with TLS', { tls: true }],
    ['with TLS and a password', { tls: true, password: 'secret1' }],
  ])('%s answers a client and ends when it is stopped', async (_name, options) => {
    const server = await startRedis(options);
    stops.push(() => server.stop());
    expect(await connect(server).ping()).toBe('PONG');
    const { pid } = server;
    await server.stop();
    expect(isAlive(pid)).toBe(false);
  });

  test('with a password refuses a client that has none', async () => {
    const server = await startRedis({ password: 'secret1' });
    stops.push(() => server.stop());
    const client = new Redis(server.port, '127.0.0.1', { maxRetriesPerRequest: 0 });
    client.on('error', () => undefined);
    stops.push(() => client.disconnect());
    await expect(client.get('key')).rejects.toThrow(/NOAUTH/);
  });

  test('comes back on the same port with its data after kill -9 when it is persistent', async () => {
    const server = await startRedis({ persistent: true });
    stops.push(() => server.stop());
    const client = connect(server);
    await client.set('key', 'kept');
    const crashed = server.pid;
    await server.stop('SIGKILL');
    expect(isAlive(crashed)).toBe(false);
    await server.restart();
    expect(server.pid).not.toBe(crashed);
    expect(await client.get('key')).toBe('kept');
  });

  test('comes back empty after kill -9 when it is not', async () => {
    const server = await startRedis();
    stops.push(() => server.stop());
    const client = connect(server);
    await client.set('key', 'lost');
    await server.stop('SIGKILL');
    await server.restart();
    expect(await client.get('key')).toBeNull();
  });

  test('is found through its sentinel', async () => {
    const sentinel = await startRedisSentinel({ password: 'secret1' });
    stops.push(() => sentinel.stop());
    const client = new Redis({
      sentinels: [{ host: '127.0.0.1', port: sentinel.port }],
      name: sentinel.masterName,
      password: 'secret1',
    });
    stops.push(() => client.disconnect());
    expect(await client.info('server')).toContain(`tcp_port:${sentinel.master.port}`);
  });

  test('forms a cluster of one node, also after kill -9', async () => {
    const server = await startRedis({ cluster: true, persistent: true });
    stops.push(() => server.stop());
    const client = new Redis.Cluster([{ host: '127.0.0.1', port: server.port }]);
    client.on('error', () => undefined);
    stops.push(() => client.disconnect());
    await client.set('{tag}key', 'kept');
    await server.stop('SIGKILL');
    await server.restart();
    expect(await client.get('{tag}key')).toBe('kept');
  });

  test('that cannot start says why, in its own words', async () => {
    await expect(startRedis({ args: ['--no-such-directive', 'yes'] })).rejects.toThrow(
      /ended while it started.*directive/is,
    );
  });
});

describe.skipIf(!servers.canStartPostgres)('a PostgreSQL of its own', () => {
  test('comes back on the same port with its data after kill -9', async () => {
    const server = await startPostgres();
    stops.push(() => server.stop());
    const database = await createPostgresDatabase(server.url);
    await query(database.url, 'CREATE TABLE kept (id int)');
    const crashed = server.pid;
    await server.stop('SIGKILL');
    expect(isAlive(crashed)).toBe(false);
    await expect(query(database.url, 'SELECT 1')).rejects.toThrow();
    await server.restart();
    expect((await query(database.url, 'SELECT * FROM kept')).rows).toEqual([]);
    await database.drop();
    await expect(query(database.url, 'SELECT 1')).rejects.toThrow(/does not exist/);
  });
});

describe('the brokers under test', () => {
  test.skipIf(!servers.redisUrl)('give each caller a Redis prefix of its own', () => {
    const prefixes = [createRedisUrl(), createRedisUrl()].map((url) => new URL(url).searchParams.get('prefix'));
    expect(prefixes[0]).toMatch(/^tq-test-\d+-[0-9a-f]{8}$/);
    expect(prefixes[1]).not.toBe(prefixes[0]);
  });

  test('give each caller a SQLite file of its own', () => {
    expect(createSqliteUrl()).toMatch(/^sqlite:.*tq\.db$/);
    expect(createSqliteUrl()).not.toBe(createSqliteUrl());
  });

  test.skipIf(!servers.postgresUrl)('give each caller a PostgreSQL database of its own', async () => {
    const postgres = brokersUnderTest().find(({ name }) => name === 'postgres');
    const urls = [await postgres?.createUrl(), await postgres?.createUrl()];
    for (const url of urls) await query(String(url), 'CREATE TABLE mine (id int)');
    expect(urls[1]).not.toBe(urls[0]);
  });

  test('are those whose server this run has', () => {
    const names = ['sqlite', servers.redisUrl && 'redis', servers.postgresUrl && 'postgres'].filter(Boolean);
    expect(brokersUnderTest().map(({ name }) => name)).toEqual(names);
  });

  test('can be required by name, and a misspelt name is refused', () => {
    expect([...parseRequired(' redis,postgres ')]).toEqual(['redis', 'postgres']);
    expect([...parseRequired(undefined)]).toEqual([]);
    expect(() => parseRequired('redis,postgre')).toThrow('TQ_TEST_REQUIRE names postgre; known are redis, postgres');
  });
});

describe('waitFor', () => {
  test('says what was awaited, what the last look threw, and the details', async () => {
    const look = (): never => {
      throw new Error('not there');
    };
    const options = { timeoutMs: 30, everyMs: 5, detail: () => 'the log of the thing' };
    await expect(waitFor('the thing', look, options)).rejects.toThrow(
      'waited 30 ms for the thing\nThe last look failed: Error: not there\nthe log of the thing',
    );
  });

  test('gives back what the look found', async () => {
    let looks = 0;
    expect(await waitFor('the third look', () => (++looks === 3 ? `look ${looks}` : undefined), { everyMs: 1 })).toBe(
      'look 3',
    );
  });
});
