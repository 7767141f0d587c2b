import { expect } from 'vitest';
import type { Outcome, StoredError, StoredJob } from '../../../../src/engine/core/job.ts';
import { newJob, queueName, SUCCEEDED } from '../workshop.ts';
import { defineRule, type Subject } from './rule.ts';

const ERROR: StoredError = {
  ...{ name: 'TypeError', message: 'no\nsuch user', code: 'E_USER' },
  stack: 'TypeError: no\nsuch user\n    at work (file:///app/work.ts:1:2)',
};
const STACK = 'TypeError [E_USER]: no\nsuch user\n    at work (file:///app/work.ts:1:2)';
const KEPT: StoredError = { ...ERROR, stack: STACK };
const LOST: StoredError = { name: 'WorkerLost', message: 'died: SIGSEGV', code: 'WORKER_LOST', stack: null };

/** Attempts begin after the one before has ended, and end after they have begun. */
function assertInOrder(job: StoredJob | undefined): void {
  const times = job?.failures.flatMap(({ startedAt, endedAt }) => [startedAt, endedAt]) ?? [];
  expect(times.every((at) => typeof at === 'number' && at >= (job?.createdAt ?? Number.NaN))).toBe(true);
  expect(times).toEqual([...times].sort((one, other) => Number(one) - Number(other)));
}

export const ledger: Subject = {
  subject: 'the ledger of attempts',
  rules: [
    defineRule('each failed attempt is kept with its number, times, worker, error and stack', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const job = newJob();
      await queue.add(job);
      const ends: Outcome[] = [
        { kind: 'retry', delayMs: 0, error: ERROR },
        { kind: 'lost', delayMs: 0, error: LOST },
        { kind: 'released' },
        { kind: 'postponed', delayMs: 0, note: 'unknown' },
        { kind: 'held', delayMs: 0 },
      ];
      const first = await workshop.consume(queue.name, {
        workerName: 'one',
        perform: () => ends.shift() ?? { kind: 'retry', delayMs: 600_000, error: ERROR },
      });
      await first.taken.take(6);
      await first.settled();
      await first.stop();
      const attempt = { worker: 'one', isEarlier: false };
      const kept = [
        { ...attempt, number: 1, end: 'retry', error: KEPT },
        { ...attempt, number: 2, end: 'lost', error: { ...LOST, stack: 'WorkerLost [WORKER_LOST]: died: SIGSEGV' } },
        { ...attempt, number: 2, end: 'retry', error: KEPT },
      ];
      expect(await queue.readJob(job.id)).toMatchObject({ state: 'RETRY', error: KEPT, failures: kept });
      await queue.promoteToHead([job.id]);
      const second = await workshop.consume(queue.name, {
        workerName: 'two',
        perform: () => ({ kind: 'dead', error: ERROR }),
      });
      expect(await second.taken.next()).toMatchObject({ stacks: kept.map(({ error }) => error.stack) });
      await second.settled();
      const dead = await queue.readJob(job.id);
      const last = { number: 3, end: 'dead', worker: 'two', isEarlier: false, error: KEPT };
      expect(dead).toMatchObject({ state: 'FAILURE', error: KEPT, failures: [...kept, last] });
      expect(dead?.stacks).toEqual([...kept, last].map(({ error }) => error.stack));
      assertInOrder(dead);
      expect(dead?.failures.at(-1)?.startedAt).toBe(dead?.startedAt);
    }),

    defineRule('a job that is reprocessed keeps its ledger, and what was before is told apart', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const job = newJob();
      await queue.add(job);
      const ends: Outcome[] = [
        { kind: 'retry', delayMs: 0, error: ERROR },
        { kind: 'dead', error: ERROR },
        { kind: 'retry', delayMs: 0, error: ERROR },
      ];
      const probe = await workshop.consume(queue.name, { perform: () => ends.shift() ?? SUCCEEDED });
      await probe.taken.take(2);
      await probe.settled();
      expect(await queue.bulk.reprocess([{ id: job.id }])).toEqual([job.id]);
      await probe.taken.take(2);
      await probe.settled();
      const done = await queue.readJob(job.id);
      expect(done).toMatchObject({
        state: 'SUCCESS',
        error: null,
        failures: [
          { number: 1, end: 'retry', isEarlier: true },
          { number: 2, end: 'dead', isEarlier: true },
          { number: 1, end: 'retry', isEarlier: false },
        ],
      });
      assertInOrder(done);
    }),

    defineRule('of many attempts the last ten are kept', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const job = newJob();
      await queue.add(job);
      const probe = await workshop.consume(queue.name, {
        perform: ({ attempts }) =>
          attempts < 14 ? { kind: 'retry', delayMs: 0, error: ERROR } : { kind: 'dead', error: ERROR },
      });
      await probe.taken.take(14);
      await probe.settled();
      const numbers = (await queue.readJob(job.id))?.failures.map(({ number }) => number);
      expect(numbers).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
    }),

    defineRule('of the attempts of a plain BullMQ worker the ledger has what is known', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const { id = '' } = await workshop.plainQueue(queue.name).add('plain', 1, { attempts: 2 });
      await workshop.plainWorker(queue.name, () => {
        throw new RangeError('too far');
      });
      await expect.poll(async () => (await queue.counts()).dead).toBe(1);
      const job = await queue.readJob(id);
      const error = { name: 'RangeError', message: 'too far', stack: expect.stringContaining('ledger.ts') };
      expect(job?.failures).toMatchObject([
        { number: 1, end: 'retry', startedAt: null, endedAt: null, worker: null, error, isEarlier: false },
        { number: 2, end: 'dead', startedAt: job?.startedAt, endedAt: job?.finishedAt, error, isEarlier: false },
      ]);
    }),
  ],
};
