import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { openBroker } from '../../../src/engine/broker/open-broker.ts';
import { TqError } from '../../../src/engine/core/errors.ts';
import { systemClock } from '../../../src/engine/runtime/system-clock.ts';
import { createRedisUrl, testServers } from '../../support/brokers.ts';
import { findFreePort } from '../../support/free-port.ts';
import { createPostgresDatabase } from '../../support/postgres-database.ts';
import { query } from '../../support/postgres-server.ts';
import { startRedis } from '../../support/redis-server.ts';

const PASSWORD = 's3cretP4ss';
const { redisUrl, postgresUrl, canStartRedis } = testServers();
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** Fails to open a broker and gives the error, having seen that no password is in it. */
async function refusal(url: string, secret = PASSWORD): Promise<TqError> {
  const opened = await openBroker(url, { clock: systemClock, patienceMs: 500, doing: 'starting the worker' }).catch(
    (error: unknown) => error,
  );
  if (!(opened instanceof TqError)) throw new Error(`${url} gave ${String(opened)}`);
  const shown = `${opened.message} ${opened.next} ${opened.cause} ${(opened.cause as Error | undefined)?.stack}`;
  expect(shown).not.toContain(secret);
  expect(opened.exitCode).toBe(69);
  return opened;
}

function withPart(url: string, change: (parts: URL) => void): string {
  const parts = new URL(url);
  change(parts);
  return parts.href;
}

describe.concurrent.each([
  ['redis', (at: string) => `redis://worker:${PASSWORD}@${at}`],
  ['redis with TLS', (at: string) => `rediss://:${PASSWORD}@${at}`],
  ['redis behind sentinels', (at: string) => `redis+sentinel://:${PASSWORD}@${at}/mymaster`],
  ['a redis cluster', (at: string) => `redis+cluster://:${PASSWORD}@${at}`],
  ['postgres', (at: string) => `postgres://worker:${PASSWORD}@${at}/jobs`],
])('%s', (_name, urlOf) => {
  test('on a port where nobody listens is unavailable, in one line with the masked URL', async () => {
    const port = await findFreePort();
    const error = await refusal(urlOf(`127.0.0.1:${port}`));
    expect(error.code).toBe('BROKER_UNAVAILABLE');
    expect(error.message).toMatch(
      /^starting the worker: cannot connect to the broker \S+:\*\*\*@127\.0\.0\.1:\d+\S*: \S[^\n]*$/,
    );
    expect(error.next).not.toBe('');
  });

  test('that is away keeps a worker from starting, which can be stopped', async () => {
    const url = urlOf(`127.0.0.1:${await findFreePort()}`);
    const broker = await openBroker(url, { clock: systemClock, patienceMs: 300, skipSchema: true });
    const consumer = broker.createConsumer({
      queues: [{ name: 'default', weight: 1 }],
      order: 'strict',
      concurrency: 1,
      workerName: 'early',
      lockDurationMs: 30_000,
      maxWorkerLost: 3,
      keepResultSeconds: 60,
      perform: async () => ({ kind: 'released' }),
      onTrouble: () => {},
      onRecovered: () => {},
      onIdle: () => {},
    });
    for (const attempt of ['first', 'second']) {
      await expect(consumer.run(), attempt).rejects.toMatchObject({
        code: 'BROKER_UNAVAILABLE',
        message: expect.stringMatching(/^starting the worker: /),
      });
    }
    await consumer.stop();
    await broker.close();
  });

  test('on a host that does not exist says that the name is not known', async () => {
    const error = await refusal(urlOf('no-such-host.invalid:1234'));
    expect(error.code).toBe('BROKER_UNAVAILABLE');
    expect(error.message).toContain('no-such-host.invalid');
    expect(`${error.message} ${error.next}`).toMatch(/ENOTFOUND|EAI_AGAIN|DNS|sentinel|form a cluster/);
  });

  test('that accepts connections and says nothing is unavailable', async ({ onTestFinished }) => {
    const silent = createServer(() => {});
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    onTestFinished(() => void silent.close());
    const error = await refusal(urlOf(`127.0.0.1:${(silent.address() as { port: number }).port}`));
    expect(error.code).toBe('BROKER_UNAVAILABLE');
  });

  test('that is another kind of server is unavailable', async ({ onTestFinished }) => {
    const other = createServer((socket) => {
      socket.on('error', () => {});
      socket.end('220 mail.example.com ESMTP\r\n');
    });
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const error = await refusal(urlOf(`127.0.0.1:${(other.address() as { port: number }).port}`));
    expect(error.code).toBe('BROKER_UNAVAILABLE');
  });
});

describe.skipIf(!canStartRedis)('a Redis', () => {
  test('that wants another password, or any, says to check the user name and the password', async () => {
    const server = await startRedis({ password: 'right1' });
    stops.push(() => server.stop());
    for (const credentials of [`:${PASSWORD}@`, `nobody:${PASSWORD}@`, '']) {
      const error = await refusal(`redis://${credentials}127.0.0.1:${server.port}`);
      expect(error).toMatchObject({ code: 'BROKER_UNAVAILABLE', next: expect.stringContaining('password') });
    }
  });

  test('with TLS that is asked without it, and the other way round, says so', async () => {
    const [plain, encrypted] = await Promise.all([startRedis(), startRedis({ tls: true })]);
    stops.push(
      () => plain.stop(),
      () => encrypted.stop(),
    );
    expect(await refusal(`rediss://:${PASSWORD}@127.0.0.1:${plain.port}`)).toMatchObject({
      code: 'BROKER_UNAVAILABLE',
      next: expect.stringContaining('rediss://'),
    });
    expect(await refusal(`redis://127.0.0.1:${encrypted.port}`)).toMatchObject({ code: 'BROKER_UNAVAILABLE' });
    // A certificate that nobody vouches for.
    expect(await refusal(`rediss://127.0.0.1:${encrypted.port}`)).toMatchObject({
      code: 'BROKER_UNAVAILABLE',
      message: expect.stringContaining('self-signed'),
      next: expect.stringContaining('?ca=FILE'),
    });
  });

  test('whose certificate file is not there says which', async () => {
    const error = await openBroker('rediss://127.0.0.1:1?ca=/no/such/ca.pem', { clock: systemClock }).catch((e) => e);
    expect(error).toBeInstanceOf(TqError);
    expect(error).toMatchObject({ code: 'BROKER_URL_INVALID', message: expect.stringContaining('/no/such/ca.pem') });
  });

  test('that is no cluster, or has no such database, cannot be used', async () => {
    const server = await startRedis();
    stops.push(() => server.stop());
    expect(await refusal(`redis+cluster://127.0.0.1:${server.port}`)).toMatchObject({
      code: 'BROKER_UNAVAILABLE',
      next: expect.stringContaining('cluster'),
    });
    expect(await refusal(`redis://127.0.0.1:${server.port}/999`)).toMatchObject({
      code: 'BROKER_UNAVAILABLE',
      message: expect.stringMatching(/DB index|database/i),
    });
  });
});

describe.skipIf(!postgresUrl)('a PostgreSQL', () => {
  const url = postgresUrl ?? '';

  test('that wants another password says to check the user name and the password', async () => {
    const error = await refusal(withPart(url, (parts) => (parts.password = PASSWORD)));
    expect(error).toMatchObject({ code: 'BROKER_UNAVAILABLE', next: expect.stringContaining('password') });
  });

  test('without the database says to create it', async () => {
    const error = await refusal(
      withPart(url, (parts) => (parts.pathname = '/missing')),
      new URL(url).password,
    );
    expect(error).toMatchObject({
      code: 'BROKER_UNAVAILABLE',
      message: expect.stringContaining('"missing"'),
      next: expect.stringContaining('create the database'),
    });
  });

  test('without TLS that is asked for it says so', async () => {
    const error = await refusal(withPart(url, (parts) => parts.searchParams.set('sslmode', 'require')));
    expect(error).toMatchObject({ code: 'BROKER_UNAVAILABLE', next: expect.stringContaining('sslmode') });
  });

  test('without the schema says to run tq migrate, and migrating it twice is harmless', async () => {
    const database = await createPostgresDatabase(url);
    stops.push(() => database.drop());
    const error = await refusal(database.url);
    expect(error).toMatchObject({ code: 'BROKER_UNSUITABLE', next: expect.stringContaining('`tq migrate`') });
    expect(error.message).toContain('"bullmq"');
    const broker = await openBroker(database.url, { clock: systemClock, skipSchema: true });
    const first = await broker.migrate();
    expect(first).toMatchObject({ from: null, to: expect.any(Number) });
    expect(await broker.migrate()).toEqual({ from: first.to, to: first.to });
    await broker.close();
    const opened = await openBroker(database.url, { clock: systemClock });
    expect(await opened.listQueues()).toEqual([]);
    await opened.close();
  });

  test('with an older schema says to run tq migrate, with a newer one to upgrade tq', async () => {
    const database = await createPostgresDatabase(url);
    stops.push(() => database.drop());
    const broker = await openBroker(database.url, { clock: systemClock, skipSchema: true });
    const { to } = await broker.migrate();
    const { rows } = await query(
      database.url,
      "SELECT table_name FROM information_schema.tables WHERE table_schema = 'bullmq'",
    );
    const ledger = rows.map(({ table_name }) => String(table_name)).find((name) => /migration/.test(name));
    await query(database.url, `DELETE FROM bullmq.${ledger} WHERE version = ${to}`);
    expect(await refusal(database.url)).toMatchObject({
      code: 'BROKER_UNSUITABLE',
      message: expect.stringContaining(`version ${Number(to) - 1}`),
      next: expect.stringContaining('`tq migrate`'),
    });
    await query(database.url, `UPDATE bullmq.${ledger} SET min_client_version = 99`);
    expect(await refusal(database.url)).toMatchObject({
      code: 'BROKER_UNSUITABLE',
      next: expect.stringContaining('upgrade tq'),
    });
    expect(await broker.migrate().catch((thrown) => thrown)).toMatchObject({ code: 'BROKER_UNSUITABLE' });
    await broker.close();
  });

  test('keeps a schema of its own beside another one in the same database', async () => {
    const database = await createPostgresDatabase(url);
    stops.push(() => database.drop());
    const own = withPart(database.url, (parts) => parts.searchParams.set('schema', 'other'));
    const broker = await openBroker(own, { clock: systemClock, skipSchema: true });
    await broker.migrate();
    await broker.close();
    expect(await refusal(database.url)).toMatchObject({ code: 'BROKER_UNSUITABLE' });
    const opened = await openBroker(own, { clock: systemClock });
    await opened.queue('q').add({ id: '1', task: 't', args: [], meta: {}, createdAt: 0 });
    expect(await opened.listQueues()).toEqual(['q']);
    await opened.close();
  });

  test('that is away while it is migrated is unavailable', async () => {
    const port = await findFreePort();
    const broker = await openBroker(`postgres://u:${PASSWORD}@127.0.0.1:${port}/d`, {
      clock: systemClock,
      patienceMs: 200,
      skipSchema: true,
    });
    const error = await broker.migrate().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'BROKER_UNAVAILABLE',
      message: expect.stringContaining('migrating the schema'),
    });
    expect(String(error)).not.toContain(PASSWORD);
    await broker.close();
  });
});

test.skipIf(!redisUrl)('a Redis has no schema to migrate', async () => {
  const broker = await openBroker(createRedisUrl(), { clock: systemClock });
  expect(await broker.migrate()).toEqual({ from: null, to: null });
  await broker.close();
});

describe.skipIf(!canStartRedis)('a Redis that is frozen', () => {
  test('keeps its connections, and fails a command within the patience of its caller', {
    timeout: 60_000,
  }, async () => {
    const server = await startRedis();
    stops.push(() => server.stop('SIGKILL'));
    const broker = await openBroker(server.url, { clock: systemClock, patienceMs: 1000 });
    stops.push(() => broker.close());
    const queue = broker.queue('mail');
    expect(await queue.counts()).toMatchObject({ waiting: 0 });
    process.kill(server.pid, 'SIGSTOP');
    stops.push(() => process.kill(server.pid, 'SIGCONT'));
    await expect(queue.counts()).rejects.toMatchObject({ code: 'BROKER_UNAVAILABLE' });
    process.kill(server.pid, 'SIGCONT');
    expect(await queue.counts()).toMatchObject({ waiting: 0 });
  });
});
