import { expect } from 'vitest';
import type { BrokerQueue } from '../../../../src/engine/broker/port.ts';
import type { Outcome } from '../../../../src/engine/core/job.ts';
import { loseWorker } from '../lose-worker.ts';
import { newJob, newJobs, queueName, SUCCEEDED } from '../workshop.ts';
import { defineRule, type Rule, type Subject } from './rule.ts';

const AT = Date.parse('2031-05-01T12:00:00Z');
const REVOCATION = { at: AT, by: 'ada@box' };
const REASON = 'by ada@box at 2031-05-01T12:00:00.000Z';
const ERROR = { name: 'Error', message: 'no', code: null, stack: null };

/** How it is taken: marked, so that a worker ends it instead of running it. */
const TAKEN_MARKED = { revoked: REVOCATION, unreadable: null };

/** A job that was revoked while it could not run is taken with the mark, whoever takes it. */
function waitingRule(
  title: string,
  { given, phase }: { given: Parameters<typeof newJob>[0]; phase: 'waiting' | 'scheduled' },
): Rule {
  return defineRule(title, async ({ broker, consume, openBroker }) => {
    const queue = broker.queue(queueName());
    if (given?.priority !== undefined) await queue.enablePriorities();
    const job = newJob({ args: [{ a: 'ü' }], meta: { requestId: 'r' }, ...given });
    await queue.add(job);
    expect(await queue.revoke([job.id], REVOCATION)).toEqual([
      { id: job.id, task: 'work', queue: queue.name, phase, attempts: 0, worker: null, revoked: REVOCATION },
    ]);
    expect(await queue.readJob(job.id)).toMatchObject({
      state: 'REVOKED',
      reason: REASON,
      revoked: REVOCATION,
      args: [{ a: 'ü' }],
      result: null,
      error: null,
      finishedAt: null,
    });
    const probe = await consume(queue.name, {
      broker: await openBroker(),
      perform: (taken): Outcome =>
        taken.revoked === undefined ? SUCCEEDED : { kind: 'ended', state: 'REVOKED', reason: REASON },
    });
    const taken = await probe.taken.next();
    expect(taken).toMatchObject({ id: job.id, ...TAKEN_MARKED, args: [{ a: 'ü' }], meta: { requestId: 'r' } });
    await probe.settled();
    expect(await queue.readJob(job.id)).toMatchObject({ state: 'REVOKED', reason: REASON, stacks: [], error: null });
    expect(await queue.counts()).toMatchObject({ completed: 1, dead: 0, waiting: 0, scheduled: 0 });
  });
}

/**
 * What becomes of a job that was revoked while it ran, when its attempt ends like this.
 *
 * @param expected what it is then; taken again with the mark without it
 */
function runningRule(title: string, outcome: Outcome, expected?: Record<string, unknown>): Rule {
  return defineRule(title, async ({ broker, consume, gate }) => {
    const queue = broker.queue(queueName());
    const job = newJob();
    await queue.add(job);
    const hold = gate<Outcome>();
    const ends = [hold.promise];
    const probe = await consume(queue.name, { perform: () => ends.shift() ?? SUCCEEDED, workerName: 'tq@host' });
    expect(await probe.taken.next()).toMatchObject({ revoked: undefined });
    expect(await queue.revoke([job.id], REVOCATION)).toMatchObject([
      { phase: 'active', worker: 'tq@host', revoked: REVOCATION },
    ]);
    expect(await queue.readJob(job.id)).toMatchObject({ state: 'STARTED', reason: REASON, revoked: REVOCATION });
    hold.resolve(outcome);
    if (expected === undefined) {
      expect(await probe.taken.next()).toMatchObject({ id: job.id, ...TAKEN_MARKED });
      return;
    }
    await probe.settled();
    expect(await queue.readJob(job.id)).toMatchObject(expected);
  });
}

async function phasesOf(queue: BrokerQueue, ids: readonly string[]): Promise<string[]> {
  return (await queue.listBriefs(ids)).map(({ phase }) => phase);
}

export const revoking: Subject = {
  subject: 'revoking',
  rules: [
    waitingRule('a waiting job that is revoked reads as REVOKED at once, and is taken with the mark', {
      given: {},
      phase: 'waiting',
    }),
    waitingRule('a scheduled job that is revoked is taken with the mark before it is due', {
      given: { delayMs: 3_600_000 },
      phase: 'scheduled',
    }),
    waitingRule('a scheduled job with a priority is taken with the mark before it is due', {
      given: { delayMs: 3_600_000, priority: 3 },
      phase: 'scheduled',
    }),
    waitingRule('a job with a priority is taken with the mark', { given: { priority: 7 }, phase: 'waiting' }),

    runningRule('a revoked job that is retried is taken with the mark', { kind: 'retry', delayMs: 0, error: ERROR }),
    runningRule('a revoked job that is handed back is taken with the mark', { kind: 'released' }),
    runningRule('a revoked job that is put back is taken with the mark', { kind: 'postponed', delayMs: 1, note: 'n' }),
    runningRule('a revoked job whose process was lost is taken with the mark', {
      kind: 'lost',
      delayMs: 1,
      error: ERROR,
    }),
    runningRule(
      'a result that a revoked job gives all the same is its truth',
      { kind: 'succeeded', result: 7 },
      { state: 'SUCCESS', result: 7, reason: null },
    ),
    runningRule('a dead letter stays one', { kind: 'dead', error: ERROR }, { state: 'FAILURE', reason: null }),

    defineRule('a revoked job whose worker has died is taken up with the mark', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const job = newJob();
      await queue.add(job);
      await loseWorker(workshop, queue.name, 300);
      expect(await queue.revoke([job.id], REVOCATION)).toMatchObject([{ phase: 'active', worker: 'doomed' }]);
      const rescuer = await workshop.consume(queue.name, { lockDurationMs: 300 });
      expect(await rescuer.taken.next()).toMatchObject({ id: job.id, ...TAKEN_MARKED, workersLost: 1 });
    }),

    defineRule(
      'an idle worker files a scheduled job away as soon as it is revoked',
      async ({ broker, consume, openBroker }) => {
        const queue = broker.queue(queueName());
        const job = newJob({ delayMs: 3_600_000 });
        await queue.add(job);
        const looked = Promise.withResolvers<void>();
        const probe = await consume(queue.name, { broker: await openBroker(), onIdle: looked.resolve });
        await looked.promise;
        await queue.revoke([job.id], REVOCATION);
        expect(await probe.taken.next()).toMatchObject({ id: job.id, ...TAKEN_MARKED });
      },
    ),

    defineRule('a retry that is revoked is taken with the mark before it is due', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      const job = newJob();
      await queue.add(job);
      const ends: Outcome[] = [{ kind: 'retry', delayMs: 3_600_000, error: ERROR }];
      const probe = await consume(queue.name, { perform: () => ends.shift() ?? SUCCEEDED });
      await probe.taken.next();
      await probe.settled();
      expect(await queue.revoke([job.id], REVOCATION)).toMatchObject([{ phase: 'scheduled', attempts: 1 }]);
      expect(await probe.taken.next()).toMatchObject({ id: job.id, attempts: 2, ...TAKEN_MARKED });
    }),

    defineRule('the next job of a schedule entry stays until it is due, and the entry goes on', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const plain = workshop.plainQueue(queue.name);
      const next = await plain.upsertJobScheduler('entry', { every: 1000 }, { name: 'tick' });
      // The first is due at once; the one after it is scheduled when that is taken.
      const probe = await workshop.consume(queue.name);
      const first = await probe.taken.next();
      const [later] = await plain.getDelayed();
      expect([next?.id, later?.name]).toEqual([first.id, 'tick']);
      await queue.revoke([later?.id ?? ''], REVOCATION);
      expect(await probe.taken.next()).toMatchObject({ id: later?.id, ...TAKEN_MARKED });
      expect(await probe.taken.next()).toMatchObject({ task: 'tick', revoked: undefined });
      await plain.removeJobScheduler('entry');
    }),

    defineRule('finished jobs are not changed, and unknown ids are left out', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      const [done, dead] = [newJob({ task: 'done' }), newJob({ task: 'dead' })];
      await queue.addBulk([done, dead]);
      const probe = await consume(queue.name, {
        perform: ({ task }): Outcome => (task === 'dead' ? { kind: 'dead', error: ERROR } : SUCCEEDED),
      });
      await probe.taken.take(2);
      await probe.settled();
      const before = [await queue.readJob(done.id), await queue.readJob(dead.id)];
      const briefs = await queue.revoke([done.id, 'gone', dead.id, 'meta', 'completed', 'id'], REVOCATION);
      expect(briefs).toMatchObject([
        { id: done.id, task: 'done', phase: 'finished', attempts: 1, worker: 'probe', revoked: undefined },
        { id: dead.id, task: 'dead', phase: 'finished', revoked: undefined },
      ]);
      expect([await queue.readJob(done.id), await queue.readJob(dead.id)]).toEqual(before);
    }),

    defineRule('of several who revoke a job the first is kept', async ({ broker, openBroker }) => {
      const queue = broker.queue(queueName());
      const other = (await openBroker()).queue(queue.name);
      const job = newJob();
      await queue.add(job);
      const revocations = [
        { at: AT, by: 'ada' },
        { at: AT + 1, by: null },
      ] as const;
      const [[first], [second]] = await Promise.all([
        queue.revoke([job.id], revocations[0]),
        other.revoke([job.id], revocations[1]),
      ]);
      expect(revocations).toContainEqual(first?.revoked);
      expect(second?.revoked).toEqual(first?.revoked);
      expect(await queue.readJob(job.id)).toMatchObject({ revoked: first?.revoked });
    }),

    defineRule('looking changes nothing', async ({ broker, store, plainQueue }) => {
      const queue = broker.queue(queueName());
      const { id = '' } = await plainQueue(queue.name).add('task', { to: 'x' }, { delay: 60_000 });
      const before = await queue.readJob(id);
      expect(await queue.listBriefs([id, 'gone'])).toEqual([
        { id, task: 'task', queue: queue.name, phase: 'scheduled', attempts: 0, worker: null, revoked: undefined },
      ]);
      expect(await queue.listBriefs([])).toEqual([]);
      expect(await queue.readJob(id)).toEqual(before);
      const absent = broker.queue(queueName());
      expect(await absent.revoke(['x'], REVOCATION)).toEqual([]);
      // BullMQ's PostgreSQL backend has no list of queues beside their jobs; the others must not have made one.
      expect({ store, queues: await broker.listQueues() }).not.toMatchObject({
        queues: expect.arrayContaining([absent.name]),
      });
    }),

    defineRule('the data of a plain BullMQ producer stays as it is', async ({ broker, consume, plainQueue }) => {
      const queue = broker.queue(queueName());
      const plain = plainQueue(queue.name);
      const data = { to: 'x', args: 'not an envelope' };
      const { id = '' } = await plain.add('task', data);
      await queue.revoke([id], REVOCATION);
      expect(await queue.readJob(id)).toMatchObject({ state: 'REVOKED', args: [data], meta: {} });
      expect((await plain.getJob(id))?.data).toEqual(data);
      const probe = await consume(queue.name);
      expect(await probe.taken.next()).toMatchObject({ args: [data], meta: {}, ...TAKEN_MARKED });
    }),

    defineRule('a plain BullMQ worker does not run a revoked job either', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const [revoked, other] = newJobs(2);
      await queue.addBulk([revoked, other].filter((job) => job !== undefined));
      await queue.revoke([revoked?.id ?? ''], REVOCATION);
      const seen = await workshop.plainWorker(queue.name, () => 'ran');
      expect(await seen.next()).toMatchObject({ args: [] });
      expect(await queue.waitUntilFinished(other?.id ?? '')).toBe(true);
      expect(await queue.waitUntilFinished(revoked?.id ?? '')).toBe(true);
      await workshop.plainQueue(queue.name).getFailed();
      expect(await queue.readJob(other?.id ?? '')).toMatchObject({ state: 'SUCCESS', result: 'ran' });
      expect(await queue.readJob(revoked?.id ?? '')).toMatchObject({
        state: expect.stringMatching(/^(REVOKED|FAILURE)$/),
      });
    }),

    defineRule('a parent that waits for its children is taken with the mark, its children run', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const id = await workshop.plainFlow({
        name: 'parent',
        queueName: queue.name,
        children: [{ name: 'child', queueName: queue.name }],
      });
      expect(await queue.revoke([id], REVOCATION)).toMatchObject([{ phase: 'blocked', revoked: REVOCATION }]);
      expect(await queue.readJob(id)).toMatchObject({ state: 'REVOKED' });
      const probe = await workshop.consume(queue.name);
      expect(await probe.taken.take(2)).toMatchObject([
        { task: 'child', revoked: undefined },
        { task: 'parent', ...TAKEN_MARKED },
      ]);
    }),

    defineRule('who waits for a job that waits hears at once that it was revoked', async ({ broker, openBroker }) => {
      const queue = broker.queue(queueName());
      const job = newJob({ delayMs: 3_600_000 });
      await queue.add(job);
      const waiting = queue.waitUntilFinished(job.id);
      await (await openBroker()).queue(queue.name).revoke([job.id], REVOCATION);
      expect(await waiting).toBe(true);
      // And who comes later does not wait at all.
      expect(await queue.waitUntilFinished(job.id)).toBe(true);
    }),

    defineRule('who waits for a job that runs waits for its end', async ({ broker, consume, gate }) => {
      const queue = broker.queue(queueName());
      const job = newJob();
      await queue.add(job);
      const hold = gate<Outcome>();
      const probe = await consume(queue.name, { perform: () => hold.promise });
      await probe.taken.next();
      await queue.revoke([job.id], REVOCATION);
      expect(await queue.waitUntilFinished(job.id, 50)).toBe(false);
      const waiting = queue.waitUntilFinished(job.id);
      hold.resolve(SUCCEEDED);
      expect(await waiting).toBe(true);
    }),

    defineRule('a revoked job can be purged, and taken from the broker', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const [purged, removed] = [newJob(), newJob({ delayMs: 60_000 })];
      await queue.addBulk([purged, removed]);
      await queue.revoke([purged.id, removed.id], REVOCATION);
      expect(await queue.removeJob(removed.id)).toBe(true);
      expect(await queue.purge()).toBe(1);
      expect(await phasesOf(queue, [purged.id, removed.id])).toEqual([]);
    }),

    defineRule('many jobs are marked in one call, each once, in the order asked', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const jobs = newJobs(500);
      await queue.addBulk(jobs);
      const ids = jobs.map(({ id }) => id).toReversed();
      const briefs = await queue.revoke(ids, REVOCATION);
      expect(briefs.map(({ id }) => id)).toEqual(ids);
      expect(briefs.every(({ revoked }) => revoked?.by === 'ada@box')).toBe(true);
    }),

    defineRule('a name is kept as a person can read it', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const job = newJob();
      await queue.add(job);
      await queue.revoke([job.id], { at: AT, by: `\u001b[31mé\0\n${'x'.repeat(500)}\ud800` });
      const { revoked } = (await queue.readJob(job.id)) ?? {};
      expect(revoked?.by).toMatch(/^\[31mé x{194}$/);
    }),
  ],
};
