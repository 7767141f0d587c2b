import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ControlAnswer, ControlQuestion } from '../../../src/engine/broker/control-port.ts';
import type { BrokerQueue } from '../../../src/engine/broker/port.ts';
import type { StateStore } from '../../../src/engine/broker/state-port.ts';
import { type RevokeReport, type RevokeRequest, revokeJobs } from '../../../src/engine/control/revoke-jobs.ts';
import { listLying } from '../../../src/engine/control/revoked-index.ts';
import type { NewJob, Outcome } from '../../../src/engine/core/job.ts';
import { systemClock } from '../../../src/engine/runtime/system-clock.ts';
import { newJob, openWorkshop, type Probe, queueName, SUCCEEDED, type Workshop } from '../broker/workshop.ts';

const ERROR = { name: 'Error', message: 'no', code: null, stack: null };
const REFUSED: Outcome = { kind: 'ended', state: 'REVOKED', reason: 'by hand' };

let workshop: Workshop;
let queue: BrokerQueue;
beforeEach(async () => {
  workshop = await openWorkshop('sqlite', 'sqlite::memory:');
  queue = workshop.broker.queue(queueName());
});
afterEach(() => workshop.close());

interface Answers {
  readonly answers?: Readonly<Record<string, ControlAnswer>>;
  readonly silent?: readonly string[];
}

/** Revokes on a real broker, with workers that answer what the test says. */
async function revoke(
  request: RevokeRequest,
  {
    ask,
    beforeMark,
    write,
  }: {
    ask?: (question: ControlQuestion) => Promise<Answers>;
    beforeMark?: () => Promise<unknown>;
    write?: StateStore['write'];
  } = {},
): Promise<RevokeReport & { questions: ControlQuestion[] }> {
  const { broker } = workshop;
  const questions: ControlQuestion[] = [];
  const report = await revokeJobs(
    {
      clock: systemClock,
      broker: {
        state: { ...broker.state, ...(write !== undefined && { write }) },
        listQueues: () => broker.listQueues(),
        queue: (name) => {
          const real = broker.queue(name);
          return {
            readJob: (id: string) => real.readJob(id),
            listBriefs: (ids: readonly string[]) => real.listBriefs(ids),
            async revoke(...marking: Parameters<BrokerQueue['revoke']>) {
              await beforeMark?.();
              return await real.revoke(...marking);
            },
          } as BrokerQueue;
        },
        control: {
          ...broker.control,
          async ask(question) {
            questions.push(question);
            const { answers = {}, silent = [] } = (await ask?.(question)) ?? {};
            return { answers: new Map(Object.entries(answers)), silent };
          },
        },
      },
    },
    request,
  );
  return { ...report, questions };
}

/** A job that a worker has taken, which ends when the test says how. */
async function takeOne(
  job: NewJob = newJob(),
): Promise<{ job: NewJob; probe: Probe; end: (outcome: Outcome) => void }> {
  await queue.add(job);
  const hold = workshop.gate<Outcome>();
  const ends = [hold.promise];
  const probe = await workshop.consume(queue.name, {
    workerName: 'tq@a',
    perform: ({ revoked }) => ends.shift() ?? (revoked === undefined ? SUCCEEDED : REFUSED),
  });
  await probe.taken.next();
  return { job, probe, end: hold.resolve };
}

const receipt = (job: NewJob, happened: string): ControlAnswer => ({
  ok: true,
  value: [{ id: job.id, task: job.task, queue: queue.name, happened }],
});
const NOTHING: ControlAnswer = { ok: true, value: [] };

describe('jobs that do not run', () => {
  test('are revoked without a word to any worker, and the report keeps the order of the ids', async () => {
    const [waiting, scheduled] = [newJob(), newJob({ delayMs: 60_000 })];
    await queue.addBulk([waiting, scheduled]);
    const { jobs, questions } = await revoke({ ids: [scheduled.id, 'gone', waiting.id, scheduled.id], by: 'ada' });
    const never = { task: 'work', queue: queue.name, happened: 'never started', state: 'REVOKED', worker: null };
    expect(jobs).toEqual([
      { id: scheduled.id, ...never },
      { id: 'gone', task: null, queue: null, happened: 'unknown', state: 'UNKNOWN', worker: null },
      { id: waiting.id, ...never },
    ]);
    expect(questions).toEqual([]);
    expect(await queue.readJob(waiting.id)).toMatchObject({ revoked: { by: 'ada' } });
  });

  test('are not changed when they have finished', async () => {
    const { job, probe, end } = await takeOne();
    end({ kind: 'dead', error: ERROR });
    await probe.settled();
    const { jobs } = await revoke({ ids: [job.id] });
    expect(jobs).toMatchObject([{ happened: 'had finished', state: 'FAILURE', worker: 'tq@a' }]);
    expect(await queue.readJob(job.id)).toMatchObject({ state: 'FAILURE', reason: null });
  });

  test('and have run before are not started again', async () => {
    const { job, probe, end } = await takeOne();
    end({ kind: 'retry', delayMs: 60_000, error: ERROR });
    await probe.settled();
    expect((await revoke({ ids: [job.id] })).jobs).toMatchObject([{ happened: 'not started again', state: 'REVOKED' }]);
  });

  test('are found in any queue, in the likely ones first, and only in the one that is named', async () => {
    const job = newJob();
    await queue.add(job);
    expect((await revoke({ ids: [job.id], queue: 'other' })).jobs).toMatchObject([{ happened: 'unknown' }]);
    expect(await queue.readJob(job.id)).toMatchObject({ state: 'PENDING' });
    const found = await revoke({ ids: [job.id], likelyQueues: ['other'] });
    expect(found.jobs).toMatchObject([{ happened: 'never started', queue: queue.name }]);
  });

  test('of one number in two queues: none of them is touched', async () => {
    const other = workshop.broker.queue(queueName());
    const sure = newJob();
    await queue.addBulk([newJob({ id: '7' }), sure]);
    await other.add(newJob({ id: '7' }));
    await expect(revoke({ ids: [sure.id, '7'] })).rejects.toMatchObject({ code: 'AMBIGUOUS_JOB' });
    expect(await queue.readJob(sure.id)).toMatchObject({ state: 'PENDING' });
    expect((await revoke({ ids: ['7'], queue: other.name })).jobs).toMatchObject([{ queue: other.name }]);
    expect(await queue.readJob('7')).toMatchObject({ state: 'PENDING' });
  });

  test('are many: ten thousand in two queues', async () => {
    const other = workshop.broker.queue(queueName());
    const jobs = Array.from({ length: 10_000 }, () => newJob());
    await queue.addBulk(jobs.slice(0, 5000));
    await other.addBulk(jobs.slice(5000));
    const progress: number[] = [];
    const ids = jobs.map(({ id }) => id);
    const report = await revoke({ ids, onProgress: (done) => progress.push(done) });
    expect(report.jobs.map(({ id }) => id)).toEqual(ids);
    expect(report.jobs.every(({ happened }) => happened === 'never started')).toBe(true);
    expect(progress.at(-1)).toBe(10_000);
  });
});

describe('a job that runs', () => {
  test('has its worker asked, with who has it and how long it may take', async () => {
    const { job, probe, end } = await takeOne();
    const { jobs, questions, answers } = await revoke(
      { ids: [job.id], terminate: true, destinations: ['tq@a'], timeoutMs: 10_000 },
      {
        async ask() {
          end(REFUSED);
          await probe.settled();
          return { answers: { 'tq@a': receipt(job, 'killed'), 'tq@b': NOTHING } };
        },
      },
    );
    expect(jobs).toEqual([
      { id: job.id, task: 'work', queue: queue.name, happened: 'killed', state: 'REVOKED', worker: 'tq@a' },
    ]);
    expect(answers.get('tq@a')).toEqual(receipt(job, 'killed'));
    expect(questions).toMatchObject([
      {
        command: 'revoke',
        destinations: ['tq@a'],
        args: {
          jobs: [{ id: job.id, queue: queue.name, worker: 'tq@a' }],
          terminate: true,
          graceMs: expect.toSatisfy((graceMs: number) => graceMs > 5000 && graceMs < 10_000),
        },
      },
    ]);
  });

  test('is reported as ended once its end is stored', async () => {
    const { job, probe, end } = await takeOne();
    const { jobs } = await revoke(
      { ids: [job.id] },
      {
        async ask() {
          setImmediate(() => end(REFUSED));
          return { answers: { 'tq@a': receipt(job, 'aborted') } };
        },
      },
    );
    expect(jobs).toMatchObject([{ happened: 'aborted', state: 'REVOKED' }]);
    await probe.settled();
  });

  test('may ignore the signal', async () => {
    const { job } = await takeOne();
    const ask = async (): Promise<Answers> => ({ answers: { 'tq@a': receipt(job, 'ignored the signal') } });
    const { jobs } = await revoke({ ids: [job.id] }, { ask });
    expect(jobs).toMatchObject([{ happened: 'ignored the signal', state: 'STARTED', worker: 'tq@a' }]);
  });

  test.each<[string, Answers, RevokeRequest['destinations'], string]>([
    ['whose worker is silent has no answer', { silent: ['tq@a'] }, undefined, 'no answer'],
    [
      'whose worker answers with an error has no answer',
      { answers: { 'tq@a': { ok: false, error: { code: 'UNKNOWN_CONTROL', message: 'old' } } } },
      undefined,
      'no answer',
    ],
    ['whose worker dies while it is asked is orphaned', { answers: { 'tq@b': NOTHING } }, undefined, 'orphaned'],
    ['whose worker is not addressed is not asked', { answers: { 'tq@b': NOTHING } }, ['tq@b'], 'not asked'],
  ])('%s, and will not run again', async (_, answers, destinations, happened) => {
    const { job, probe, end } = await takeOne();
    const { jobs } = await revoke({ ids: [job.id], destinations }, { ask: async () => answers });
    expect(jobs).toMatchObject([{ happened, state: 'STARTED', worker: 'tq@a' }]);
    end({ kind: 'retry', delayMs: 0, error: ERROR });
    expect(await probe.taken.next()).toMatchObject({ id: job.id, revoked: { by: null } });
  });
});

describe('a race', () => {
  test('a job that is taken between looking and marking is asked about', async () => {
    const job = newJob();
    await queue.add(job);
    const hold = workshop.gate<Outcome>();
    const { jobs, questions } = await revoke(
      { ids: [job.id] },
      {
        async beforeMark() {
          const probe = await workshop.consume(queue.name, { workerName: 'tq@a', perform: () => hold.promise });
          expect(await probe.taken.next()).toMatchObject({ revoked: undefined });
        },
        async ask() {
          hold.resolve(REFUSED);
          return { answers: { 'tq@a': receipt(job, 'aborted') } };
        },
      },
    );
    expect(questions).toHaveLength(1);
    expect(jobs).toMatchObject([{ happened: 'aborted', state: 'REVOKED' }]);
  });

  test('a job that ends between looking and marking had finished, and bears no mark', async () => {
    const { job, probe, end } = await takeOne();
    const { jobs, questions } = await revoke(
      { ids: [job.id] },
      {
        async beforeMark() {
          end(SUCCEEDED);
          await probe.settled();
        },
      },
    );
    expect({ jobs, questions }).toMatchObject({
      jobs: [{ happened: 'had finished', state: 'SUCCESS' }],
      questions: [],
    });
  });

  test('a job that ends between marking and asking had finished', async () => {
    const { job, probe, end } = await takeOne();
    const { jobs } = await revoke(
      { ids: [job.id] },
      {
        async ask() {
          end({ kind: 'succeeded', result: 7 });
          await probe.settled();
          return { answers: { 'tq@a': NOTHING } };
        },
      },
    );
    expect(jobs).toMatchObject([{ happened: 'had finished', state: 'SUCCESS' }]);
    expect(await queue.readJob(job.id)).toMatchObject({ state: 'SUCCESS', result: 7 });
  });

  test('a job that is retried while it is asked about is not started again', async () => {
    const { job, probe, end } = await takeOne();
    const { jobs } = await revoke(
      { ids: [job.id] },
      {
        async ask() {
          end({ kind: 'retry', delayMs: 60_000, error: ERROR });
          await probe.settled();
          return { answers: { 'tq@a': NOTHING } };
        },
      },
    );
    expect(jobs).toMatchObject([{ happened: 'not started again', state: 'REVOKED' }]);
  });

  test('a job that was on its way to its worker, which then refuses it, never started', async () => {
    const { job, end } = await takeOne();
    const { jobs } = await revoke(
      { ids: [job.id] },
      {
        async ask() {
          setImmediate(() => end(REFUSED));
          return { answers: { 'tq@a': NOTHING } };
        },
      },
    );
    expect(jobs).toMatchObject([{ happened: 'never started', state: 'REVOKED' }]);
  });

  test('two who revoke the same job both hear what happened to it', async () => {
    const waiting = newJob();
    await queue.add(waiting);
    const reports = await Promise.all([revoke({ ids: [waiting.id] }), revoke({ ids: [waiting.id] })]);
    for (const { jobs } of reports) expect(jobs).toMatchObject([{ happened: 'never started', state: 'REVOKED' }]);
    // And who comes after them.
    expect((await revoke({ ids: [waiting.id] })).jobs).toMatchObject([{ happened: 'never started' }]);
  });
});

describe('the list of revoked jobs that lie in the broker', () => {
  test('holds what has not ended, the latest first, and forgets what has', async () => {
    const [first, second] = [newJob({ delayMs: 60_000 }), newJob()];
    await queue.addBulk([first, second]);
    await revoke({ ids: [first.id], by: 'ada' });
    await revoke({ ids: [second.id] });
    const lying = await listLying(workshop.broker, 10);
    expect(lying.toSorted((a, b) => (a.id === first.id ? -1 : b.id === first.id ? 1 : 0))).toMatchObject([
      { id: first.id, task: 'work', queue: queue.name, phase: 'waiting', by: 'ada' },
      { id: second.id, phase: 'waiting', by: null },
    ]);
    await queue.removeJob(second.id);
    expect(await listLying(workshop.broker, 10)).toMatchObject([{ id: first.id }]);
    expect(await workshop.broker.state.list('revoked/')).toHaveLength(1);
  });

  test('fails nobody when it cannot be written', async () => {
    const job = newJob();
    await queue.add(job);
    const write = () => Promise.reject(new Error('the store is full'));
    expect((await revoke({ ids: [job.id] }, { write })).jobs).toMatchObject([{ happened: 'never started' }]);
    expect(await listLying(workshop.broker, 10)).toEqual([]);
  });
});
