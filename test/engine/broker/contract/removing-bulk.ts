import { expect } from 'vitest';
import { BULK_PAGE, type ScanPlace } from '../../../../src/engine/broker/bulk-port.ts';
import type { Outcome } from '../../../../src/engine/core/job.ts';
import { newJob, newJobs, queueName, SUCCEEDED, type Workshop } from '../workshop.ts';
import { byTask, createFamily, statesOf } from './family.ts';
import { defineRule, type Subject } from './rule.ts';

const HOUR_MS = 3_600_000;
const ALL: readonly ScanPlace[] = ['waiting', 'active', 'scheduled', 'blocked', 'dead', 'completed'];
const EMPTY = { waiting: 0, active: 0, scheduled: 0, blocked: 0, dead: 0, completed: 0 };

/** A queue with two jobs in each place that a job without children can be in, by the name of the place. */
async function fill(workshop: Workshop) {
  const { broker, consume } = workshop;
  const queue = broker.queue(queueName());
  await queue.enablePriorities();
  const places = {
    completed: newJobs(2),
    dead: newJobs(2, { task: 'die' }),
    waiting: newJobs(2),
    prioritized: newJobs(2, { priority: 3 }),
    scheduled: newJobs(2, { delayMs: HOUR_MS }),
  };
  await queue.addBulk([...places.completed, ...places.dead]);
  const probe = await consume(queue.name, {
    async perform(job) {
      await job.log('at work');
      return byTask(job);
    },
  });
  await probe.taken.take(4);
  await probe.settled();
  await probe.stop();
  await queue.addBulk([...places.waiting, ...places.prioritized, ...places.scheduled]);
  return { queue, places };
}

export const removingBulk: Subject = {
  subject: 'removing many',
  rules: [
    defineRule('a job is removed from every place, with its log, and the others stay', async (workshop) => {
      const { queue, places } = await fill(workshop);
      const pairs = Object.values(places);
      const [gone, kept] = [0, 1].map((at) => pairs.map((pair) => pair[at]?.id ?? '')) as [string[], string[]];
      expect((await queue.bulk.remove(gone, ALL)).toSorted()).toEqual(gone.toSorted());
      expect(await Promise.all(gone.map((id) => queue.readJob(id)))).toEqual(gone.map(() => undefined));
      expect(await Promise.all(gone.map((id) => queue.readLog(id)))).toEqual(gone.map(() => []));
      expect((await queue.bulk.readRecords(kept)).map(({ id }) => id)).toEqual(kept);
      expect(await queue.readLog(kept[0] as string)).toEqual(['at work']);
      expect(await queue.counts()).toEqual({ ...EMPTY, waiting: 2, scheduled: 1, dead: 1, completed: 1 });
    }),

    defineRule('only jobs of the places that the caller names are removed', async (workshop) => {
      const { queue, places } = await fill(workshop);
      const ids = Object.values(places).flatMap((jobs) => jobs.map(({ id }) => id));
      const of = (jobs: readonly { id: string }[]): string[] => jobs.map(({ id }) => id).toSorted();
      for (const place of ['scheduled', 'dead', 'completed'] as const) {
        expect((await queue.bulk.remove(ids, [place])).toSorted()).toEqual(of(places[place]));
      }
      expect(await queue.bulk.remove(ids, ['scheduled', 'active', 'blocked', 'dead'])).toEqual([]);
      expect((await queue.bulk.remove(ids, ['waiting'])).toSorted()).toEqual(
        of([...places.waiting, ...places.prioritized]),
      );
      expect(await queue.counts()).toEqual(EMPTY);
    }),

    defineRule('what is not there or is named twice is no job of its own', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const job = newJob();
      expect(await queue.bulk.remove([], ALL)).toEqual([]);
      expect(await queue.bulk.remove([job.id], ALL)).toEqual([]);
      await queue.add(job);
      expect(await queue.bulk.remove(['wait', 'meta', job.id, 'nobody', job.id], ALL)).toEqual([job.id]);
      expect(await queue.counts()).toEqual(EMPTY);
    }),

    defineRule('a job that runs is not removed, whatever the caller has seen', async ({ broker, consume, gate }) => {
      const queue = broker.queue(queueName());
      const [running, next] = [newJob(), newJob()];
      await queue.addBulk([running, next]);
      const hold = gate<Outcome>();
      const probe = await consume(queue.name, { perform: ({ id }) => (id === running.id ? hold.promise : SUCCEEDED) });
      await probe.taken.next();
      expect(await queue.bulk.remove([running.id, next.id], ALL)).toEqual([next.id]);
      hold.resolve({ kind: 'succeeded', result: 1 });
      await probe.settled();
      expect(await queue.readJob(running.id)).toMatchObject({ state: 'SUCCESS', result: 1 });
    }),

    defineRule('what has left the place where the caller saw it stays', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      const [done, dead, later] = [newJob(), newJob({ task: 'die' }), newJob({ delayMs: HOUR_MS })];
      await queue.addBulk([done, dead, later]);
      const probe = await consume(queue.name, { perform: byTask });
      await probe.taken.take(2);
      await probe.settled();
      await probe.stop();
      await queue.promoteToHead([later.id]);
      expect(await queue.bulk.remove([done.id, dead.id], ['waiting'])).toEqual([]);
      expect(await queue.bulk.remove([later.id], ['scheduled'])).toEqual([]);
      expect(await queue.reprocess(dead.id)).toBe(true);
      expect(await queue.bulk.remove([dead.id], ['dead'])).toEqual([]);
      expect(await statesOf(queue, [done, dead, later])).toEqual(['SUCCESS', 'PENDING', 'PENDING']);
    }),

    defineRule('those that stay run in the order in which they were added', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      const jobs = newJobs(60);
      await queue.addBulk(jobs);
      const ids = jobs.map(({ id }) => id);
      const gone = ids.filter((_, at) => at < 3 || at > 56 || at % 7 === 0);
      expect(await queue.bulk.remove(gone, ['waiting'])).toHaveLength(gone.length);
      const kept = ids.filter((id) => !gone.includes(id));
      const probe = await consume(queue.name);
      expect((await probe.taken.take(kept.length)).map(({ id }) => id)).toEqual(kept);
    }),

    defineRule('pages of a long queue go from its begin, its middle and its end', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const ids: string[] = [];
      for (let batch = 0; batch < 5; batch += 1) ids.push(...(await queue.addBulk(newJobs(1000))));
      const pages = [0, 2250, 4500].map((at) => ids.slice(at, at + BULK_PAGE));
      const sparse = ids.filter((_, at) => at % 50 === 33 && !pages.flat().includes(ids[at] as string));
      let left = ids.length;
      for (const page of [...pages, sparse]) {
        expect((await queue.bulk.remove(page, ['waiting'])).toSorted()).toEqual(page.toSorted());
        left -= page.length;
        expect(await queue.counts()).toMatchObject({ waiting: left });
      }
    }),

    defineRule('of two who remove the same jobs one removes each', async ({ broker, openBroker }) => {
      const queue = broker.queue(queueName());
      const other = (await openBroker()).queue(queue.name);
      const jobs = newJobs(200);
      await queue.addBulk(jobs);
      const ids = jobs.map(({ id }) => id);
      const answers = await Promise.all([
        queue.bulk.remove(ids, ['waiting']),
        other.bulk.remove(ids.toReversed(), ['waiting']),
        queue.bulk.remove(ids.slice(50), ['waiting']),
      ]);
      expect(answers.flat().toSorted()).toEqual(ids.toSorted());
      expect(await queue.counts()).toEqual(EMPTY);
    }),

    defineRule('jobs that a worker takes meanwhile are removed or run, and never both', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      const jobs = newJobs(300);
      await queue.addBulk(jobs);
      const ids = jobs.map(({ id }) => id);
      const probe = await consume(queue.name, { concurrency: 4 });
      await probe.taken.next();
      const removed: string[] = [];
      for (let at = 0; at < ids.length; at += 50) {
        removed.push(...(await queue.bulk.remove(ids.slice(at, at + 50).toReversed(), ['waiting'])));
      }
      if (probe.consumer.held > 0) await probe.settled();
      await probe.stop();
      const ran = probe.taken.all.map(({ id }) => id);
      expect([...ran, ...removed].toSorted()).toEqual(ids.toSorted());
      expect(await queue.counts()).toEqual({ ...EMPTY, completed: ran.length });
    }),

    defineRule('the unique key of a removed job is free, and that of another one is not', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const [old, timed] = [newJob({ unique: { key: 'a' } }), newJob({ unique: { key: 't', ttlMs: HOUR_MS } })];
      await queue.addBulk([old, timed]);
      await queue.revoke([old.id], { at: 1, by: null });
      const holder = newJob({ unique: { key: 'a' } });
      expect(await queue.add(holder)).toBe(holder.id);
      expect(await queue.bulk.remove([old.id, timed.id], ['waiting'])).toEqual([old.id, timed.id]);
      expect(await queue.add(newJob({ unique: { key: 'a' } }))).toBe(holder.id);
      const next = newJob({ unique: { key: 't', ttlMs: HOUR_MS } });
      expect(await queue.add(next)).toBe(next.id);
    }),

    defineRule('a parent goes on when the last child that it waits for is removed', async (workshop) => {
      const { broker, consume } = workshop;
      const { queue, parent, children, jobs } = createFamily(broker, [{}, { delayMs: HOUR_MS }, { args: [3] }]);
      const [one = newJob(), later = newJob(), two = newJob()] = children;
      await broker.addFlow(jobs);
      expect(await queue.bulk.remove([one.id], ['waiting'])).toEqual([one.id]);
      expect(await queue.readChildren(parent.id)).toMatchObject({ pending: 2 });
      const probe = await consume(queue.name, { perform: byTask });
      expect(await probe.taken.next()).toMatchObject({ id: two.id });
      await probe.settled();
      expect(await statesOf(queue, [parent])).toEqual(['BLOCKED']);
      expect(await queue.bulk.remove([later.id], ['scheduled'])).toEqual([later.id]);
      expect(await probe.taken.next()).toMatchObject({ id: parent.id });
      await probe.settled();
      expect(await queue.counts()).toEqual({ ...EMPTY, completed: 2 });
    }),

    defineRule(
      'a parent goes with its children, wherever they stand on the page, and does not run',
      async (workshop) => {
        const { broker, consume } = workshop;
        const { queue, parent, children, jobs } = createFamily(broker, [{}, { delayMs: HOUR_MS }]);
        await broker.addFlow(jobs);
        const others = newJobs(BULK_PAGE - 3);
        await queue.addBulk(others);
        const ids = [parent, ...others, ...children].map(({ id }) => id);
        expect((await queue.bulk.remove(ids, ['waiting', 'scheduled', 'blocked'])).toSorted()).toEqual(ids.toSorted());
        expect(await queue.counts()).toEqual(EMPTY);
        const after = newJob();
        await queue.add(after);
        const probe = await consume(queue.name);
        expect(await probe.taken.next()).toMatchObject({ id: after.id });
      },
    ),

    defineRule('a parent in another queue goes on too, and so do its ancestors', async ({ broker, consume }) => {
      const [queue, home] = [broker.queue(queueName()), broker.queue(queueName())];
      const top = newJob({ task: 'top' });
      const parent = newJob({ task: 'parent', parent: { queue: home.name, id: top.id, onDead: 'wait' } });
      const child = newJob({ parent: { queue: home.name, id: parent.id, onDead: 'wait' } });
      await broker.addFlow([
        { queue: home.name, job: top, hasChildren: true },
        { queue: home.name, job: parent, hasChildren: true },
        { queue: queue.name, job: child, hasChildren: false },
      ]);
      expect(await queue.bulk.remove([child.id], ALL)).toEqual([child.id]);
      expect(await statesOf(home, [parent, top])).toEqual(['PENDING', 'BLOCKED']);
      expect(await home.bulk.remove([parent.id], ['waiting'])).toEqual([parent.id]);
      const probe = await consume(home.name);
      expect(await probe.taken.next()).toMatchObject({ id: top.id });
    }),

    defineRule('a job that ends a schedule entry stays, and others of the entry go', async (workshop) => {
      const { broker, consume, plainQueue } = workshop;
      const queue = broker.queue(queueName());
      const plain = plainQueue(queue.name);
      const first = await plain.upsertJobScheduler('entry', { every: HOUR_MS }, { name: 'tick' });
      const probe = await consume(queue.name);
      expect(await probe.taken.next()).toMatchObject({ id: first?.id });
      await probe.settled();
      await probe.stop();
      const next = (await plain.getDelayed()).map(({ id }) => id as string);
      expect(next).toHaveLength(1);
      expect(await queue.bulk.remove([...next, first?.id as string], ALL)).toEqual([first?.id]);
      expect(await queue.counts()).toEqual({ ...EMPTY, scheduled: 1 });
    }),

    defineRule('jobs of plain BullMQ are removed, also from a paused queue, which stays paused', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const plain = workshop.plainQueue(queue.name);
      await plain.pause();
      const added = await Promise.all([plain.add('a', 1), plain.add('b', 2, { priority: 7 }), plain.add('c', 3)]);
      const ids = added.map(({ id }) => id as string);
      expect((await queue.bulk.remove(ids.slice(0, 2), ['waiting'])).toSorted()).toEqual(ids.slice(0, 2).toSorted());
      expect(await queue.status(0)).toMatchObject({ waiting: 1, paused: true });
      expect((await plain.getJob(ids[2] as string))?.data).toBe(3);
    }),
  ],
};
