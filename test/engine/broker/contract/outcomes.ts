import { expect } from 'vitest';
import type { TakenJob } from '../../../../src/engine/broker/port.ts';
import type { NewJob, Outcome, StoredError } from '../../../../src/engine/core/job.ts';
import { createJobResult } from '../../../../src/engine/results/job-result.ts';
import { newJob, newJobs, queueName, SUCCEEDED } from '../workshop.ts';
import { defineRule, type Rule, type Subject } from './rule.ts';

const ERROR: StoredError = {
  name: 'TypeError',
  message: 'cannot\nread',
  code: 'ERR_X',
  stack: 'TypeError: cannot\nread\n    at work (file:///app/work.ts:1:2)',
};

const RESULTS: readonly [title: string, result: unknown, stored: unknown][] = [
  ['undefined', undefined, null],
  ['null', null, null],
  ['zero', 0, 0],
  ['false', false, false],
  ['an empty text', '', ''],
  ['a text that looks like JSON', '{"a":1}', '{"a":1}'],
  ['an array', [1, [2], null], [1, [2], null]],
  ['an object', { a: { b: 'ü' } }, { a: { b: 'ü' } }],
  [
    'an object that looks like the marker of an ignored job',
    { $tq: { state: 'IGNORED', reason: 'x' } },
    { $tq: { state: 'IGNORED', reason: 'x' } },
  ],
  ['an object with a field of the marker', { $tq: 1, more: 2 }, { $tq: 1, more: 2 }],
];

/** Runs one job with this outcome, and reads it when the outcome is stored. */
function outcomeRule(title: string, outcome: Outcome, expected: Record<string, unknown>): Rule {
  return defineRule(title, async ({ broker, consume }) => {
    const queue = broker.queue(queueName());
    const job = newJob();
    await queue.add(job);
    const probe = await consume(queue.name, { perform: () => outcome, workerName: 'tq@host' });
    await probe.taken.next();
    await probe.settled();
    const stored = await queue.readJob(job.id);
    expect(stored).toMatchObject({ attempts: 1, workersLost: 0, worker: 'tq@host', ...expected });
    expect(stored?.startedAt).toBeGreaterThanOrEqual(job.createdAt);
    expect(stored?.finishedAt).toBeGreaterThanOrEqual(stored?.startedAt ?? Number.NaN);
  });
}

export const outcomes: Subject = {
  subject: 'outcomes',
  rules: [
    ...RESULTS.map(([title, result, stored]) =>
      outcomeRule(
        `a job that succeeds with ${title} gives it back`,
        { kind: 'succeeded', result },
        { state: 'SUCCESS', result: stored, error: null, reason: null },
      ),
    ),
    outcomeRule(
      'an ignored job ends with its reason and is no dead letter',
      { kind: 'ended', state: 'IGNORED', reason: 'not wanted' },
      { state: 'IGNORED', reason: 'not wanted', result: null, error: null },
    ),
    outcomeRule(
      'a revoked job ends with its reason and is no dead letter',
      { kind: 'ended', state: 'REVOKED', reason: 'expired' },
      { state: 'REVOKED', reason: 'expired', result: null, error: null },
    ),
    outcomeRule(
      'a job that failed without being a dead letter keeps name, message and code of its error',
      { kind: 'failed', error: ERROR },
      {
        state: 'FAILURE',
        result: null,
        reason: null,
        error: expect.objectContaining({ ...ERROR, stack: expect.any(String) }),
      },
    ),
    outcomeRule(
      'a dead job keeps name, message, code and stack of its error',
      { kind: 'dead', error: ERROR },
      {
        state: 'FAILURE',
        result: null,
        error: { ...ERROR, stack: `TypeError [ERR_X]: cannot\nread\n    at work (file:///app/work.ts:1:2)` },
        stacks: [`TypeError [ERR_X]: cannot\nread\n    at work (file:///app/work.ts:1:2)`],
      },
    ),
    outcomeRule(
      'an error without a stack and with an empty message is kept too',
      { kind: 'dead', error: { name: 'Error', message: '', code: null, stack: null } },
      { state: 'FAILURE', error: { name: 'Error', message: '', code: null, stack: 'Error: ' } },
    ),
    outcomeRule(
      'an error of many megabytes is cut and says so',
      { kind: 'dead', error: { name: 'Error', message: 'm'.repeat(5_000_000), code: null, stack: null } },
      {
        state: 'FAILURE',
        error: expect.objectContaining({ message: expect.stringMatching(/^m{8192}… \(4991808 char/) }),
      },
    ),

    defineRule(
      'a job that is ignored, revoked or failed counts as completed, a dead one as dead',
      async ({ broker, consume }) => {
        const queue = broker.queue(queueName());
        await queue.addBulk(newJobs(4));
        const ends: Outcome[] = [
          { kind: 'failed', error: ERROR },
          { kind: 'ended', state: 'IGNORED', reason: '' },
          { kind: 'ended', state: 'REVOKED', reason: '' },
          { kind: 'dead', error: ERROR },
        ];
        const probe = await consume(queue.name, { perform: () => ends.shift() ?? SUCCEEDED });
        await probe.taken.take(4);
        await probe.settled();
        expect(await queue.counts()).toMatchObject({ completed: 3, dead: 1, waiting: 0, active: 0 });
      },
    ),

    defineRule('a dead letter is told when it is stored, and no other end of an attempt is', async (workshop) => {
      const { broker, consume, gate } = workshop;
      const queue = broker.queue(queueName());
      const [retried, failed, dead] = newJobs(3);
      await queue.addBulk([retried, failed, dead] as NewJob[]);
      const ends: Outcome[] = [
        { kind: 'retry', delayMs: 600_000, error: ERROR },
        { kind: 'failed', error: ERROR },
        { kind: 'dead', error: ERROR },
      ];
      const told = gate<string[]>();
      const onDead = async ({ id }: TakenJob): Promise<void> => {
        told.resolve([id, (await queue.readJob(id))?.state ?? 'gone']);
      };
      const perform = (): Outcome => ends.shift() ?? SUCCEEDED;
      await consume(queue.name, { perform, onDead: (job) => void onDead(job) });
      expect(await told.promise).toEqual([dead?.id, 'FAILURE']);
    }),

    defineRule('who waits for a job that failed without being a dead letter is given its error', async (workshop) => {
      const { broker, consume, gate } = workshop;
      const queue = broker.queue(queueName());
      const job = newJob();
      await queue.add(job);
      const revoke = () => Promise.reject(new Error('nobody revokes it'));
      const lineage = { listFollowing: revoke, workflowOf: revoke, groupOf: revoke } as never;
      const result = createJobResult(job.id, { openBroker: async () => broker, revoke, lineage, queue: queue.name });
      const waited = result.get().catch((error: Error) => error);
      const hold = gate<Outcome>();
      const probe = await consume(queue.name, { perform: () => hold.promise });
      await probe.taken.next();
      hold.resolve({ kind: 'failed', error: ERROR });
      expect(await waited).toMatchObject({
        code: 'TASK_FAILED',
        message: expect.stringContaining('TypeError: cannot'),
        cause: { name: 'TypeError', message: 'cannot\nread', code: 'ERR_X' },
      });
      expect(await result.state()).toBe('FAILURE');
    }),

    defineRule('a retry with a delay charges an attempt and waits', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      const job = newJob();
      await queue.add(job);
      const ends: Outcome[] = [{ kind: 'retry', delayMs: 250, error: ERROR }];
      const probe = await consume(queue.name, { perform: () => ends.shift() ?? SUCCEEDED });
      const before = Date.now();
      await probe.taken.next();
      await probe.settled();
      const waiting = await queue.readJob(job.id);
      expect(waiting).toMatchObject({
        state: 'RETRY',
        attempts: 1,
        error: { name: 'TypeError', message: 'cannot\nread', code: 'ERR_X' },
      });
      expect(waiting?.dueAt).toBeGreaterThanOrEqual(before + 250);
      const again = await probe.taken.next();
      expect(Date.now()).toBeGreaterThanOrEqual(waiting?.dueAt ?? Number.NaN);
      expect(again).toMatchObject({ id: job.id, attempts: 2, timesTaken: 2, workersLost: 0 });
      await probe.settled();
      expect(await queue.readJob(job.id)).toMatchObject({ state: 'SUCCESS', attempts: 2 });
    }),

    defineRule('retries without a delay run again at once, and at most ten stacks are kept', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const job = newJob();
      await queue.add(job);
      const probe = await workshop.consume(queue.name, {
        perform: ({ attempts }): Outcome => {
          const error = { name: 'Error', message: `attempt ${attempts}`, code: null, stack: null };
          return attempts < 14 ? { kind: 'retry', delayMs: 0, error } : { kind: 'dead', error };
        },
      });
      const taken = await probe.taken.take(14);
      expect(taken.map(({ attempts }) => attempts)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
      await probe.settled();
      const dead = await queue.readJob(job.id);
      expect(dead).toMatchObject({ state: 'FAILURE', attempts: 14, error: { message: 'attempt 14' } });
      expect(dead?.stacks).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13, 14].map((attempt) => `Error: attempt ${attempt}`));
    }),

    defineRule('a job that succeeds after a retry shows no error', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      const job = newJob();
      await queue.add(job);
      const probe = await consume(queue.name, {
        perform: ({ attempts }) => (attempts === 1 ? { kind: 'retry', delayMs: 0, error: ERROR } : SUCCEEDED),
      });
      await probe.taken.take(2);
      await probe.settled();
      expect(await queue.readJob(job.id)).toMatchObject({
        state: 'SUCCESS',
        error: null,
        stacks: [expect.any(String)],
      });
    }),

    defineRule('a postponed job waits its delay, is charged no attempt, and its log says why', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const job = newJob();
      await queue.add(job);
      const ends: Outcome[] = [{ kind: 'postponed', delayMs: 200, note: 'put back by tq@host: no such task' }];
      const probe = await workshop.consume(queue.name, { perform: () => ends.shift() ?? SUCCEEDED });
      const before = Date.now();
      await probe.taken.next();
      await probe.settled();
      const waiting = await queue.readJob(job.id);
      expect(waiting).toMatchObject({ state: 'SCHEDULED', attempts: 0, error: null, stacks: [] });
      expect(waiting?.dueAt).toBeGreaterThanOrEqual(before + 200);
      expect(await queue.readLog(job.id)).toEqual(['put back by tq@host: no such task']);
      expect(await probe.taken.next()).toMatchObject({ id: job.id, attempts: 1, timesTaken: 2 });
    }),

    defineRule('a released job is charged no attempt and goes to the head of its queue', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const jobs = newJobs(3);
      await queue.addBulk(jobs);
      const hold = workshop.gate<Outcome>();
      const leaving = await workshop.consume(queue.name, { perform: () => hold.promise });
      await leaving.taken.next();
      const stopped = leaving.stop();
      hold.resolve({ kind: 'released' });
      await stopped;
      expect(await queue.readJob(jobs[0]?.id ?? '')).toMatchObject({ state: 'PENDING', attempts: 0 });
      const next = await workshop.consume(queue.name);
      const taken = await next.taken.take(3);
      expect(taken.map(({ id }) => id)).toEqual(jobs.map(({ id }) => id));
      expect(taken[0]).toMatchObject({ attempts: 1, timesTaken: 2, workersLost: 0 });
    }),

    ...[undefined, 5].map((priority) =>
      defineRule(
        `a released job ${priority === undefined ? 'without' : 'with'} a priority wakes an idle worker at once`,
        async ({ broker, consume, openBroker, gate }) => {
          const queue = broker.queue(queueName());
          if (priority !== undefined) await queue.enablePriorities();
          const job = newJob(priority === undefined ? {} : { priority });
          await queue.add(job);
          const hold = gate<Outcome>();
          const leaving = await consume(queue.name, { perform: () => hold.promise });
          await leaving.taken.next();
          const looked = Promise.withResolvers<void>();
          const idle = await consume(queue.name, { broker: await openBroker(), onIdle: looked.resolve });
          await looked.promise;
          const stopped = leaving.stop();
          const releasedAt = performance.now();
          hold.resolve({ kind: 'released' });
          expect(await idle.taken.next()).toMatchObject({ id: job.id, attempts: 1, priority: priority ?? null });
          // An idle worker looks by itself only every five seconds.
          expect(performance.now() - releasedAt).toBeLessThan(2000);
          await stopped;
        },
      ),
    ),

    defineRule('a released job with a priority still goes before lower ones', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      await queue.enablePriorities();
      const [high, low] = [newJob({ priority: 9 }), newJob({ priority: 1 })];
      await queue.addBulk([low, high]);
      const ends: Outcome[] = [{ kind: 'released' }];
      const probe = await consume(queue.name, { perform: () => ends.shift() ?? SUCCEEDED });
      const taken = await probe.taken.take(3);
      expect(taken.map(({ id }) => id)).toEqual([high.id, high.id, low.id]);
    }),

    defineRule('a result is read no longer than its call says, and harms no other', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      const jobs = [
        newJob({ task: 'kept' }),
        newJob({ task: 'short', meta: { resultExpiresMs: 0 } }),
        newJob({ task: 'ignored', ignoreResult: true }),
        newJob({ task: 'dead', ignoreResult: true, meta: { resultExpiresMs: 0 } }),
        newJob({ task: 'kept-too' }),
      ];
      await queue.addBulk(jobs);
      const probe = await consume(queue.name, {
        perform: (job) => (job.task === 'dead' ? { kind: 'dead', error: ERROR } : SUCCEEDED),
      });
      await probe.taken.take(jobs.length);
      await probe.settled();
      const states = await Promise.all(jobs.map(async ({ id }) => (await queue.readJob(id))?.state));
      expect(states).toEqual(['SUCCESS', undefined, undefined, 'FAILURE', 'SUCCESS']);
    }),

    defineRule('a task may keep nothing although the worker keeps results', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      const job = newJob();
      await queue.add(job);
      const probe = await consume(queue.name, {
        perform(taken) {
          taken.dropResult();
          return SUCCEEDED;
        },
      });
      await probe.taken.next();
      await probe.settled();
      expect(await queue.readJob(job.id)).toBeUndefined();
    }),
  ],
};
