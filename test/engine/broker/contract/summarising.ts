import { expect } from 'vitest';
import type { BrokerQueue } from '../../../../src/engine/broker/port.ts';
import { fingerprintOf } from '../../../../src/engine/core/fingerprint.ts';
import type { JobSummary, Outcome, StoredError, StoredJob } from '../../../../src/engine/core/job.ts';
import { newJob, newJobs, queueName } from '../workshop.ts';
import { defineRule, type Subject } from './rule.ts';

const LONG = 'x'.repeat(100_000);

/** What the whole job says where its summary says it too. */
function summarise(job: StoredJob | undefined): JobSummary | undefined {
  if (job === undefined) return undefined;
  const { id, task, queue, state, attempts, worker, createdAt, dueAt, startedAt, finishedAt, progress, reason } = job;
  const error = job.error === null ? null : { ...job.error, stack: null };
  const fingerprint = job.error === null ? null : fingerprintOf(job.error);
  const times = { createdAt, dueAt, startedAt, finishedAt };
  const ended = { error, fingerprint, reason, revoked: job.revoked };
  return { id, task, queue, state, attempts, worker, ...times, progress, ...ended };
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

const FRAME = '    at send ("the" \\file\\ [,"ü") (file:///app/mail.ts:1:2)';
const FAILED: StoredError = { name: 'TypeError', message: 'no', code: 'ERR_NO', stack: `TypeError: no\n${FRAME}` };
const PACKAGES = Array.from({ length: 5 }, (_, at) => `    at x${at} (/app/node_modules/ü/${'d'.repeat(150)}.js:1:2)`);
const LOST = Array.from(
  { length: 50 },
  (_, at) => `    at \u0001😀ü${at} (/app/node_modules/😀/${'d'.repeat(150)}.js:1:2)`,
);

const FAILURES: Readonly<Record<string, Partial<StoredError>>> = {
  plain: {},
  quoted: { message: 'no', stack: `TypeError: no\n${FRAME.replace('1:2', '30:4')}\n    at "]` },
  deep: { stack: ['TypeError: no', ...PACKAGES, FRAME].join('\n') },
  last: { message: `no ${'ü"]'.repeat(3000)}`, stack: ['TypeError: no', ...LOST, FRAME].join('\n') },
};

const PLAIN_STACKS = [
  `RangeError: no\n${FRAME}`,
  ...[
    '',
    'RangeError: no',
    ',"',
    '[","]',
    '["',
    'no\\',
    '\\\\n    at x (/y.ts:1:1)',
    `${'\u0002😀'.repeat(3000)}\n${FRAME}`,
  ],
  ['RangeError: no', ...LOST, FRAME].join('\n'),
  'Traceback (most recent call last):\n  File "/app/a.py", line 3, in f\nValueError: no',
];

/** As the summaries have them; they must be those of the whole jobs. */
async function readFingerprints(queue: BrokerQueue, jobs: readonly { id: string }[]): Promise<(string | null)[]> {
  const ids = jobs.map(({ id }) => id);
  const whole = await Promise.all(ids.map(async (id) => summarise(await queue.readJob(id))));
  const summaries = await queue.listSummaries(ids);
  const fingerprints = summaries.map(({ fingerprint }) => fingerprint);
  expect(fingerprints).toEqual(whole.map((job) => job?.fingerprint));
  return fingerprints;
}

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

    defineRule('the fingerprint of an error is the same for a job and its summary', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const jobs = Object.keys(FAILURES).map((task) => newJob({ task }));
      await queue.addBulk(jobs);
      const probe = await workshop.consume(queue.name, {
        perform: ({ task }) => ({ kind: 'dead', error: { ...FAILED, ...FAILURES[task] } }),
      });
      for (const _ of jobs) await probe.taken.next();
      await probe.settled();
      await probe.stop();
      const fingerprints = await readFingerprints(queue, jobs);
      const [first] = fingerprints;
      expect(first).toMatch(/^[\da-f]{8}$/);
      // All but the last are the same error; what differs is what a fingerprint leaves out.
      expect(fingerprints).toEqual([...Array(jobs.length - 1).fill(first), expect.not.stringMatching(first as string)]);
    }),

    defineRule('so is that of a job that a plain BullMQ worker failed', async ({ broker, plainQueue, plainWorker }) => {
      const queue = broker.queue(queueName());
      const added = await plainQueue(queue.name).addBulk(
        PLAIN_STACKS.map((stack) => ({ name: 'plain', data: { stack } })),
      );
      await plainWorker(queue.name, (data) => {
        throw Object.assign(new RangeError('no'), { stack: (data as { stack?: string }).stack });
      });
      await expect.poll(async () => (await queue.counts()).dead).toBe(PLAIN_STACKS.length);
      const jobs = added.map(({ id }) => ({ id: id as string }));
      expect(await readFingerprints(queue, jobs)).toEqual(jobs.map(() => expect.stringMatching(/^[\da-f]{8}$/)));
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
