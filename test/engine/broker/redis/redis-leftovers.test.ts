import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openBroker } from '../../../../src/engine/broker/open-broker.ts';
import type { Broker } from '../../../../src/engine/broker/port.ts';
import { systemClock } from '../../../../src/engine/runtime/system-clock.ts';
import { createRedisUrl, testServers } from '../../../support/brokers.ts';
import { newJob, newJobs } from '../workshop.ts';

describe.skipIf(testServers().redisUrl === null)('records of jobs in no list', () => {
  let broker: Broker;
  let client: Redis;
  let base: string;
  beforeEach(async () => {
    const url = createRedisUrl();
    const own = new URL(url);
    base = `${own.searchParams.get('prefix')}:mail`;
    own.search = '';
    client = new Redis(own.href);
    broker = await openBroker(url, { clock: systemClock });
  });
  afterEach(async () => {
    client.disconnect();
    await broker.close();
  });

  const orphan = (id: string) => client.hset(`${base}:${id}`, { name: 'work', data: '{}', timestamp: '1' });

  test('are found and removed with all that belongs to them; jobs in lists and other keys stay', async () => {
    const jobs = [...newJobs(5), newJob({ delayMs: 60_000 })];
    await broker.queue('mail').addBulk(jobs);
    await orphan('lost');
    await client.rpush(`${base}:lost:logs`, 'row');
    await client.hset(`${base}:notes`, { text: 'of somebody else' });
    const { queues } = await broker.checkup.listLeftovers(['mail']);
    expect(queues).toEqual([expect.objectContaining({ orphans: ['lost'] })]);
    const before = (await client.keys(`${base}:*`)).length;
    expect(await broker.checkup.removeLeftovers(queues)).toEqual({ keys: 0, orphans: 1, events: 0 });
    expect((await client.keys(`${base}:*`)).length).toBe(before - 2);
    expect(await client.exists(`${base}:notes`)).toBe(1);
    for (const { id } of jobs) expect(await broker.queue('mail').readJob(id)).toBeDefined();
  });

  test('one that has come back into a list is not removed', async () => {
    await broker.queue('mail').add(newJob());
    await orphan('back');
    const { queues } = await broker.checkup.listLeftovers(['mail']);
    await client.lpush(`${base}:wait`, 'back');
    expect(await broker.checkup.removeLeftovers(queues)).toMatchObject({ orphans: 0 });
    expect(await client.exists(`${base}:back`)).toBe(1);
  });

  test('are not looked for where too many jobs wait', async () => {
    await broker.queue('mail').add(newJob());
    const ids = Array.from({ length: 100_001 }, (_, index) => `x${index}`);
    for (let from = 0; from < ids.length; from += 20_000) {
      await client.rpush(`${base}:wait`, ...ids.slice(from, from + 20_000));
    }
    await orphan('lost');
    const { queues } = await broker.checkup.listLeftovers(['mail']);
    expect(queues).toEqual([expect.objectContaining({ orphans: null, strayKeys: [] })]);
    expect(await broker.checkup.removeLeftovers(queues)).toEqual({ keys: 0, orphans: 0, events: 0 });
  });

  test('looking leaves every key as it is', async () => {
    await broker.queue('mail').addBulk(newJobs(3));
    await orphan('lost');
    const dump = async () => {
      const keys = (await client.keys(`${base}*`)).sort();
      return await Promise.all(keys.map(async (key) => [key, (await client.dumpBuffer(key))?.toString('base64')]));
    };
    const before = await dump();
    await broker.checkup.checkSettings();
    await broker.checkup.listLeftovers(['mail']);
    expect(await dump()).toEqual(before);
  });
});
