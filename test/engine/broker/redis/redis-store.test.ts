import { Redis } from 'ioredis';
import { afterEach, describe, expect, test } from 'vitest';
import type { BrokerQueue } from '../../../../src/engine/broker/port.ts';
import type { Event } from '../../../../src/engine/events/event.ts';
import { streamEvents } from '../../../../src/engine/events/event-stream.ts';
import { systemClock } from '../../../../src/engine/runtime/system-clock.ts';
import { createRedisUrl, testServers } from '../../../support/brokers.ts';
import { startRedisSentinel } from '../../../support/redis-sentinel.ts';
import { startRedis } from '../../../support/redis-server.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { newJob, newJobs, openWorkshop, queueName, SUCCEEDED, type Workshop } from '../workshop.ts';

const { redisUrl, canStartRedis } = testServers();
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function open(url: string): Promise<Workshop> {
  const workshop = await openWorkshop('redis', url);
  stops.push(() => workshop.close());
  return workshop;
}

/** A client of the shared server, and the prefix that this test's keys begin with. */
function connectTo(url: string): { client: Redis; prefix: string } {
  const parts = new URL(url);
  const prefix = parts.searchParams.get('prefix') ?? 'bull';
  parts.search = '';
  const client = new Redis(parts.href);
  stops.push(() => client.disconnect());
  return { client, prefix };
}

/** Sends a job, runs it, waits for it and lists its queue. */
async function runOneJob(workshop: Workshop): Promise<void> {
  const name = queueName();
  const queue = workshop.broker.queue(name);
  const job = newJob({ args: ['hello'] });
  const probe = await workshop.consume([name, `${name}-other`], { broker: await workshop.openBroker() });
  await queue.addBulk([job, ...newJobs(3, { delayMs: 60_000 })]);
  const finished = queue.waitUntilFinished(job.id);
  expect(await probe.taken.next()).toMatchObject({ id: job.id, args: ['hello'] });
  expect(await finished).toBe(true);
  expect(await queue.readJob(job.id)).toMatchObject({ state: 'SUCCESS' });
  expect(await workshop.broker.listQueues()).toContain(name);
  expect(await queue.status(Date.now())).toMatchObject({ completed: 1, scheduled: 3, consumers: 1 });
  expect(await queue.purge()).toBe(3);
  await probe.stop();
}

describe.skipIf(!canStartRedis)('a job runs from end to end', () => {
  test('on a Redis with a password, in another database', async () => {
    const server = await startRedis({ password: 'letmein1' });
    stops.push(() => server.stop());
    const workshop = await open(`${server.url}/5`);
    expect(workshop.broker.url).toBe(`redis://:***@127.0.0.1:${server.port}/5`);
    await runOneJob(workshop);
    const client = new Redis(server.port, { password: 'letmein1' });
    stops.push(() => client.disconnect());
    expect(await client.info('keyspace')).toMatch(/^db5:keys=/m);
    expect(await client.info('keyspace')).not.toMatch(/^db0:/m);
  });

  test('on a Redis with TLS and a password, whose authority ?ca= gives', async () => {
    const server = await startRedis({ tls: true, password: 'letmein1' });
    stops.push(() => server.stop());
    await runOneJob(await open(server.url));
  });

  test('on a Redis behind a sentinel', async () => {
    const sentinel = await startRedisSentinel({ password: 'letmein1' });
    stops.push(() => sentinel.stop());
    await runOneJob(await open(sentinel.url));
  });

  test('on a cluster, where all keys of the queues lie in one slot', async () => {
    const server = await startRedis({ cluster: true });
    stops.push(() => server.stop());
    await runOneJob(await open(server.url));
    expect(await server.ask('KEYS {bull}:*')).toContain('{bull}:');
  });
});

test.skipIf(!canStartRedis)('a sentinel that does not know the master is unavailable and names the cause', async () => {
  const sentinel = await startRedisSentinel();
  stops.push(() => sentinel.stop());
  await expect(openWorkshop('redis', sentinel.url.replace(sentinel.masterName, 'other'))).rejects.toMatchObject({
    code: 'BROKER_UNAVAILABLE',
    next: expect.stringContaining('master'),
  });
});

test.skipIf(!canStartRedis)(
  'a cluster whose node dies and comes back loses no job, and a short patience is kept',
  async () => {
    const server = await startRedis({ cluster: true, persistent: true });
    stops.push(() => server.stop());
    const workshop = await open(server.url);
    const [name, other] = [queueName(), queueName()];
    const probe = await workshop.consume([name, other], { broker: await workshop.openBroker() });
    const impatient = (await workshop.openBroker(server.url, { patienceMs: 300 })).queue(name);
    await impatient.add(newJob());
    await probe.taken.next();
    await probe.settled();
    await server.stop('SIGKILL');
    await expect(impatient.add(newJob())).rejects.toMatchObject({ code: 'BROKER_UNAVAILABLE' });
    const job = newJob();
    const adding = workshop.broker.queue(name).add(job);
    await server.restart();
    await adding;
    expect(await probe.taken.next()).toMatchObject({ id: job.id });
  },
);

test.skipIf(!canStartRedis)('listening takes one connection for all queues, and gives it back', async () => {
  const server = await startRedis();
  stops.push(() => server.stop());
  const workshop = await open(server.url);
  for (let index = 0; index < 5; index += 1) await workshop.broker.queue(queueName()).add(newJob());
  await workshop.broker.control.listNodes();
  const { client } = connectTo(server.url);
  const count = async (): Promise<number> =>
    String(await client.client('LIST'))
      .trim()
      .split('\n').length;
  const before = await count();
  const stream = streamEvents(workshop.broker, systemClock, { since: 1 });
  for (let index = 0; index < 10; index += 1) await stream.next();
  expect(await count()).toBe(before + 1);
  await stream.return();
  await waitFor('the connection to be gone', async () => (await count()) === before);
});

test.skipIf(!canStartRedis)('queues of a cluster that lie in several slots are listened to together', async () => {
  const server = await startRedis({ cluster: true });
  stops.push(() => server.stop());
  const workshop = await open(`${server.url}?prefix=apart`);
  const [first, second] = ['{a}', '{b}'].map((name) => workshop.broker.queue(name)) as [BrokerQueue, BrokerQueue];
  await first.add(newJob({ task: 'first' }));
  await second.add(newJob({ task: 'second' }));
  const stream = streamEvents(workshop.broker, systemClock, { since: 1, matches: ({ type }) => type === 'sent' });
  const next = async (): Promise<string | null | undefined> => ((await stream.next()).value as Event).task;
  expect([await next(), await next()].toSorted()).toEqual(['first', 'second']);
  for (const queue of [second, first, second]) {
    await queue.add(newJob({ task: `later in ${queue.name}` }));
    expect(await next()).toBe(`later in ${queue.name}`);
  }
  await stream.return();
});

describe.skipIf(!redisUrl)('on Redis', () => {
  test('reading writes nothing', async () => {
    const url = createRedisUrl();
    const { client, prefix } = connectTo(url);
    const workshop = await open(url);
    const [filled, empty] = [queueName(), queueName()];
    const queue = workshop.broker.queue(filled);
    await queue.enablePriorities();
    const jobs = [newJob(), newJob({ priority: 3 }), newJob({ delayMs: 60_000 })];
    await queue.addBulk(jobs);
    await workshop.plainQueue(filled).add('plain', {});
    const dump = async (): Promise<unknown> => {
      const keys = (await client.keys(`${prefix}*`)).toSorted();
      return Promise.all(
        keys.map(async (key) => [key, (await client.dumpBuffer(key)).toString('hex'), await client.pttl(key)]),
      );
    };
    const before = await dump();
    const reader = await workshop.openBroker();
    for (const name of [filled, empty]) {
      const read = reader.queue(name);
      await read.status(Date.now());
      await read.counts();
      await read.listScheduled(0, 10);
      await read.hasPriorities(true);
      for (const { id } of jobs) {
        await read.readJob(id);
        await read.readLog(id);
        await read.waitUntilFinished(id, 1);
      }
    }
    await reader.listQueues();
    await reader.describe();
    const stream = streamEvents(reader, systemClock, { since: 1 });
    expect((await stream.next()).value).toMatchObject({ type: 'sent' });
    await stream.return();
    await reader.close();
    expect(await dump()).toEqual(before);
  });

  test('a hundred waits block on one connection of their queue', async () => {
    const url = createRedisUrl();
    const { client } = connectTo(url);
    const workshop = await open(url);
    const queue = workshop.broker.queue(queueName());
    const jobs = newJobs(100);
    await queue.addBulk(jobs);
    const waits = jobs.map(({ id }) => queue.waitUntilFinished(id));
    const suffix = `${Buffer.from(queue.name).toString('base64')}:qe`;
    const readers = async (): Promise<number> =>
      String(await client.client('LIST'))
        .split('\n')
        .filter((line) => line.includes(suffix)).length;
    await waitFor('the event reader to be connected', readers);
    expect(await readers()).toBe(1);
    await workshop.consume(queue.name, { concurrency: 10 });
    await Promise.all(waits);
    expect(await readers()).toBe(1);
  });

  test('a batch is one pipeline: a hundred jobs cost a hundred script calls and no more', async () => {
    const url = createRedisUrl();
    const { client, prefix } = connectTo(url);
    const monitor = await client.monitor();
    stops.push(() => monitor.disconnect());
    const workshop = await open(url);
    const queue = workshop.broker.queue(queueName());
    await queue.add(newJob());
    let commands: string[] = [];
    let marked = Promise.withResolvers<void>();
    monitor.on('monitor', (_time: string, args: string[], source: string) => {
      if (source === 'lua' || !args.some((arg) => arg.startsWith(`${prefix}:${queue.name}`))) return;
      if (args.includes('a mark of the test')) marked.resolve();
      else commands.push(args[0]?.toLowerCase() ?? '');
    });
    /** Resolves when the monitor has told everything up to now. */
    const hearAll = async (): Promise<void> => {
      marked = Promise.withResolvers();
      await client.hget(`${prefix}:${queue.name}:meta`, 'a mark of the test');
      await marked.promise;
    };
    await hearAll();
    commands = [];
    await queue.addBulk(newJobs(100));
    await hearAll();
    expect(commands).toEqual(Array(100).fill('evalsha'));
  });

  test('data that is not JSON reaches perform as unreadable, and ends as a dead letter with its raw text', async () => {
    const url = createRedisUrl();
    const { client, prefix } = connectTo(url);
    const workshop = await open(url);
    const queue = workshop.broker.queue(queueName());
    const [broken, fine] = [newJob(), newJob()];
    await queue.addBulk([broken, fine]);
    await client.hset(`${prefix}:${queue.name}:${broken.id}`, 'data', 'oops{"\u001b[31m');
    const listed = await queue.readJob(broken.id);
    expect(listed).toMatchObject({
      state: 'PENDING',
      args: ['oops{"\u001b[31m'],
      unreadable: expect.stringMatching(/JSON/),
    });
    const probe = await workshop.consume(queue.name, {
      perform: ({ unreadable }) =>
        unreadable === null
          ? SUCCEEDED
          : {
              kind: 'dead',
              error: { name: 'InvalidPayload', message: unreadable, code: 'INVALID_PAYLOAD', stack: null },
            },
    });
    const [taken, next] = await probe.taken.take(2);
    expect(taken).toMatchObject({
      id: broken.id,
      args: ['oops{"\u001b[31m'],
      unreadable: expect.stringMatching(/JSON/),
    });
    expect(next).toMatchObject({ id: fine.id, unreadable: null });
    await probe.settled();
    expect(await queue.readJob(broken.id)).toMatchObject({
      state: 'FAILURE',
      args: ['oops{"\u001b[31m'],
      error: { name: 'InvalidPayload', code: 'INVALID_PAYLOAD' },
    });
    expect(await queue.counts()).toMatchObject({ dead: 1, completed: 1, active: 0 });
    expect(await client.hget(`${prefix}:${queue.name}:${broken.id}`, 'data')).toBe('oops{"\u001b[31m');
  });

  test('a job that is retried although its data is not JSON keeps its raw text', async () => {
    const url = createRedisUrl();
    const { client, prefix } = connectTo(url);
    const workshop = await open(url);
    const queue = workshop.broker.queue(queueName());
    const broken = newJob();
    await queue.add(broken);
    await client.hset(`${prefix}:${queue.name}:${broken.id}`, 'data', '{');
    const error = { name: 'Error', message: 'no', code: null, stack: null };
    const probe = await workshop.consume(queue.name, {
      perform: ({ attempts }) => (attempts === 1 ? { kind: 'retry', delayMs: 0, error } : SUCCEEDED),
    });
    const taken = await probe.taken.take(2);
    expect(taken.map(({ args }) => args)).toEqual([['{'], ['{']]);
    await probe.settled();
    expect(await client.hget(`${prefix}:${queue.name}:${broken.id}`, 'data')).toBe('{');
  });

  test('jobs that BullMQ 5 left in the list of a paused queue are counted and purged', async () => {
    const url = createRedisUrl();
    const { client, prefix } = connectTo(url);
    const workshop = await open(url);
    const queue = workshop.broker.queue(queueName());
    await queue.addBulk(newJobs(3));
    await client.rename(`${prefix}:${queue.name}:wait`, `${prefix}:${queue.name}:paused`);
    expect(await queue.counts()).toMatchObject({ waiting: 3 });
    expect(await queue.purge()).toBe(3);
    expect(await queue.counts()).toMatchObject({ waiting: 0 });
  });

  test('queues are found under their own prefix only, also one with the characters of a pattern', async () => {
    const url = createRedisUrl();
    const { prefix } = connectTo(url);
    const withPrefix = (own: string): string => {
      const parts = new URL(url);
      parts.searchParams.set('prefix', own);
      return parts.href;
    };
    const [plain, odd] = [await open(withPrefix(`${prefix}-x`)), await open(withPrefix(`${prefix}-[a]*?x`))];
    await plain.broker.queue('one').add(newJob());
    await odd.broker.queue('two').add(newJob());
    expect(await plain.broker.listQueues()).toEqual(['one']);
    expect(await odd.broker.listQueues()).toEqual(['two']);
  });
});

test.skipIf(!canStartRedis)('reading a job does not read the list that it waits in', async () => {
  const server = await startRedis();
  stops.push(() => server.stop());
  const workshop = await open(server.url);
  const queue = workshop.broker.queue(queueName());
  const jobs = newJobs(3);
  await queue.addBulk(jobs);
  const client = new Redis(server.port);
  stops.push(() => client.disconnect());
  await client.config('RESETSTAT');
  for (const { id } of jobs) expect(await queue.readJob(id)).toMatchObject({ state: 'PENDING' });
  expect(await client.info('commandstats')).not.toContain('cmdstat_lrange');
});
