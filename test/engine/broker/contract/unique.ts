import { expect } from 'vitest';
import type { NewJob, Outcome, StoredError } from '../../../../src/engine/core/job.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { loseWorker } from '../lose-worker.ts';
import { newJob, queueName, SUCCEEDED, type Workshop } from '../workshop.ts';
import { defineRule, type Subject } from './rule.ts';

const LOCK_MS = 300;
/** Longer than any of these tests. */
const LONG_MS = 600_000;
const FAILURE: StoredError = { name: 'Error', message: 'no', code: null, stack: null };

const uniqueJob = (fields: Partial<NewJob> = {}): NewJob => newJob({ unique: { key: 'work [1]' }, ...fields });

/** Adds a unique job, has it run with this outcome, and gives a second one to the queue. @returns whether that was stored */
async function isFreeAfter(workshop: Workshop, outcome: Outcome, fields: Partial<NewJob> = {}): Promise<boolean> {
  const queue = workshop.broker.queue(queueName());
  const [job, next] = [uniqueJob(fields), uniqueJob()];
  await queue.add(job);
  const outcomes = [outcome];
  const probe = await workshop.consume(queue.name, { perform: () => outcomes.shift() ?? SUCCEEDED });
  expect(await probe.taken.next()).toMatchObject({ id: job.id });
  await probe.settled();
  await probe.stop();
  const id = await queue.add(next);
  expect([job.id, next.id]).toContain(id);
  return id === next.id;
}

export const unique: Subject = {
  subject: 'unique keys',
  rules: [
    defineRule('a job whose key is held is not stored, and the id of the holder is given', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const [first, second] = [uniqueJob({ args: [1] }), uniqueJob({ args: [2] })];
      expect(await queue.add(first)).toBe(first.id);
      expect(await queue.add(second)).toBe(first.id);
      expect(await queue.readJob(second.id)).toBeUndefined();
      expect(await queue.readJob(first.id)).toMatchObject({ args: [1], unique: '[1]' });
      expect(await queue.counts()).toMatchObject({ waiting: 1 });
    }),

    defineRule('in a batch, each job gets its own id or that of the holder', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const [held, plain, again, other] = [uniqueJob(), newJob(), uniqueJob(), uniqueJob({ unique: { key: 'b' } })];
      expect(await queue.addBulk([held, plain, again, other])).toEqual([held.id, plain.id, held.id, other.id]);
      expect(await queue.addBulk([uniqueJob(), newJob({ id: 'own' })])).toEqual([held.id, 'own']);
      expect(await queue.counts()).toMatchObject({ waiting: 4 });
    }),

    defineRule(
      'a job that is revoked before it runs gives its key back at once, and only its own',
      async ({ broker }) => {
        const queue = broker.queue(queueName());
        const revocation = { at: 1, by: null };
        for (const fields of [
          { unique: { key: 'w', ttlMs: LONG_MS } },
          { delayMs: LONG_MS },
          { unique: { key: 'p' } },
        ]) {
          const [job, next, last] = [uniqueJob(fields), uniqueJob(fields), uniqueJob(fields)];
          await queue.add(job);
          await queue.revoke([job.id], revocation);
          expect(await queue.add(next)).toBe(next.id);
          await queue.revoke([job.id], revocation);
          expect(await queue.add(last)).toBe(next.id);
        }
      },
    ),

    defineRule('of producers that race for a key exactly one stores its job', async (workshop) => {
      const name = queueName();
      const brokers = await Promise.all([workshop.openBroker(), workshop.openBroker()]);
      const ids = await Promise.all(
        Array.from({ length: 40 }, (_, index) => brokers[index % 2]?.queue(name).add(uniqueJob())),
      );
      expect(new Set(ids).size).toBe(1);
      expect(await workshop.broker.queue(name).counts()).toMatchObject({ waiting: 1 });
    }),

    defineRule('the same call of a producer that was cut and tries again is no duplicate', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const job = uniqueJob();
      expect([await queue.add(job), await queue.add(job)]).toEqual([job.id, job.id]);
    }),

    defineRule('each queue has keys of its own', async ({ broker }) => {
      const queues = [broker.queue(queueName()), broker.queue(queueName())];
      const jobs = queues.map(() => uniqueJob());
      const ids = await Promise.all(queues.map((queue, index) => queue.add(jobs[index] as NewJob)));
      expect(ids).toEqual(jobs.map(({ id }) => id));
    }),

    defineRule('a job that waits for its time, or has a priority, holds its key too', async ({ broker }) => {
      const [scheduled, prior] = [broker.queue(queueName()), broker.queue(queueName())];
      await prior.enablePriorities();
      const [first, second] = [uniqueJob({ delayMs: LONG_MS }), uniqueJob({ priority: 5 })];
      await Promise.all([scheduled.add(first), prior.add(second)]);
      expect(await scheduled.add(uniqueJob({ delayMs: LONG_MS }))).toBe(first.id);
      expect(await prior.add(uniqueJob({ priority: 9 }))).toBe(second.id);
    }),

    defineRule('every end of a job gives its key back', async (workshop) => {
      expect(await isFreeAfter(workshop, SUCCEEDED)).toBe(true);
      expect(await isFreeAfter(workshop, SUCCEEDED, { ignoreResult: true })).toBe(true);
      expect(await isFreeAfter(workshop, { kind: 'dead', error: FAILURE })).toBe(true);
      expect(await isFreeAfter(workshop, { kind: 'ended', state: 'IGNORED', reason: 'no' })).toBe(true);
    }),

    defineRule('a retry, being put back and a lost process keep it', async (workshop) => {
      expect(await isFreeAfter(workshop, { kind: 'retry', delayMs: LONG_MS, error: FAILURE })).toBe(false);
      expect(await isFreeAfter(workshop, { kind: 'postponed', delayMs: LONG_MS, note: 'x' })).toBe(false);
      expect(await isFreeAfter(workshop, { kind: 'lost', delayMs: LONG_MS, error: FAILURE })).toBe(false);
    }),

    defineRule('the job of a worker that was killed keeps it until another worker has ended it', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const job = uniqueJob();
      await queue.add(job);
      expect(await loseWorker(workshop, queue.name, LOCK_MS)).toBe(job.id);
      expect(await queue.add(uniqueJob())).toBe(job.id);
      const hold = workshop.gate<Outcome>();
      const rescuer = await workshop.consume(queue.name, { lockDurationMs: LOCK_MS, perform: () => hold.promise });
      expect(await rescuer.taken.next()).toMatchObject({ id: job.id, workersLost: 1, unique: '[1]' });
      expect(await queue.add(uniqueJob())).toBe(job.id);
      hold.resolve(SUCCEEDED);
      await rescuer.settled();
      const next = uniqueJob();
      expect(await queue.add(next)).toBe(next.id);
    }),

    defineRule('removal and purge give it back', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const [removed, purged, scheduled, last] = [
        uniqueJob(),
        uniqueJob(),
        uniqueJob({ delayMs: LONG_MS }),
        uniqueJob(),
      ];
      await queue.add(removed);
      await queue.removeJob(removed.id);
      expect(await queue.add(purged)).toBe(purged.id);
      expect(await queue.purge()).toBe(1);
      expect(await queue.add(scheduled)).toBe(scheduled.id);
      expect(await queue.purge()).toBe(1);
      expect(await queue.add(last)).toBe(last.id);
    }),

    defineRule('a key with a time is free when that has passed, though its job waits', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const job = uniqueJob({ unique: { key: 'work [1]', ttlMs: 300 }, meta: { uniqueUntil: 'finished' } });
      await queue.add(job);
      await waitFor('the key to be free', async () => (await queue.add(uniqueJob())) !== job.id);
      expect(await queue.counts()).toMatchObject({ waiting: 2 });
    }),

    defineRule('a key with a time is given back by the end of its job too', async (workshop) => {
      const timed: Partial<NewJob> = {
        unique: { key: 'work [1]', ttlMs: LONG_MS },
        meta: { uniqueUntil: 'finished' },
      };
      expect(await isFreeAfter(workshop, SUCCEEDED, timed)).toBe(true);
      expect(await isFreeAfter(workshop, { kind: 'dead', error: FAILURE }, timed)).toBe(true);
      expect(await isFreeAfter(workshop, { kind: 'retry', delayMs: LONG_MS, error: FAILURE }, timed)).toBe(false);
    }),

    defineRule('the time of a plain BullMQ producer is left as it is', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const plain = workshop.plainQueue(queue.name);
      const throttled = { deduplication: { id: 'throttle', ttl: LONG_MS } };
      const { id } = await plain.add('work', {}, throttled);
      const probe = await workshop.consume(queue.name);
      expect(await probe.taken.next()).toMatchObject({ id, unique: 'throttle' });
      await probe.settled();
      expect((await plain.add('work', {}, throttled)).id).toBe(id);
    }),

    defineRule(
      'a key that is held until the start is free once the start was noted, and not before',
      async (workshop) => {
        const queue = workshop.broker.queue(queueName());
        const job = uniqueJob({ meta: { uniqueUntil: 'started' } });
        await queue.add(job);
        const [begin, end] = [workshop.gate(), workshop.gate<Outcome>()];
        const noted = workshop.gate();
        const probe = await workshop.consume(queue.name, {
          async perform(taken) {
            await begin.promise;
            await taken.noteStart();
            noted.resolve();
            return end.promise;
          },
        });
        await probe.taken.next();
        expect(await queue.add(uniqueJob())).toBe(job.id);
        begin.resolve();
        await noted.promise;
        const next = uniqueJob();
        expect(await queue.add(next)).toBe(next.id);
        // The job that has given it back does not take it from the one that has it now.
        end.resolve({ kind: 'retry', delayMs: LONG_MS, error: FAILURE });
        expect(await probe.taken.next()).toMatchObject({ id: next.id });
        expect(await queue.add(uniqueJob())).toBe(next.id);
      },
    ),
  ],
};
