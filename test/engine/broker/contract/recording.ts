import { expect } from 'vitest';
import type { ScanPlace } from '../../../../src/engine/broker/bulk-port.ts';
import type { BrokerQueue } from '../../../../src/engine/broker/port.ts';
import type { JobRecord } from '../../../../src/engine/core/job-record.ts';
import { newJob, newJobs, queueName, type Workshop } from '../workshop.ts';
import { byTask, createFamily, DEAD, NO_CHILDREN, statesOf } from './family.ts';
import { comparable, fillQueue } from './filled-queue.ts';
import { defineRule, type Subject } from './rule.ts';

const HOUR_MS = 3_600_000;
const PLACES: readonly ScanPlace[] = ['waiting', 'scheduled', 'blocked', 'dead', 'completed'];
const BASE = Date.parse('2031-05-01T12:00:00Z');
const REVOCATION = { at: BASE, by: 'ada@box' };

/** A record as another kind of broker would have written it. */
function foreignRecord(fields: Partial<JobRecord> = {}): JobRecord {
  return {
    id: `foreign-${Math.random()}`,
    task: 'work',
    queue: 'elsewhere',
    place: 'waiting',
    data: '{"args":[],"meta":{}}',
    options: {},
    priority: 0,
    createdAt: BASE,
    delayMs: 0,
    dueAt: null,
    attemptsMade: 0,
    attemptsStarted: 0,
    workersLost: 0,
    startedAt: null,
    finishedAt: null,
    worker: null,
    failure: null,
    stacks: [],
    result: null,
    progress: null,
    deferredFailure: null,
    unique: null,
    schedulerId: null,
    parent: null,
    children: [],
    log: [],
    ...fields,
  };
}

async function removeAll(queue: BrokerQueue, ids: readonly string[]): Promise<JobRecord[]> {
  const records = await queue.bulk.readRecords(ids);
  expect(records.map(({ id }) => id)).toEqual(ids);
  expect((await queue.bulk.remove(ids, PLACES)).toSorted()).toEqual([...ids].toSorted());
  expect(await queue.bulk.readRecords(ids)).toEqual([]);
  return records;
}

async function restoreAll(queue: BrokerQueue, records: readonly JobRecord[]): Promise<void> {
  expect(await queue.bulk.restore(records)).toEqual(records.map(({ id }) => ({ id, kind: 'restored' })));
}

async function takenIds({ consume }: Pick<Workshop, 'consume'>, queue: BrokerQueue, count: number): Promise<string[]> {
  const probe = await consume(queue.name);
  const taken = await probe.taken.take(count);
  await probe.settled();
  await probe.stop();
  return taken.map(({ id }) => id);
}

async function idsAt(queue: BrokerQueue, place: ScanPlace): Promise<string[]> {
  const ids: string[] = [];
  for await (const page of queue.bulk.scanSummaries({ places: [place] })) ids.push(...page.map(({ id }) => id));
  return ids;
}

export const recording: Subject = {
  subject: 'recording and putting back',
  rules: [
    defineRule('jobs of every end come back as they were', async (workshop) => {
      const { queue, ids } = await fillQueue(workshop);
      const before = await Promise.all(ids.map((id) => queue.readJob(id)));
      const logs = await Promise.all(ids.map((id) => queue.readLog(id)));
      const counts = await queue.counts();
      const records = await removeAll(queue, ids);
      expect(records.map(({ place }) => place)).toEqual([
        ...['completed', 'dead', 'scheduled', 'completed', 'waiting', 'waiting', 'scheduled', 'waiting'],
      ]);
      expect(records[1]).toMatchObject({ attemptsMade: 2, failure: 'cannot read', log: ['turn 0', 'turn 1'] });
      expect(records[2]).toMatchObject({ workersLost: 1 });
      expect(await queue.counts()).toMatchObject({ waiting: 0, scheduled: 0, dead: 0, completed: 0 });
      await restoreAll(queue, records);
      expect(comparable(await queue.bulk.readRecords(ids))).toEqual(comparable(records));
      expect(await Promise.all(ids.map((id) => queue.readJob(id)))).toEqual(before);
      expect(await Promise.all(ids.map((id) => queue.readLog(id)))).toEqual(logs);
      expect(await queue.counts()).toEqual(counts);
    }),

    defineRule('a queue that only jobs which have ended are put into is found by others', async ({ broker }) => {
      const queue = broker.queue(queueName());
      await restoreAll(queue, [foreignRecord({ place: 'completed', finishedAt: BASE, result: '1' })]);
      expect(await broker.listQueues()).toContain(queue.name);
    }),

    defineRule('what is put into a paused queue waits until that goes on', async (workshop) => {
      const { broker, consume } = workshop;
      const [paused, other] = [broker.queue(queueName()), broker.queue(queueName())];
      await paused.pause();
      await restoreAll(paused, [
        foreignRecord({ id: 'a' }),
        foreignRecord({ id: 'b', priority: 3, createdAt: BASE + 1 }),
      ]);
      expect(await paused.status(0)).toMatchObject({ waiting: 2, paused: true });
      const probe = await consume(paused.name);
      // What is taken of another queue meanwhile says that time has passed.
      await other.addBulk(newJobs(20));
      const passing = await consume(other.name);
      await passing.taken.take(20);
      await passing.settled();
      expect(await paused.counts()).toMatchObject({ waiting: 2, active: 0, completed: 0 });
      await paused.resume();
      expect((await probe.taken.take(2)).map(({ id }) => id).toSorted()).toEqual(['a', 'b']);
      await probe.settled();
    }),

    defineRule('a record has only what is there, in the order of the ids', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const [one, other] = [newJob({ args: [1] }), newJob()];
      expect(await queue.bulk.readRecords([one.id])).toEqual([]);
      await queue.addBulk([one, other]);
      const records = await queue.bulk.readRecords([other.id, 'nobody', one.id]);
      expect(records).toMatchObject([
        { id: other.id, task: 'work', queue: queue.name, place: 'waiting', priority: 0, result: null, children: [] },
        { id: one.id, createdAt: one.createdAt, startedAt: null, finishedAt: null, parent: null, log: [], stacks: [] },
      ]);
      expect(JSON.parse(records[1]?.data ?? '')).toEqual({ args: [1], meta: {} });
    }),

    defineRule('what is there is left as it is, and putting back again changes nothing', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const [gone, there] = [newJob({ args: ['old'] }), newJob({ args: ['old'] })];
      await queue.addBulk([gone, there]);
      const records = await queue.bulk.readRecords([gone.id, there.id]);
      await queue.bulk.remove([gone.id, there.id], PLACES);
      await queue.add({ ...there, args: ['new'] });
      const answers = [
        { id: gone.id, kind: 'restored' },
        { id: there.id, kind: 'present' },
      ];
      expect(await queue.bulk.restore(records)).toEqual(answers);
      const counts = await queue.counts();
      expect(await queue.bulk.restore(records)).toEqual(records.map(({ id }) => ({ id, kind: 'present' })));
      expect(await queue.readJob(there.id)).toMatchObject({ args: ['new'] });
      expect(await queue.counts()).toEqual(counts);
      expect(counts).toMatchObject({ waiting: 2 });
    }),

    defineRule('of two records with one id the first counts', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const record = foreignRecord({ data: '{"args":[1],"meta":{}}' });
      const answers = await queue.bulk.restore([record, { ...record, data: '{"args":[2],"meta":{}}' }]);
      expect(answers.map(({ kind }) => kind)).toEqual(['restored', 'present']);
      expect(await queue.readJob(record.id)).toMatchObject({ args: [1] });
      expect(await queue.counts()).toMatchObject({ waiting: 1 });
    }),

    defineRule('in a paused queue a job is put back and waits', async ({ broker }) => {
      const queue = broker.queue(queueName());
      await queue.pause();
      const job = newJob();
      await queue.add(job);
      await restoreAll(queue, await removeAll(queue, [job.id]));
      expect(await queue.readJob(job.id)).toMatchObject({ state: 'PENDING' });
      expect(await queue.status(Date.now())).toMatchObject({ paused: true, waiting: 1 });
    }),

    defineRule('what was first to run is so again, before what was added later', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const jobs = Array.from({ length: 6 }, (_, index) => newJob({ createdAt: BASE + index }));
      await queue.addBulk(jobs);
      const ids = jobs.map(({ id }) => id);
      const records = await removeAll(queue, ids.slice(0, 4));
      const late = newJobs(2, { createdAt: BASE + 100 });
      await queue.addBulk(late);
      // Page by page, and a page in any order.
      await restoreAll(queue, records.slice(0, 2).toReversed());
      await restoreAll(queue, records.slice(2).toReversed());
      expect(await takenIds(workshop, queue, 8)).toEqual([...ids, ...late.map(({ id }) => id)]);
    }),

    defineRule('jobs that are taken out of the middle go back between the others', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const jobs = Array.from({ length: 7 }, (_, index) => newJob({ createdAt: BASE + index }));
      await queue.addBulk(jobs);
      const ids = jobs.map(({ id }) => id);
      await restoreAll(queue, await removeAll(queue, [ids[2], ids[3], ids[5]] as string[]));
      expect(await takenIds(workshop, queue, 7)).toEqual(ids);
    }),

    defineRule('records without ranks go by their time, also between jobs that wait already', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const there = [10, 20, 30, 40].map((at) => newJob({ id: `there-${at}-${queue.name}`, createdAt: BASE + at }));
      await queue.addBulk(there);
      const times = [5, 15, 15, 16, 35, 50];
      const records = times.map((at, index) => foreignRecord({ id: `${index}-${at}`, createdAt: BASE + at }));
      await restoreAll(queue, records);
      const expected = ['0-5', there[0], '1-15', '2-15', '3-16', there[1], there[2], '4-35', there[3], '5-50'];
      expect(await takenIds(workshop, queue, 10)).toEqual(
        expected.map((each) => (typeof each === 'string' ? each : each?.id)),
      );
    }),

    defineRule('jobs with a priority go back to their place in it', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      await queue.enablePriorities();
      const priorities = [5, 9, 5, 9, 5];
      const jobs = priorities.map((priority, index) => newJob({ priority, createdAt: BASE + index }));
      await queue.addBulk(jobs);
      const ids = jobs.map(({ id }) => id);
      const records = await removeAll(queue, ids.slice(0, 4));
      const late = newJob({ priority: 9, createdAt: BASE + 100 });
      await queue.add(late);
      await restoreAll(queue, records);
      const [a, b, c, d, e] = ids;
      expect(await takenIds(workshop, queue, 6)).toEqual([b, d, late.id, a, c, e]);
    }),

    defineRule(
      'scheduled jobs, dead letters and completed ones stand in the order of their times',
      async (workshop) => {
        const queue = workshop.broker.queue(queueName());
        const place = (kind: ScanPlace, at: number): JobRecord =>
          foreignRecord({
            id: `${kind}-${at}`,
            place: kind,
            ...(kind === 'scheduled' ? { dueAt: BASE + at, delayMs: at } : { finishedAt: BASE + at, attemptsMade: 1 }),
            ...(kind === 'completed' && { result: '1' }),
            ...(kind === 'dead' && { failure: 'no' }),
          });
        const kinds = ['scheduled', 'dead', 'completed'] as const;
        for (const kind of kinds)
          await restoreAll(
            queue,
            [3000, 1000].map((at) => place(kind, at)),
          );
        for (const kind of kinds) await restoreAll(queue, [place(kind, 2000)]);
        for (const kind of kinds) {
          expect(await idsAt(queue, kind)).toEqual([`${kind}-1000`, `${kind}-2000`, `${kind}-3000`]);
        }
        expect((await queue.listScheduled(0, 10)).map(({ dueAt }) => dueAt)).toEqual(
          [1000, 2000, 3000].map((at) => BASE + at),
        );
        expect(await queue.readJob('dead-1000')).toMatchObject({ state: 'FAILURE', finishedAt: BASE + 1000 });
      },
    ),

    defineRule('a record of another broker runs: its arguments are those that were written', async (workshop) => {
      const { broker, consume } = workshop;
      const queue = broker.queue(queueName());
      const record = foreignRecord({
        place: 'active',
        data: '{"args":[12345678901234567890, {"b":1,"a":[]}],"meta":{}}',
        attemptsStarted: 1,
        startedAt: BASE,
        worker: 'ada@box',
      });
      await queue.pause();
      await restoreAll(queue, [record]);
      expect(await queue.counts()).toMatchObject({ waiting: 1, active: 0 });
      const [stored] = await queue.bulk.readRecords([record.id]);
      expect(stored).toMatchObject({ place: 'waiting', queue: queue.name, worker: 'ada@box' });
      expect(stored?.data).toContain('12345678901234567890');
      const probe = await consume(queue.name);
      await queue.resume();
      expect(await probe.taken.next()).toMatchObject({ id: record.id, args: [expect.any(Number), { a: [], b: 1 }] });
      await probe.settled();
      expect(await queue.readJob(record.id)).toMatchObject({ state: 'SUCCESS', attempts: 1 });
    }),

    defineRule('a worker that waits takes what is put back at once', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      const [first, job] = newJobs(2);
      await queue.addBulk([first as never, job as never]);
      const records = await removeAll(queue, [(job as { id: string }).id]);
      const probe = await consume(queue.name);
      await probe.taken.next();
      await probe.settled();
      await restoreAll(queue, records);
      expect(await probe.taken.next()).toMatchObject({ id: job?.id });
    }),

    defineRule('a job of plain BullMQ comes back with its options, and its own worker runs it', async (workshop) => {
      const { broker, plainQueue, plainWorker } = workshop;
      const queue = broker.queue(queueName());
      const plain = plainQueue(queue.name);
      const options = { attempts: 4, backoff: { type: 'fixed', delay: 5 }, removeOnFail: 7, priority: 3 };
      const { id = '' } = await plain.add('task', { to: 'ada' }, options);
      const other = await plain.add('later', [1], { delay: HOUR_MS, lifo: true });
      const ids = [id, other.id ?? ''];
      const records = await removeAll(queue, ids);
      expect(records).toMatchObject([
        { task: 'task', priority: 3, data: expect.stringContaining('ada') },
        { task: 'later', place: 'scheduled', delayMs: HOUR_MS },
      ]);
      await restoreAll(queue, records);
      expect(comparable(await queue.bulk.readRecords(ids))).toEqual(comparable(records));
      expect((await plain.getJob(id))?.opts).toMatchObject(options);
      const seen = await plainWorker(queue.name, () => 1);
      expect(await seen.next()).toEqual({ to: 'ada' });
    }),

    defineRule('jobs that are removed and put back while workers run are run once each', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const jobs = newJobs(80);
      await queue.addBulk(jobs);
      const ids = jobs.map(({ id }) => id);
      const probe = await workshop.consume(queue.name, { concurrency: 3 });
      for (let from = ids.length - 20; from >= 0; from -= 20) {
        const records = await queue.bulk.readRecords(ids.slice(from));
        const removed = new Set(await queue.bulk.remove(ids.slice(from), ['waiting']));
        await restoreAll(
          queue,
          records.filter(({ id }) => removed.has(id)),
        );
      }
      expect((await probe.taken.take(80)).map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
      await probe.settled();
      expect(await queue.counts()).toMatchObject({ waiting: 0, active: 0, completed: 80 });
      expect(probe.taken.all).toHaveLength(80);
    }),

    defineRule('a unique key is held again by the job that held it', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const unique = { key: 'work k' };
      const [held, timed] = [newJob({ unique }), newJob({ unique: { key: 'work t', ttlMs: HOUR_MS } })];
      await queue.addBulk([held, timed]);
      const records = await removeAll(queue, [held.id, timed.id]);
      await restoreAll(queue, records);
      expect(await queue.add(newJob({ unique }))).toBe(held.id);
      expect(await queue.add(newJob({ unique: { key: 'work t', ttlMs: HOUR_MS } }))).toBe(timed.id);
      expect(await queue.counts()).toMatchObject({ waiting: 2 });
    }),

    defineRule('a unique key stays with the job that holds it now', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const unique = { key: 'work k' };
      const [old, next] = [newJob({ unique }), newJob({ unique })];
      await queue.add(old);
      const records = await removeAll(queue, [old.id]);
      await queue.add(next);
      await restoreAll(queue, records);
      expect(await queue.add(newJob({ unique }))).toBe(next.id);
      expect(await queue.counts()).toMatchObject({ waiting: 2 });
    }),

    defineRule('a job that has ended holds no unique key when it is put back', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      const unique = { key: 'work k' };
      const job = newJob({ unique });
      await queue.add(job);
      const probe = await consume(queue.name, { perform: () => DEAD });
      await probe.taken.next();
      await probe.settled();
      await probe.stop();
      await restoreAll(queue, await removeAll(queue, [job.id]));
      const next = newJob({ unique });
      expect(await queue.add(next)).toBe(next.id);
    }),

    defineRule('a parent waits again for a child that is put back', async (workshop) => {
      const { broker, consume } = workshop;
      const { queue, parent, children, jobs } = createFamily(broker, [{ args: [1] }, { args: [2], delayMs: HOUR_MS }]);
      const [child = newJob(), later = newJob()] = children;
      await queue.pause();
      await broker.addFlow(jobs);
      const records = await removeAll(queue, [child.id]);
      expect(await queue.readChildren(parent.id)).toMatchObject({ pending: 1 });
      await restoreAll(queue, records);
      expect(comparable(await queue.bulk.readRecords([child.id]))).toEqual(comparable(records));
      expect(await queue.readChildren(parent.id)).toMatchObject({ pending: 2 });
      expect(await queue.bulk.promote([later.id])).toEqual([later.id]);
      const probe = await consume(queue.name, { perform: byTask });
      await queue.resume();
      const taken = await probe.taken.take(3);
      expect(taken.map(({ id }) => id)).toEqual([child.id, later.id, parent.id]);
      await probe.settled();
      const ended = new Map([
        [child.id, { state: 'SUCCESS', value: 1 }],
        [later.id, { state: 'SUCCESS', value: 2 }],
      ]);
      expect(await queue.readChildren(parent.id)).toEqual({ ...NO_CHILDREN, ended });
    }),

    defineRule('a child that was still to run is refused where its parent knows how it ended', async (workshop) => {
      const { broker, consume } = workshop;
      const { queue, parent, children, jobs } = createFamily(broker, [{ args: [1] }, { delayMs: HOUR_MS }]);
      const [child = newJob()] = children;
      await queue.pause();
      await broker.addFlow(jobs);
      const records = await queue.bulk.readRecords([child.id]);
      const probe = await consume(queue.name, { perform: byTask });
      await queue.resume();
      await probe.taken.next();
      await probe.settled();
      expect(await queue.bulk.remove([child.id], ['completed'])).toEqual([child.id]);
      const known = await queue.readChildren(parent.id);
      expect(known).toMatchObject({ pending: 1, ended: new Map([[child.id, { state: 'SUCCESS', value: 1 }]]) });
      expect(await queue.bulk.restore(records)).toMatchObject([{ id: child.id, kind: 'refused' }]);
      expect(await queue.readChildren(parent.id)).toEqual(known);
    }),

    defineRule('a child whose parent has gone on without it is refused', async (workshop) => {
      const { broker, consume } = workshop;
      const { queue, parent, children, jobs } = createFamily(broker, [{}]);
      const [child = newJob()] = children;
      await broker.addFlow(jobs);
      const records = await removeAll(queue, [child.id]);
      const probe = await consume(queue.name);
      expect(await probe.taken.next()).toMatchObject({ id: parent.id });
      await probe.settled();
      expect(await queue.bulk.restore(records)).toEqual([
        { id: child.id, kind: 'refused', reason: expect.stringContaining(parent.id) },
      ]);
      expect(await queue.readJob(child.id)).toBeUndefined();
    }),

    defineRule('a dead child comes back as it was, and its parent knows it still', async (workshop) => {
      const { broker, consume } = workshop;
      const { queue, parent, children, jobs } = createFamily(broker, [{ task: 'die' }, { delayMs: HOUR_MS }]);
      const [child = newJob()] = children;
      await broker.addFlow(jobs);
      const probe = await consume(queue.name, { perform: byTask });
      await probe.taken.next();
      await probe.settled();
      await probe.stop();
      const known = await queue.readChildren(parent.id);
      expect(known).toMatchObject({ pending: 1, dead: new Map([[child.id, 'cannot read']]) });
      const records = await removeAll(queue, [child.id]);
      await restoreAll(queue, records);
      expect(comparable(await queue.bulk.readRecords([child.id]))).toEqual(comparable(records));
      expect(await queue.readChildren(parent.id)).toEqual(known);
      expect(await queue.bulk.reprocess([{ id: child.id }])).toEqual([child.id]);
      expect(await queue.readChildren(parent.id)).toEqual({ ...NO_CHILDREN, pending: 2 });
    }),

    defineRule('a job that waits for a child is removed with that child alone', async ({ broker }) => {
      const { queue, parent, children, jobs } = createFamily(broker, [{}, {}]);
      const ids = children.map(({ id }) => id);
      await broker.addFlow(jobs);
      expect(await queue.bulk.remove([parent.id], PLACES)).toEqual([]);
      expect(await queue.bulk.remove([parent.id, ids[0] as string], PLACES)).toEqual([ids[0]]);
      expect(await statesOf(queue, [parent])).toEqual(['BLOCKED']);
      expect((await queue.bulk.remove([parent.id, ids[1] as string], PLACES)).toSorted()).toEqual(
        [parent.id, ids[1]].toSorted(),
      );
      expect(await queue.counts()).toMatchObject({ waiting: 0, blocked: 0 });
    }),

    ...(['parent first', 'children first', 'one by one'] as const).map((order) =>
      defineRule(`a whole family is put back, ${order}, and runs as it would have`, async (workshop) => {
        const { broker, consume } = workshop;
        const { queue, parent, children, jobs } = createFamily(broker, [{ args: [1] }, { args: [2] }]);
        await broker.addFlow(jobs);
        const ids = [parent, ...children].map(({ id }) => id);
        const records = await removeAll(queue, ids);
        expect(records[0]).toMatchObject({
          place: 'blocked',
          children: expect.arrayContaining(
            children.map(({ id }) => ({ queue: queue.name, id, end: 'pending', value: null })),
          ),
        });
        expect(records[1]).toMatchObject({ parent: { queue: queue.name, id: parent.id, onDead: 'wait' } });
        if (order === 'parent first') await restoreAll(queue, records);
        if (order === 'children first') await restoreAll(queue, records.toReversed());
        if (order === 'one by one') for (const record of records.toReversed()) await restoreAll(queue, [record]);
        expect(await queue.readChildren(parent.id)).toEqual({ ...NO_CHILDREN, pending: 2 });
        const probe = await consume(queue.name, { perform: byTask });
        expect((await probe.taken.take(3)).at(-1)?.id).toBe(parent.id);
        await probe.settled();
        const ended = new Map(children.map(({ id, args }) => [id, { state: 'SUCCESS', value: args[0] }]));
        expect(await queue.readChildren(parent.id)).toEqual({ ...NO_CHILDREN, ended });
        expect(await queue.counts()).toMatchObject({ waiting: 0, blocked: 0, active: 0, completed: 3 });
      }),
    ),

    defineRule(
      'a parent that comes back after its children have ended goes on with what they came to',
      async (workshop) => {
        const { broker, consume } = workshop;
        const { queue, parent, children, jobs } = createFamily(broker, [{ args: [1] }, { task: 'die' }]);
        const [fine = newJob(), dead = newJob()] = children;
        await broker.addFlow(jobs);
        const [record, ...rest] = await removeAll(
          queue,
          [parent, fine, dead].map(({ id }) => id),
        );
        await restoreAll(queue, rest);
        const probe = await consume(queue.name, { perform: byTask });
        await probe.taken.take(2);
        await probe.settled();
        await restoreAll(queue, [record as JobRecord]);
        expect(await probe.taken.next()).toMatchObject({ id: parent.id });
        await probe.settled();
        expect(await queue.readChildren(parent.id)).toEqual({
          pending: 0,
          ended: new Map([[fine.id, { state: 'SUCCESS', value: 1 }]]),
          dead: new Map([[dead.id, 'cannot read']]),
        });
      },
    ),

    defineRule('a parent that has ended comes back with what its children came to', async (workshop) => {
      const { broker, consume } = workshop;
      const { queue, parent, children, jobs } = createFamily(broker, [{ args: [{ deep: [1] }] }, { task: 'die' }]);
      await broker.addFlow(jobs);
      const probe = await consume(queue.name, { perform: byTask });
      await probe.taken.take(3);
      await probe.settled();
      const known = await queue.readChildren(parent.id);
      const records = await removeAll(
        queue,
        [parent, ...children].map(({ id }) => id),
      );
      await restoreAll(queue, records);
      expect(await queue.readChildren(parent.id)).toEqual(known);
      expect(comparable(await queue.bulk.readRecords(records.map(({ id }) => id)))).toEqual(comparable(records));
      expect(await statesOf(queue, [parent, ...children])).toEqual(['SUCCESS', 'SUCCESS', 'FAILURE']);
    }),

    defineRule('a revoked job is put back as a revoked one and holds no unique key', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      const unique = { key: 'work k' };
      const job = newJob({ unique });
      await queue.add(job);
      await queue.revoke([job.id], REVOCATION);
      await restoreAll(queue, await removeAll(queue, [job.id]));
      expect(await queue.readJob(job.id)).toMatchObject({ state: 'REVOKED', revoked: REVOCATION });
      const next = newJob({ unique });
      expect(await queue.add(next)).toBe(next.id);
      const probe = await consume(queue.name, { perform: byTask });
      expect((await probe.taken.take(2)).map(({ revoked }) => revoked)).toEqual([REVOCATION, undefined]);
    }),
  ],
};
