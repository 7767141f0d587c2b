import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BULK_PAGE, type BulkJobs } from '../../../../src/engine/broker/bulk-port.ts';
import type { BrokerQueue } from '../../../../src/engine/broker/port.ts';
import type { NewJob } from '../../../../src/engine/core/job.ts';
import type { JobRecord } from '../../../../src/engine/core/job-record.ts';
import { createRedisUrl, testServers } from '../../../support/brokers.ts';
import { startRedis } from '../../../support/redis-server.ts';
import { byTask, createFamily, statesOf } from '../contract/family.ts';
import { newJob, newJobs, openWorkshop, queueName, SUCCEEDED, type Workshop } from '../workshop.ts';

const HOUR_MS = 3_600_000;
const NOW = Date.now();

describe.skipIf(testServers().redisUrl === null)('many jobs at once on Redis', () => {
  let workshop: Workshop;
  let client: Redis;
  let prefix: string;
  let queue: BrokerQueue;
  let bulk: BulkJobs;
  beforeEach(async () => {
    const url = createRedisUrl();
    workshop = await openWorkshop('redis', url);
    const parts = new URL(url);
    prefix = parts.searchParams.get('prefix') ?? 'bull';
    parts.search = '';
    client = new Redis(parts.href);
    queue = workshop.broker.queue(queueName());
    bulk = queue.bulk;
  });
  afterEach(async () => {
    client.disconnect();
    await workshop.close();
  });

  /** The ids that wait, the first to run first. */
  const listWaiting = async (): Promise<string[]> =>
    (await client.lrange(`${prefix}:${queue.name}:wait`, 0, -1)).reverse();

  /** All keys of the queue but the event log, with what they hold. */
  async function dump(): Promise<Record<string, unknown>> {
    const keys = (await client.keys(`${prefix}:${queue.name}:*`)).filter(
      (key) => !/:(events|marker|pc|id|stalled-check)$/.test(key),
    );
    const entries = keys.sort().map(async (key) => [key, await readKey(key)]);
    return Object.fromEntries(await Promise.all(entries));
  }

  async function readKey(key: string): Promise<unknown> {
    switch (await client.type(key)) {
      case 'hash':
        return client.hgetall(key);
      case 'list':
        return client.lrange(key, 0, -1);
      case 'set':
        return (await client.smembers(key)).sort();
      case 'zset':
        // The scores of those with a priority count arrivals.
        return key.endsWith(':prioritized')
          ? client.zrange(key, '0', '-1')
          : client.zrange(key, '0', '-1', 'WITHSCORES');
      default:
        return client.get(key);
    }
  }

  async function readAll(ids: readonly string[]): Promise<JobRecord[]> {
    const records = await bulk.readRecords(ids);
    expect(records.map(({ id }) => id)).toEqual(ids);
    return records;
  }

  const PLACES = ['waiting', 'scheduled', 'blocked', 'dead', 'completed'] as const;

  test('what is removed and restored is key for key what it was', async () => {
    await queue.enablePriorities();
    const done = [newJob({ task: 'fine' }), newJob({ task: 'die', unique: { key: 'dead' } })];
    await queue.addBulk(done);
    const probe = await workshop.consume(queue.name, { perform: byTask });
    await probe.taken.take(2);
    await probe.settled();
    await probe.stop();
    const waiting = [
      newJob({ args: ['€'] }),
      newJob({ priority: 3 }),
      newJob({ priority: 3 }),
      newJob({ priority: 9 }),
      newJob({ unique: { key: 'held' } }),
      newJob({ ignoreResult: true }),
    ];
    const later = newJobs(3, { delayMs: HOUR_MS, createdAt: NOW });
    await queue.addBulk([...waiting, ...later]);
    await client.rpush(`${prefix}:${queue.name}:${waiting[0]?.id}:logs`, 'one', 'two');
    const before = await dump();
    const ids = [...done, ...waiting, ...later].map(({ id }) => id);
    const records = await readAll(ids);
    expect(records.map(({ place }) => place)).toEqual([
      'completed',
      'dead',
      ...waiting.map(() => 'waiting'),
      ...later.map(() => 'scheduled'),
    ]);
    expect((await bulk.remove(ids, PLACES)).length).toBe(ids.length);
    expect(Object.keys(await dump())).toEqual([`${prefix}:${queue.name}:meta`]);
    expect(await bulk.restore(records)).toEqual(ids.map((id) => ({ id, kind: 'restored' })));
    expect(await dump()).toEqual(before);
    expect(await bulk.restore(records)).toEqual(ids.map((id) => ({ id, kind: 'present' })));
    expect(await dump()).toEqual(before);
    expect(await queue.add(newJob({ unique: { key: 'held' } }))).toBe(waiting[4]?.id);
  });

  test('a family that is removed and restored is key for key what it was, whoever comes first', async () => {
    const family = createFamily(workshop.broker, [{}, { delayMs: HOUR_MS }, { task: 'die' }]);
    ({ queue } = family);
    ({ bulk } = queue);
    await workshop.broker.addFlow(family.jobs);
    const probe = await workshop.consume(queue.name, { perform: byTask });
    await probe.taken.take(2);
    await probe.settled();
    await probe.stop();
    const before = await dump();
    const ids = [family.parent, ...family.children].map(({ id }) => id);
    for (const order of [ids, ids.toReversed()]) {
      const records = await readAll(ids);
      expect((await bulk.remove(ids, PLACES)).sort()).toEqual(ids.toSorted());
      for (const id of order) {
        const own = records.filter((record) => record.id === id);
        expect(await bulk.restore(own)).toEqual([{ id, kind: 'restored' }]);
      }
      expect(await dump()).toEqual(before);
    }
  });

  test('a child whose parent has gone on is refused, and one whose parent still waits is waited for again', async () => {
    const family = createFamily(workshop.broker, [{}, {}]);
    ({ queue } = family);
    ({ bulk } = queue);
    await workshop.broker.addFlow(family.jobs);
    const [one = newJob(), two = newJob()] = family.children;
    const records = await readAll([one.id, two.id]);
    expect(await bulk.remove([one.id], ['waiting'])).toEqual([one.id]);
    expect((await queue.readChildren(family.parent.id)).pending).toBe(1);
    expect(await bulk.restore(records.slice(0, 1))).toEqual([{ id: one.id, kind: 'restored' }]);
    expect((await queue.readChildren(family.parent.id)).pending).toBe(2);
    expect(await bulk.remove([one.id, two.id], ['waiting'])).toEqual([one.id, two.id]);
    expect(await statesOf(queue, [family.parent])).toEqual(['PENDING']);
    const reason = `its parent, job ${family.parent.id} of queue "${queue.name}", has gone on without it`;
    expect(await bulk.restore(records)).toEqual(records.map(({ id }) => ({ id, kind: 'refused', reason })));
    expect(await listWaiting()).toEqual([family.parent.id]);
  });

  test('a parent goes with its child, also when that stands deep in a long queue', async () => {
    const family = createFamily(workshop.broker, [{}]);
    ({ queue } = family);
    ({ bulk } = queue);
    const fill = async (): Promise<void> => {
      for (let batch = 0; batch < 3; batch += 1) await queue.addBulk(newJobs(500));
    };
    await fill();
    await workshop.broker.addFlow(family.jobs);
    await fill();
    const ids = [family.parent, ...family.children].map(({ id }) => id);
    expect(await bulk.remove(ids, PLACES)).toEqual(ids);
    expect(await queue.counts()).toMatchObject({ waiting: 3000, blocked: 0 });
  });

  test.each([
    ['a short queue', 30],
    ['a long queue', 12_000],
  ])('in %s, those that come back stand where they stood, wherever that is', async (_, count) => {
    const jobs = Array.from({ length: count }, (_, at) => newJob({ createdAt: NOW + Math.floor(at / 3) }));
    for (let at = 0; at < count; at += 1000) await queue.addBulk(jobs.slice(at, at + 1000));
    const all = jobs.map(({ id }) => id);
    const groups = [all.slice(0, 5), all.slice(-5), all.slice(count / 2, count / 2 + 9)];
    const sparse = all.filter((_, at) => at % Math.ceil(count / 40) === 7);
    for (const ids of [...groups, sparse]) {
      const records = await readAll(ids);
      expect(await bulk.remove(ids, ['waiting'])).toEqual(ids);
      expect(await listWaiting()).toEqual(all.filter((id) => !ids.includes(id)));
      await bulk.restore(records);
      const back = await listWaiting();
      const times = new Map(jobs.map(({ id, createdAt }) => [id, createdAt]));
      expect(back.map((id) => times.get(id))).toEqual(jobs.map(({ createdAt }) => createdAt));
      expect(back.filter((id) => ids.includes(id))).toEqual(ids);
      await client.del(`${prefix}:${queue.name}:wait`);
      await client.rpush(`${prefix}:${queue.name}:wait`, ...all.toReversed());
    }
  });

  test.each([
    ['without priorities', undefined],
    ['with a priority', 4],
  ])('pages that come back %s stand in front of what was added meanwhile, in their old order', async (_, priority) => {
    if (priority !== undefined) await queue.enablePriorities();
    const create = (count: number, createdAt: number): NewJob[] =>
      newJobs(count, { createdAt, ...(priority !== undefined && { priority }) });
    const jobs = create(2500, NOW - 5000);
    await queue.addBulk(jobs);
    const pages: JobRecord[][] = [];
    for (let at = 0; at < jobs.length; at += BULK_PAGE) {
      const ids = jobs.slice(at, at + BULK_PAGE).map(({ id }) => id);
      pages.push(await readAll(ids));
      expect(await bulk.remove(ids, ['waiting'])).toEqual(ids);
    }
    const fresh = create(40, NOW);
    await queue.addBulk(fresh);
    for (const page of pages) await bulk.restore(page);
    const expected = [...jobs, ...fresh].map(({ id }) => id);
    const found =
      priority === undefined
        ? await listWaiting()
        : await client.zrange(`${prefix}:${queue.name}:prioritized`, '0', '-1');
    expect(found).toEqual(expected);
  });

  test('a restored job wakes a waiting worker, and no worker of a paused queue', async () => {
    const job = newJob();
    await queue.add(job);
    const records = await readAll([job.id]);
    await bulk.remove([job.id], ['waiting']);
    const probe = await workshop.consume(queue.name, { perform: () => SUCCEEDED });
    await probe.settled();
    await bulk.restore(records);
    expect(await probe.taken.next()).toMatchObject({ id: job.id });
    await probe.settled();
    await queue.pause();
    await client.del(`${prefix}:${queue.name}:marker`);
    await bulk.restore(records.map((record) => ({ ...record, id: 'other' })));
    expect(await client.exists(`${prefix}:${queue.name}:marker`)).toBe(0);
  });

  test('records of another kind of store make a queue, and BullMQ numbers its jobs on after them', async () => {
    const plain = workshop.plainQueue(queue.name);
    const record: JobRecord = {
      id: '41',
      task: 'import',
      queue: 'elsewhere',
      place: 'active',
      data: '{"n":12345678901234567890}',
      options: { attempts: 3, deduplication: { id: 'once' } },
      priority: 0,
      createdAt: NOW,
      delayMs: 0,
      dueAt: null,
      attemptsMade: 1,
      attemptsStarted: 2,
      workersLost: 0,
      startedAt: NOW,
      finishedAt: null,
      worker: 'w1',
      failure: 'no',
      stacks: ['Error: no'],
      result: null,
      progress: '{"at":1}',
      deferredFailure: null,
      unique: 'once',
      schedulerId: null,
      parent: null,
      children: [],
      log: ['begun'],
    };
    expect(await bulk.restore([record])).toEqual([{ id: '41', kind: 'restored' }]);
    expect(await readAll(['41'])).toEqual([{ ...record, queue: queue.name, place: 'waiting', hold: { until: null } }]);
    expect((await plain.add('next', {})).id).toBe('42');
    expect(await plain.getDeduplicationJobId('once')).toBe('41');
    expect(await workshop.broker.listQueues()).toContain(queue.name);
  });
});

test.skipIf(!testServers().canStartRedis)('on a cluster, jobs move between queues that share a hash tag', async () => {
  const server = await startRedis({ cluster: true });
  const tagged = await openWorkshop('redis', server.url);
  const apart = await openWorkshop('redis', `${server.url}?prefix=bull`);
  try {
    const jobs = newJobs(3);
    const ids = await tagged.broker.queue('a').addBulk(jobs);
    const [waiting = '', ...others] = ids;
    expect(await tagged.broker.queue('a').bulk.move(ids, 'b', ['waiting'])).toEqual(ids);
    const { bulk } = tagged.broker.queue('b');
    const records = await bulk.readRecords(ids);
    expect(await bulk.remove(others, ['waiting'])).toEqual(others);
    expect((await bulk.restore(records)).map(({ kind }) => kind)).toEqual(['present', 'restored', 'restored']);
    expect(await bulk.rewrite([{ id: waiting, priority: 3 }])).toEqual([waiting]);

    const queue = apart.broker.queue('{a}');
    await queue.addBulk(jobs);
    await expect(queue.bulk.move(ids, '{b}', ['waiting'])).rejects.toMatchObject({ code: 'QUEUES_APART' });
    expect(await queue.bulk.move(ids, '{a}-other', ['waiting'])).toEqual(ids);
  } finally {
    await tagged.close();
    await apart.close();
    await server.stop();
  }
});
