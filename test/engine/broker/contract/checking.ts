import { expect } from 'vitest';
import { parseSchedule } from '../../../../src/engine/core/schedule/schedule-options.ts';
import { systemClock } from '../../../../src/engine/runtime/system-clock.ts';
import { loseRecord } from '../lost-record.ts';
import { newJob, newJobs, queueName, type Workshop } from '../workshop.ts';
import { defineRule, type Subject } from './rule.ts';

const look = async ({ broker }: Workshop, queue: string) => {
  const { queues, isWhole } = await broker.checkup.listLeftovers([queue]);
  expect(isWhole).toBe(true);
  const [found] = queues;
  if (found === undefined) throw new Error('every queue that is asked for is answered for');
  return found;
};

export const checking: Subject = {
  subject: 'what is left over in a store',
  rules: [
    defineRule('its settings are read, and what is wrong with them is said', async ({ broker, store }) => {
      const findings = await broker.checkup.checkSettings();
      expect(findings.length).toBeGreaterThan(2);
      const failures = findings.filter(({ status }) => status === 'failed').map(({ check }) => check);
      // The PostgreSQL of the tests writes nothing to disk for good.
      expect(failures).toEqual(store === 'postgres' ? ['durability'] : []);
    }),

    defineRule('its clock is that of this machine, or is told', async ({ broker, store }) => {
      const before = Date.now();
      const at = await broker.checkup.readTime();
      if (store === 'sqlite') expect(at).toBeNull();
      // The servers of the tests run here. PostgreSQL's clock is finer than a millisecond.
      else expect(Math.abs((at ?? 0) - before)).toBeLessThan(60_000);
    }),

    defineRule('a queue at work has nothing left over', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const plain = workshop.plainQueue(queue.name);
      await plain.add('held', 1, { deduplication: { id: 'key' } });
      await plain.add('throttled', 1, { deduplication: { id: 'ends', ttl: 60_000 } });
      await plain.add('low', 1, { priority: 3 });
      await plain.add('custom', 1, { jobId: 'a-name', delay: 60_000 });
      await plain.upsertJobScheduler('tick', { every: 60_000 }, { name: 'tick' });
      await queue.addBulk([...newJobs(3), newJob({ delayMs: 60_000 })]);
      const found = await look(workshop, queue.name);
      expect(found).toMatchObject({ queue: queue.name, strayKeys: [], orphans: [] });
      expect(found.schedules).toEqual([
        { id: 'tick', nextAt: expect.any(Number), hasNext: true, isLast: false, isOwn: false },
      ]);
      expect(found.events.bound).toBe(10_000);
      expect(found.events.length).toBeGreaterThan(0);
    }),

    defineRule(
      'a unique key whose job is gone is found and given back; one that ends by itself is not',
      async (workshop) => {
        const name = queueName();
        const plain = workshop.plainQueue(name);
        const { id: gone = '' } = await plain.add('a', 1, { deduplication: { id: 'stray' } });
        const { id: there = '' } = await plain.add('b', 1, { deduplication: { id: 'held' } });
        const { id: ending = '' } = await plain.add('c', 1, { deduplication: { id: 'ends', ttl: 60_000 } });
        for (const id of [gone, ending]) await loseRecord(workshop, name, id);
        const found = await look(workshop, name);
        expect(found.strayKeys).toEqual([{ key: 'stray', holder: gone }]);
        const { checkup } = workshop.broker;
        expect(await checkup.removeLeftovers([found])).toEqual({ keys: 1, orphans: 0, events: 0 });
        expect((await look(workshop, name)).strayKeys).toEqual([]);
        const { id: again } = await plain.add('a', 1, { deduplication: { id: 'stray' } });
        expect(again).not.toBe(gone);
        // What was found is no order to remove: the key is held again.
        expect(await checkup.removeLeftovers([found])).toMatchObject({ keys: 0 });
        expect(await plain.getDeduplicationJobId('stray')).toBe(again);
        expect(await plain.getDeduplicationJobId('held')).toBe(there);
      },
    ),

    defineRule('a schedule entry whose next job is gone has stopped', async (workshop) => {
      const name = queueName();
      const plain = workshop.plainQueue(name);
      const next = await plain.upsertJobScheduler('tick', { every: 60_000 }, { name: 'tick' });
      await loseRecord(workshop, name, next?.id ?? '');
      expect((await look(workshop, name)).schedules).toEqual([
        { id: 'tick', nextAt: expect.any(Number), hasNext: false, isLast: false, isOwn: false },
      ]);
    }),

    defineRule('of an entry of tq it is told whether its next firing is there, and is the last', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const job = { task: 'work', args: [], meta: {} };
      const missed = { policy: 'once', windowMs: null, atMost: 1 } as const;
      for (const [id, maxRuns] of [
        ['goes-on', 2],
        ['ends', 1],
      ] as const) {
        const dueAt = systemClock.now() + 3_600_000;
        const schedule = parseSchedule({ every: '1h', maxRuns }, id);
        await queue.schedules.arm({ id, dueAt, rule: { schedule, missed, overlap: 'allow' }, runsBefore: 0, job });
      }
      const found = (await look(workshop, queue.name)).schedules.toSorted((a, b) => (a.id < b.id ? 1 : -1));
      expect(found).toEqual([
        { id: 'goes-on', nextAt: expect.any(Number), hasNext: true, isLast: false, isOwn: true },
        { id: 'ends', nextAt: expect.any(Number), hasNext: true, isLast: true, isOwn: true },
      ]);
    }),

    defineRule('an event log beyond its bound is cut', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      // SQLite keeps the events of a transaction together, and cuts them so.
      for (let batch = 0; batch < 8; batch += 1) await queue.addBulk(newJobs(50));
      const { events, ...rest } = await look(workshop, queue.name);
      expect(events.length).toBeGreaterThanOrEqual(400);
      const grown = { ...rest, events: { length: events.length, bound: 100 } };
      const { events: removed } = await workshop.broker.checkup.removeLeftovers([grown]);
      expect(removed).toBeGreaterThan(0);
      const left = (await look(workshop, queue.name)).events.length;
      expect(left).toBe(events.length - removed);
      expect(left).toBeGreaterThanOrEqual(100);
      expect(await queue.counts()).toMatchObject({ waiting: 400 });
    }),
  ],
};
