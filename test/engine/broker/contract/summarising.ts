import { expect } from 'vitest';
import type { JobSummary, Outcome, StoredJob } from '../../../../src/engine/core/job.ts';
import { newJob, newJobs, queueName } from '../workshop.ts';
import { defineRule, type Subject } from './rule.ts';

const LONG = 'x'.repeat(100_000);

/** What the whole job says where its summary says it too. */
function summarise(job: StoredJob | undefined): JobSummary | undefined {
  if (job === undefined) return undefined;
  const { id, task, queue, state, attempts, worker, createdAt, dueAt, startedAt, finishedAt, progress, reason } = job;
  const error = job.error === null ? null : { ...job.error, stack: null };
  const times = { createdAt, dueAt, startedAt, finishedAt };
  return { id, task, queue, state, attempts, worker, ...times, progress, error, reason, revoked: job.revoked };
}

const ENDS: Readonly<Record<string, Outcome>> = {
  fine: { kind: 'succeeded', result: { text: LONG } },
  marked: { kind: 'succeeded', result: { $tq: 'a result of its own' } },
  dead: {
    kind: 'dead',
    error: {
      name: 'TypeError',
      message: 'no\nsuch thing',
      code: 'ERR_NO',
      stack: 'TypeError: no\n    at f (x.ts:1:1)',
    },
  },
  ignored: { kind: 'ended', state: 'IGNORED', reason: 'nothing to do' },
  revoked: { kind: 'ended', state: 'REVOKED', reason: 'by ada' },
  retry: { kind: 'retry', delayMs: 60_000, error: { name: 'Error', message: 'later', code: null, stack: null } },
};

export const summarising: Subject = {
  subject: 'what many jobs have come to',
  rules: [
    defineRule('a summary says what the job says, in every state', async ({ broker, consume, gate }) => {
      const queue = broker.queue(queueName());
      const hold = gate<Outcome>();
      const ended = Object.keys(ENDS).map((task) => newJob({ task, args: [LONG] }));
      const held = newJob({ task: 'held' });
      const waiting = newJob({ task: 'waiting' });
      const scheduled = newJob({ delayMs: 120_000 });
      const cancelled = newJob({ delayMs: 120_000 });
      await queue.addBulk([...ended, held, waiting, scheduled, cancelled]);
      await queue.revoke([cancelled.id], { at: 1000, by: 'ada' });
      const probe = await consume(queue.name, {
        async perform(job) {
          await job.updateProgress({ done: 1, total: 3 });
          return ENDS[job.task] ?? (await hold.promise);
        },
      });
      for (let taken = await probe.taken.next(); taken?.task !== 'held'; ) taken = await probe.taken.next();
      await expect.poll(async () => (await queue.readJob(held.id))?.progress).not.toBeNull();
      const ids = [...ended, held, waiting, scheduled, cancelled].map(({ id }) => id);
      const wanted = await Promise.all(ids.map(async (id) => summarise(await queue.readJob(id))));
      const summaries = await queue.listSummaries(['gone', ...ids]);
      expect(summaries).toEqual(wanted);
      expect(summaries.map(({ state }) => state)).toEqual([
        ...['SUCCESS', 'SUCCESS', 'FAILURE', 'IGNORED', 'REVOKED', 'RETRY', 'STARTED', 'PENDING', 'SCHEDULED'],
        'REVOKED',
      ]);
      expect(summaries[2]?.error).toEqual({
        name: 'TypeError',
        message: 'no\nsuch thing',
        code: 'ERR_NO',
        stack: null,
      });
      hold.resolve({ kind: 'released' });
    }),

    defineRule('a parent of a flow is blocked, and ids that look like other keys are no jobs', async (workshop) => {
      const { broker, plainFlow } = workshop;
      const queue = broker.queue(queueName());
      const parent = await plainFlow({
        name: 'parent',
        queueName: queue.name,
        children: [{ name: 'child', queueName: queue.name }],
      });
      expect(await queue.listSummaries(['wait', 'meta', 'completed', parent, "o'clock"])).toMatchObject([
        { id: parent, state: 'BLOCKED', finishedAt: null },
      ]);
      expect(await queue.listSummaries([])).toEqual([]);
      expect(await broker.queue(queueName()).listSummaries(['x'])).toEqual([]);
    }),

    defineRule('five hundred are read at once', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const jobs = newJobs(500);
      await queue.addBulk(jobs);
      const ids = jobs.map(({ id }) => id);
      expect((await queue.listSummaries(ids)).map(({ id }) => id)).toEqual(ids);
    }),
  ],
};
