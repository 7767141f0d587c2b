import { expect } from 'vitest';
import type { BrokerQueue } from '../../../../src/engine/broker/port.ts';
import type { NewJob, Outcome } from '../../../../src/engine/core/job.ts';
import { newJob, newJobs, queueName, SUCCEEDED, type Workshop } from '../workshop.ts';
import { byTask, createFamily, DEAD, ERROR, NO_CHILDREN, statesOf } from './family.ts';
import { defineRule, type Subject } from './rule.ts';

const HOUR_MS = 3_600_000;
const REVOCATION = { at: Date.parse('2031-05-01T12:00:00Z'), by: 'ada@box' };

/** Lets jobs die, and stops the worker. */
async function die({ consume }: Workshop, queue: BrokerQueue, jobs: readonly NewJob[]): Promise<void> {
  await queue.addBulk(jobs);
  const probe = await consume(queue.name, { perform: () => DEAD });
  await probe.taken.take(jobs.length);
  await probe.settled();
  await probe.stop();
}

export const reprocessingBulk: Subject = {
  subject: 'reprocessing many',
  rules: [
    defineRule(
      'dead letters go back as if they had never run, in the order in which they are named',
      async (workshop) => {
        const { broker, consume } = workshop;
        const queue = broker.queue(queueName());
        const jobs = [1, 2, 3].map((n) => newJob({ args: [n], meta: { requestId: `r${n}` } }));
        await queue.addBulk(jobs);
        const turns = new Map<string, number>();
        const ends: Outcome[] = [
          { kind: 'lost', delayMs: 0, error: ERROR },
          { kind: 'retry', delayMs: 0, error: ERROR },
          DEAD,
        ];
        const probe = await consume(queue.name, {
          async perform(job) {
            await job.log('at work');
            const turn = turns.get(job.id) ?? 0;
            turns.set(job.id, turn + 1);
            return ends[turn] ?? SUCCEEDED;
          },
        });
        await probe.taken.take(9);
        await probe.settled();
        await probe.stop();
        const ids = jobs.map(({ id }) => id).toReversed();
        const dead = await queue.bulk.readRecords(ids);
        expect(dead).toMatchObject(ids.map((id) => ({ id, place: 'dead', attemptsMade: 2, workersLost: 1 })));
        const asked = dead.map(({ id, finishedAt }) => ({ id, finishedAt: finishedAt ?? 0, note: `again: ${id}` }));
        expect((await queue.bulk.reprocess(asked)).toSorted()).toEqual(ids.toSorted());
        const back = await queue.bulk.readRecords(ids);
        const fresh = { attemptsMade: 0, attemptsStarted: 0, workersLost: 0, failure: null, finishedAt: null };
        expect(back).toMatchObject(
          dead.map(({ id, data, stacks, createdAt, log }) => ({
            ...{ id, data, stacks, createdAt, place: 'waiting', log: [...log, `again: ${id}`] },
            ...{ ...fresh, startedAt: null, deferredFailure: null },
          })),
        );
        expect(await queue.counts()).toMatchObject({ waiting: 3, dead: 0 });
        const again = await consume(queue.name);
        const taken = await again.taken.take(3);
        expect(taken.map(({ id }) => id)).toEqual(ids);
        expect(taken[0]).toMatchObject({ args: [3], meta: { requestId: 'r3' }, attempts: 1, timesTaken: 1 });
      },
    ),

    defineRule('what is no dead letter is left alone, without a note', async ({ broker, consume, gate }) => {
      const queue = broker.queue(queueName());
      const [fine, dead, running] = [newJob(), newJob({ task: 'die' }), newJob({ task: 'run' })];
      await queue.addBulk([fine, dead, running]);
      const hold = gate<Outcome>();
      const probe = await consume(queue.name, {
        perform: (job) => (job.task === 'run' ? hold.promise : byTask(job)),
      });
      await probe.taken.take(3);
      const [waiting, later] = [newJob(), newJob({ delayMs: HOUR_MS })];
      await queue.addBulk([waiting, later]);
      const ids = [fine, running, waiting, later, dead].map(({ id }) => id);
      const asked = ['nobody', ...ids].map((id) => ({ id, note: 'again', data: '{"args":[2],"meta":{}}' }));
      await queue.pause();
      expect(await queue.bulk.reprocess(asked)).toEqual([dead.id]);
      const logs = await Promise.all(ids.map((id) => queue.readLog(id)));
      expect(logs).toEqual([[], [], [], [], ['again']]);
      const args = await Promise.all(ids.map(async (id) => (await queue.readJob(id))?.args));
      expect(args).toEqual([[], [], [], [], [2]]);
      hold.resolve(SUCCEEDED);
      expect(await queue.bulk.reprocess([])).toEqual([]);
    }),

    defineRule('a dead letter that has died again since the caller saw it stays', async (workshop) => {
      const { broker, consume } = workshop;
      const queue = broker.queue(queueName());
      const job = newJob({ args: [1] });
      await die(workshop, queue, [job]);
      const finishedAt = (await queue.readJob(job.id))?.finishedAt ?? 0;
      const stale = { id: job.id, finishedAt: finishedAt - 1, note: 'no', data: '{"args":[9],"meta":{}}' };
      expect(await queue.bulk.reprocess([stale])).toEqual([]);
      expect(await queue.readJob(job.id)).toMatchObject({ state: 'FAILURE', args: [1], error: { code: 'ERR_X' } });
      expect(await queue.readLog(job.id)).toEqual([]);
      expect(await queue.bulk.reprocess([{ id: job.id, finishedAt }])).toEqual([job.id]);
      const probe = await consume(queue.name);
      expect(await probe.taken.next()).toMatchObject({ id: job.id, args: [1] });
    }),

    defineRule('it runs with the data that it is given', async (workshop) => {
      const { broker, consume } = workshop;
      const queue = broker.queue(queueName());
      const [patched, same] = [newJob({ args: ['old'] }), newJob({ args: ['old'] })];
      await die(workshop, queue, [patched, same]);
      const data = '{"args":["new €"],"meta":{"requestId":"r"}}';
      const asked = [{ id: patched.id, data }, { id: same.id }];
      expect(await queue.bulk.reprocess(asked)).toEqual([patched.id, same.id]);
      const probe = await consume(queue.name);
      expect(await probe.taken.take(2)).toMatchObject([
        { id: patched.id, args: ['new €'], meta: { requestId: 'r' } },
        { id: same.id, args: ['old'] },
      ]);
    }),

    defineRule('of several who put the same dead letters back each goes back once', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const other = (await workshop.openBroker()).queue(queue.name);
      const jobs = newJobs(80);
      await die(workshop, queue, jobs);
      const ids = jobs.map(({ id }) => id);
      const note = (id: string) => ({ id, note: 'again' });
      const answers = await Promise.all([
        queue.bulk.reprocess(ids.map(note)),
        other.bulk.reprocess(ids.toReversed().map(note)),
        queue.bulk.reprocess(ids.slice(30).map(note)),
        other.reprocess(ids[0] as string),
      ]);
      const back = answers.flatMap((answer) => (answer === true ? [ids[0]] : answer === false ? [] : answer));
      expect(back.toSorted()).toEqual(ids.toSorted());
      expect(await queue.counts()).toMatchObject({ waiting: 80, dead: 0 });
      const logs = await Promise.all(ids.slice(1).map((id) => queue.readLog(id)));
      expect(logs).toEqual(ids.slice(1).map(() => ['again']));
    }),

    defineRule('a worker that waits takes them at once, by their priority', async (workshop) => {
      const { broker, consume } = workshop;
      const queue = broker.queue(queueName());
      await queue.enablePriorities();
      const [low, high, first] = [newJob({ priority: 2 }), newJob({ priority: 8 }), newJob({ priority: 5 })];
      await die(workshop, queue, [low, high]);
      await queue.add(first);
      const probe = await consume(queue.name);
      expect(await probe.taken.next()).toMatchObject({ id: first.id });
      await probe.settled();
      const asked = [low, high].map(({ id }) => ({ id }));
      expect(await queue.bulk.reprocess(asked)).toEqual([low.id, high.id]);
      expect((await probe.taken.take(2)).map(({ id, priority }) => [id, priority])).toEqual([
        [high.id, 8],
        [low.id, 2],
      ]);
    }),

    defineRule('those of a paused queue wait until it is resumed', async (workshop) => {
      const { broker, consume } = workshop;
      const queue = broker.queue(queueName());
      const job = newJob();
      await die(workshop, queue, [job]);
      await queue.pause();
      const probe = await consume(queue.name);
      expect(await queue.bulk.reprocess([{ id: job.id }])).toEqual([job.id]);
      expect(await queue.counts()).toMatchObject({ waiting: 1, active: 0 });
      await queue.resume();
      expect(await probe.taken.next()).toMatchObject({ id: job.id });
    }),

    defineRule('a parent waits again for a dead child that goes back', async (workshop) => {
      const { broker, consume } = workshop;
      const { queue, parent, children, jobs } = createFamily(broker, [{ task: 'die' }, { delayMs: HOUR_MS }]);
      const [child = newJob(), later = newJob()] = children;
      await broker.addFlow(jobs);
      const probe = await consume(queue.name, { perform: byTask });
      await probe.taken.next();
      await probe.settled();
      await probe.stop();
      expect((await queue.readChildren(parent.id)).dead.size).toBe(1);
      expect(await queue.bulk.reprocess([{ id: child.id }])).toEqual([child.id]);
      expect(await queue.readChildren(parent.id)).toEqual({ ...NO_CHILDREN, pending: 2 });
      expect(await queue.bulk.promote([later.id])).toEqual([later.id]);
      const again = await consume(queue.name);
      expect((await again.taken.take(3)).map(({ id }) => id)).toEqual([child.id, later.id, parent.id]);
    }),

    defineRule('a dead letter of plain BullMQ goes back to its own worker', async (workshop) => {
      const { broker, plainQueue, plainWorker } = workshop;
      const queue = broker.queue(queueName());
      const { id = '' } = await plainQueue(queue.name).add('task', { to: 'ada' });
      const probe = await workshop.consume(queue.name, { perform: () => DEAD });
      await probe.taken.next();
      await probe.settled();
      await probe.stop();
      const data = '{"to":"eve"}';
      expect(await queue.bulk.reprocess([{ id, data, note: 'patched' }])).toEqual([id]);
      const seen = await plainWorker(queue.name, () => 1);
      expect(await seen.next()).toEqual({ to: 'eve' });
    }),

    defineRule(
      'scheduled jobs that are promoted are due now, in the order in which they are named',
      async (workshop) => {
        const { broker, consume } = workshop;
        const queue = broker.queue(queueName());
        await queue.enablePriorities();
        const [one, two, high] = [
          newJob({ delayMs: HOUR_MS }),
          newJob({ delayMs: 2 * HOUR_MS }),
          newJob({ delayMs: HOUR_MS, priority: 9 }),
        ];
        const [waiting, first, stays] = [newJob(), newJob(), newJob({ delayMs: HOUR_MS })];
        await queue.add(first);
        const probe = await consume(queue.name);
        await probe.taken.next();
        await probe.settled();
        await queue.pause();
        await queue.addBulk([one, two, high, stays, waiting]);
        expect(await queue.bulk.promote([])).toEqual([]);
        expect(await queue.bulk.promote([two.id, waiting.id, 'nobody', one.id, high.id])).toEqual([
          two.id,
          one.id,
          high.id,
        ]);
        expect(await statesOf(queue, [one, two, high, stays])).toEqual(['PENDING', 'PENDING', 'PENDING', 'SCHEDULED']);
        expect(await queue.readJob(one.id)).toMatchObject({ dueAt: null });
        await queue.resume();
        // BullMQ takes those without a priority first.
        expect((await probe.taken.take(4)).map(({ id }) => id)).toEqual([waiting.id, two.id, one.id, high.id]);
      },
    ),

    defineRule('a worker that waits takes a promoted job at once, and two promote it once', async (workshop) => {
      const { broker, consume, openBroker } = workshop;
      const queue = broker.queue(queueName());
      const other = (await openBroker()).queue(queue.name);
      const [first, later, retry] = [newJob(), newJob({ delayMs: HOUR_MS }), newJob({ task: 'retry' })];
      await queue.addBulk([first, later, retry]);
      const ends: Outcome[] = [{ kind: 'retry', delayMs: HOUR_MS, error: ERROR }];
      const probe = await consume(queue.name, {
        perform: ({ task }) => (task === 'retry' && ends.shift()) || SUCCEEDED,
      });
      await probe.taken.take(2);
      await probe.settled();
      const ids = [later.id, retry.id];
      const answers = await Promise.all([queue.bulk.promote(ids), other.bulk.promote(ids)]);
      expect(answers.flat().toSorted()).toEqual(ids.toSorted());
      expect((await probe.taken.take(2)).map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    }),

    defineRule('what was revoked and died is revoked no more when it goes back', async (workshop) => {
      const { broker, consume } = workshop;
      const queue = broker.queue(queueName());
      const job = newJob();
      await queue.add(job);
      await queue.revoke([job.id], REVOCATION);
      const probe = await consume(queue.name, { perform: () => DEAD });
      expect(await probe.taken.next()).toMatchObject({ revoked: REVOCATION });
      await probe.settled();
      await probe.stop();
      expect(await queue.bulk.reprocess([{ id: job.id }])).toEqual([job.id]);
      const again = await consume(queue.name);
      expect(await again.taken.next()).toMatchObject({ id: job.id, revoked: undefined });
    }),
  ],
};
