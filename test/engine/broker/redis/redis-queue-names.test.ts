import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseBrokerUrl, type RedisAddress } from '../../../../src/engine/broker/broker-url.ts';
import { BullBroker } from '../../../../src/engine/broker/bull-broker.ts';
import type { Broker } from '../../../../src/engine/broker/port.ts';
import { createRedisStore } from '../../../../src/engine/broker/redis/redis-store.ts';
import { resolveQueues } from '../../../../src/engine/control/known-queues.ts';
import { streamEvents } from '../../../../src/engine/events/event-stream.ts';
import { systemClock } from '../../../../src/engine/runtime/system-clock.ts';
import { testServers } from '../../../support/brokers.ts';
import { type RedisServer, startRedis } from '../../../support/redis-server.ts';
import { snapshotStore } from '../../../support/store-snapshot.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { newJob, newJobs, openWorkshop, type Workshop } from '../workshop.ts';

const KEY = 'bull:$tq:queues';

describe.skipIf(!testServers().canStartRedis)('the names of the queues on Redis', () => {
  let server: RedisServer;
  let client: Redis;
  let workshop: Workshop;
  /** Takes any key space for a large one. */
  let broker: Broker;
  const stops: (() => unknown)[] = [];

  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(async () => {
    await server.stop();
  });
  beforeEach(async () => {
    client = new Redis(server.url);
    stops.push(() => client.disconnect());
    await client.flushall();
    workshop = await openWorkshop('redis', server.url);
    stops.push(() => workshop.close());
    broker = await openLarge();
  });
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });

  async function openLarge(url = server.url, walkedKeys = 0): Promise<Broker> {
    const options = { clock: systemClock, patienceMs: 5000, walkedKeys };
    const store = createRedisStore(url, parseBrokerUrl(url) as RedisAddress, options);
    const opened = new BullBroker(store);
    stops.push(() => opened.close());
    await store.connect('connecting');
    return opened;
  }

  async function walk(by = broker): Promise<void> {
    for await (const tookMs of by.queueNames?.walk() ?? []) expect(tookMs).toBeGreaterThanOrEqual(0);
  }

  /** @returns how often the server was asked for a part of its keys while that was done */
  async function countScans(action: () => Promise<unknown>): Promise<number> {
    await client.config('RESETSTAT');
    await action();
    return Number(/cmdstat_scan:calls=(\d+)/.exec(await client.info('commandstats'))?.[1] ?? 0);
  }

  test('a small key space is walked, so that a queue of plain BullMQ is found at once', async () => {
    const small = await openLarge(server.url, 1000);
    await small.queue('own').add(newJob());
    await walk(small);
    await workshop.plainQueue('plain').add('task', {});
    expect(await countScans(async () => expect(await small.listQueues()).toEqual(['own', 'plain']))).toBe(1);
    expect(await small.queueNames?.isWalkDue()).toBe(false);
  });

  test('a large one is not walked while a walk of it holds', async () => {
    await workshop.plainQueue('plain').add('task', {});
    await workshop.plainQueue('{odd}').add('task', {});
    await workshop.broker.queue('own').add(newJob());
    expect(await broker.queueNames?.isWalkDue()).toBe(true);
    await walk();
    expect(await broker.queueNames?.isWalkDue()).toBe(false);
    const list = async () => expect(await broker.listQueues()).toEqual(['own', 'plain', '{odd}']);
    expect(await countScans(list)).toBe(0);
  });

  test('a large one that no worker has walked lately is walked by the reader, who writes nothing', async () => {
    await workshop.plainQueue('plain').add('task', {});
    await workshop.broker.queue('own').add(newJob());
    for (const marks of [[], ['1', ':due', '2', ':until'], ['9e15', ':due', '9e15', ':until']]) {
      if (marks.length > 0) await client.zadd(KEY, ...marks);
      const before = await snapshotStore('redis', server.url);
      expect(await countScans(async () => expect(await broker.listQueues()).toEqual(['own', 'plain']))).toBe(1);
      expect(await broker.queueNames?.isWalkDue()).toBe(true);
      expect(await snapshotStore('redis', server.url)).toEqual(before);
    }
  });

  const writes: readonly [string, (names: { broker: Broker; workshop: Workshop }) => Promise<unknown>][] = [
    ['adds a job', ({ broker }) => broker.queue('new').add(newJob())],
    ['adds many jobs', ({ broker }) => broker.queue('new').addBulk(newJobs(2))],
    ['adds a flow', ({ broker }) => broker.addFlow([{ queue: 'new', job: newJob(), hasChildren: false }])],
    ['switches priorities on', ({ broker }) => broker.queue('new').enablePriorities()],
    ['pauses it', ({ broker }) => broker.queue('new').pause()],
    [
      'moves jobs into it',
      async ({ broker }) => {
        const job = newJob();
        await broker.queue('old').add(job);
        expect(await broker.queue('old').bulk.move([job.id], 'new', ['waiting'])).toEqual([job.id]);
      },
    ],
    [
      'puts jobs back',
      async ({ broker }) => {
        const job = newJob();
        await broker.queue('old').add(job);
        await broker.queue('new').bulk.restore(await broker.queue('old').bulk.readRecords([job.id]));
      },
    ],
  ];

  test.each(writes)('whoever %s enters its name, so that nobody has to find it', async (_, write) => {
    await walk();
    await write({ broker: workshop.broker, workshop });
    expect(await broker.listQueues()).toContain('new');
  });

  test('a worker enters the names of its queues, also of those that plain BullMQ fills', async () => {
    await walk();
    await workshop.consume(['one', 'two']);
    await waitFor('both names', async () => (await client.zmscore(KEY, 'one', 'two')).every((at) => at !== null));
    expect(await broker.listQueues()).toEqual(['one', 'two']);
  });

  test('a name is entered with the first of many jobs only', async () => {
    const queue = workshop.broker.queue('own');
    await queue.add(newJob());
    await client.zadd(KEY, '5', 'own');
    await queue.add(newJob());
    await queue.addBulk(newJobs(3));
    expect(await client.zscore(KEY, 'own')).toBe('5');
  });

  test('jobs are stored, and queues found, where no name can be entered', async () => {
    await client.set(KEY, 'of somebody else');
    const queue = broker.queue('own');
    await queue.add(newJob());
    await queue.add(newJob());
    expect(await queue.counts()).toMatchObject({ waiting: 2 });
    expect(await broker.listQueues()).toEqual(['own']);
  });

  test('a queue that is gone is not listed', async () => {
    await workshop.broker.queue('own').add(newJob());
    await workshop.plainQueue('plain').add('task', {});
    await walk();
    await workshop.plainQueue('plain').obliterate({ force: true });
    expect(await broker.listQueues()).toEqual(['own']);
  });

  test('one that plain BullMQ made since the last walk is found by its name, by who asks for all, and by the next walk', async () => {
    await walk();
    await workshop.plainQueue('plain').add('task', {});
    expect(await broker.listQueues()).toEqual([]);
    const byName = async () => {
      expect(await broker.listQueues({ among: ['plain', 'other'] })).toEqual(['plain']);
      expect(await resolveQueues(broker, ['plain', 'plain'])).toEqual(['plain']);
    };
    expect(await countScans(byName)).toBe(0);
    expect(await broker.listQueues({ isWhole: true })).toEqual(['plain']);
    await expect(resolveQueues(broker, ['plain', 'plane'])).rejects.toMatchObject({ code: 'UNKNOWN_QUEUE' });
    await walk();
    expect(await broker.listQueues()).toEqual(['plain']);
  });

  test('a queue that holds jobs and was never announced can be asked for', async () => {
    await workshop.broker.queue('own').add(newJob());
    await client.del('bull:own:meta');
    expect(await broker.listQueues({ isWhole: true })).toEqual([]);
    expect(await resolveQueues(broker, ['own'])).toEqual(['own']);
  });

  test('a walk that is not finished writes nothing down', async () => {
    await workshop.plainQueue('plain').add('task', {});
    for await (const _ of broker.queueNames?.walk() ?? []) break;
    expect(await client.exists(KEY)).toBe(0);
  });

  test('a walk whose connection was lost in between fails, and writes nothing down', async () => {
    await workshop.plainQueue('plain').add('task', {});
    const walked = async (): Promise<void> => {
      for await (const _ of broker.queueNames?.walk() ?? []) {
        await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
        await broker.describe();
      }
    };
    await expect(walked()).rejects.toThrow(/lost/);
    expect(await client.exists(KEY)).toBe(0);
  });

  test('each database counts its own keys', async () => {
    await client.mset(Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`foreign-${index}`, 'x'])));
    const here = await openLarge(server.url, 20);
    const there = await openLarge(`${server.url}/3`, 20);
    expect(await here.queueNames?.isWalkDue()).toBe(true);
    expect(await there.queueNames?.isWalkDue()).toBe(false);
    await there.queue('own').add(newJob());
    expect(await there.listQueues()).toEqual(['own']);
    expect(await here.listQueues()).toEqual([]);
  });

  test('names that nobody has entered for long go', async () => {
    await client.zadd(KEY, '5', 'forgotten');
    await workshop.broker.queue('own').add(newJob());
    await waitFor('the name', async () => (await client.zscore(KEY, 'own')) !== null);
    expect(await client.zrange(KEY, '0', '-1')).toEqual(['own']);
  });

  test('they are no queue and no leftover', async () => {
    await broker.queue('own').add(newJob());
    await walk();
    const queues = await broker.listQueues({ isWhole: true });
    expect(queues).toEqual(['own']);
    const { queues: leftovers } = await broker.checkup.listLeftovers([...queues, '$tq']);
    for (const { orphans, strayKeys } of leftovers)
      expect({ orphans, strayKeys }).toEqual({ orphans: [], strayKeys: [] });
  });

  test('the events of a new queue are heard without a walk', async () => {
    await walk();
    const ending = new AbortController();
    stops.push(() => ending.abort());
    const scans = countScans(async () => {
      for await (const event of streamEvents(broker, systemClock, { signal: ending.signal })) {
        if (event.queue === 'new') return;
      }
    });
    await waitFor('the events', async () => {
      await workshop.broker.queue('new').add(newJob());
      return (await Promise.race([scans, Promise.resolve(-1)])) !== -1;
    });
    expect(await scans).toBe(0);
  });
});

test.skipIf(!testServers().canStartRedis)('the queues of a cluster are found and walked on its nodes', async () => {
  const server = await startRedis({ cluster: true });
  const store = createRedisStore(server.url, parseBrokerUrl(server.url) as RedisAddress, {
    clock: systemClock,
    patienceMs: 5000,
    walkedKeys: 0,
  });
  const broker = new BullBroker(store);
  try {
    await store.connect('connecting');
    await broker.queue('one').add(newJob());
    expect(await broker.listQueues()).toEqual(['one']);
    expect(await broker.queueNames?.isWalkDue()).toBe(true);
    for await (const _ of broker.queueNames?.walk() ?? []);
    expect(await broker.queueNames?.isWalkDue()).toBe(false);
    await broker.queue('two').add(newJob());
    expect(await broker.listQueues()).toEqual(['one', 'two']);
    expect(await broker.listQueues({ among: ['two', 'three'] })).toEqual(['two']);
  } finally {
    await broker.close();
    await server.stop();
  }
});
