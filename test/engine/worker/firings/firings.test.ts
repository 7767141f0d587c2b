import { beforeEach, describe, expect, test } from 'vitest';
import type { JobBrief } from '../../../../src/engine/broker/port.ts';
import { createError } from '../../../../src/engine/core/errors.ts';
import type { Outcome } from '../../../../src/engine/core/job.ts';
import type { Happened } from '../../../../src/engine/core/revocation.ts';
import { type RunRecord, RunRecords } from '../../../../src/engine/schedule/run-record.ts';
import { Firings, type FiringsOptions } from '../../../../src/engine/worker/firings/firings.ts';
import { define } from '../executor-setup.ts';
import { FakeBroker } from '../fake-broker.ts';
import { FakeJob, type FakeJobFields } from '../fake-job.ts';
import { createFakeClock, recordHooks, recordLog } from '../recorded.ts';

const DUE = 1_700_000_000_000;
const ENTRY = 'nightly';
const SUCCEEDED: Outcome = { kind: 'succeeded', result: 1 };
const ERROR = { name: 'Error', message: 'no', code: null, stack: null };

function createFiring(dueAt = DUE, { meta, ...fields }: FakeJobFields = {}): FakeJob {
  return new FakeJob({
    id: `repeat:${ENTRY}:${dueAt}`,
    meta: { schedule: { entry: ENTRY, ...meta?.schedule } },
    ...fields,
  });
}

const overlapping = (overlap: 'skip' | 'replace') => ({ meta: { schedule: { entry: ENTRY, overlap } } });

let broker: FakeBroker;
let records: RunRecords;
beforeEach(() => {
  broker = new FakeBroker();
  records = new RunRecords(broker.state);
});

function setUp(options: Partial<FiringsOptions> = {}) {
  const clock = createFakeClock(DUE);
  const log = recordLog();
  const revoked: string[] = [];
  let happened: Happened = 'killed';
  const firings = new Firings({
    ...{ worker: 'tq@test', broker, clock, logger: log.logger, hooks: recordHooks().hooks, maxWorkerLost: 3 },
    tasks: new Map([['a.task', define('a.task', {}, () => 1)]]),
    isRefusing: () => false,
    revoke: async ({ ids }) => {
      revoked.push(...ids);
      const state = 'REVOKED' as const;
      const jobs = ids.map((id) => ({ id, task: 'a.task', queue: 'default', happened, state, worker: 'other' }));
      return { answers: new Map(), silent: [], jobs };
    },
    ...options,
  });
  return { firings, clock, log, revoked, sayThatIt: (what: Happened) => (happened = what) };
}

/** A job of another worker that has not ended. */
function leaveRunning(id: string, brief: Partial<JobBrief> = {}): void {
  const found: JobBrief = {
    ...{ id, task: 'a.task', queue: 'default', phase: 'active', attempts: 0, worker: 'other', revoked: undefined },
    ...brief,
  };
  broker.queue('default').listBriefs = async () => [found] as never[];
}

const recordOf = (dueAt: number, more: Partial<RunRecord> = {}): RunRecord => ({
  ...{
    jobId: `repeat:${ENTRY}:${dueAt}`,
    dueAt,
    startedAt: dueAt,
    state: 'STARTED',
    finishedAt: null,
    worker: 'other',
  },
  ...more,
});
const readRecord = async () => (await records.read([ENTRY]))[0];

describe('a firing that is late', () => {
  const mark = { meta: { schedule: { entry: ENTRY, windowMs: 60_000 } } };

  test('is missed, also when it comes back without having started', async () => {
    const { firings, clock, log } = setUp();
    clock.advance(60_001);
    await records.note(ENTRY, recordOf(DUE - 1));
    for (const timesTaken of [1, 2]) {
      const missed = { kind: 'ended', state: 'IGNORED', reason: expect.stringMatching(/^missed: /) };
      expect(await firings.admit(createFiring(DUE, { ...mark, timesTaken }))).toEqual(missed);
    }
    expect(log.lines[0]).toMatchObject({ message: 'task ignored', schedule: ENTRY, reason: expect.any(String) });
  });

  test.each<[string, FakeJobFields]>([
    ['was handed back after it had started', { timesTaken: 2 }],
    ['has lost its worker', { timesTaken: 2, workersLost: 1 }],
    ['is retried', { attempts: 2, timesTaken: 2 }],
    ['was put back to work', { isPutBack: true }],
  ])('runs when it %s', async (_, fields) => {
    const { firings, clock } = setUp();
    clock.advance(60_001);
    if (fields.timesTaken === 2) await records.note(ENTRY, recordOf(DUE));
    expect(await firings.admit(createFiring(DUE, { ...mark, ...fields }))).toBeUndefined();
  });

  test.each([
    ['is revoked', { revoked: { at: 1, by: null } }],
    ['cannot be read', { unreadable: 'no JSON' }],
    ['has a task that is not known here', { task: 'other.task' }],
  ])('is left to the pool when it %s', async (_, fields) => {
    const { firings, clock } = setUp();
    clock.advance(60_001);
    const job = createFiring(DUE, { ...mark, ...fields });
    expect(await firings.admit(job)).toBeUndefined();
    expect(await firings.perform(job, async () => SUCCEEDED)).toBe(SUCCEEDED);
    expect(await readRecord()).toBeUndefined();
  });

  test('runs when the broker does not say whether it had started', async () => {
    const { firings, clock } = setUp();
    clock.advance(60_001);
    broker.state.read = () => Promise.reject(new Error('gone'));
    expect(await firings.admit(createFiring(DUE, { ...mark, timesTaken: 2 }))).toBeUndefined();
  });

  test('is left to the pool when the worker stops', async () => {
    const { firings, clock } = setUp({ isRefusing: () => true });
    clock.advance(60_001);
    expect(await firings.admit(createFiring(DUE, mark))).toBeUndefined();
  });
});

describe('a firing that may not overlap', () => {
  test.each([
    ['has ended by its record', recordOf(DUE - 1, { state: 'SUCCESS', finishedAt: DUE }), {}],
    ['has ended by its job', recordOf(DUE - 1), { phase: 'finished' }],
    ['waits and was revoked', recordOf(DUE - 1), { phase: 'scheduled', revoked: { at: 1, by: null } }],
  ] as const)('runs after an earlier one that %s', async (_, record, brief) => {
    const { firings } = setUp();
    await records.note(ENTRY, record);
    leaveRunning(record.jobId, brief);
    expect(await firings.perform(createFiring(DUE, overlapping('skip')), async () => SUCCEEDED)).toBe(SUCCEEDED);
    expect(await readRecord()).toMatchObject({ jobId: `repeat:${ENTRY}:${DUE}`, state: 'STARTED', worker: 'tq@test' });
  });

  test('runs after an earlier one that is stored no more', async () => {
    const { firings } = setUp();
    await records.note(ENTRY, recordOf(DUE - 1));
    expect(await firings.perform(createFiring(DUE, overlapping('skip')), async () => SUCCEEDED)).toBe(SUCCEEDED);
  });

  test.each(['waiting', 'scheduled', 'blocked', 'active'] as const)(
    'is skipped while an earlier one is %s',
    async (phase) => {
      const { firings } = setUp();
      const earlier = recordOf(DUE - 1000);
      await records.note(ENTRY, earlier);
      leaveRunning(earlier.jobId, { phase });
      const reason = 'skipped: the firing of 2023-11-14T22:13:19.000Z is still running';
      const outcome = await firings.perform(createFiring(DUE, overlapping('skip')), never);
      expect(outcome).toEqual({ kind: 'ended', state: 'IGNORED', reason });
      expect(await readRecord()).toEqual(earlier);
    },
  );

  test.each(['skip', 'replace'] as const)('makes way for a later one that runs, with %s', async (overlap) => {
    const { firings, revoked } = setUp();
    const later = recordOf(DUE + 1000);
    await records.note(ENTRY, later);
    leaveRunning(later.jobId);
    const outcome = await firings.perform(createFiring(DUE, overlapping(overlap)), never);
    expect(outcome).toMatchObject({ state: 'IGNORED', reason: expect.stringMatching(/^skipped: a later firing/) });
    expect(revoked).toEqual([]);
    expect(await readRecord()).toEqual(later);
  });

  test('is decided by the broker when two are about to start at the same moment', async () => {
    const { read } = broker.state;
    const both = Promise.withResolvers<void>();
    let reads = 0;
    // Neither writes before both have read that nobody runs.
    const state = {
      ...broker.state,
      read: async (key: string) => {
        const found = await read(key);
        reads += 1;
        if (reads === 2) both.resolve();
        await both.promise;
        return found;
      },
    };
    const queue = broker.queue('default');
    queue.listBriefs = (async ([id]: string[]) => [{ id, phase: 'active' }]) as never;
    const { firings } = setUp({ broker: Object.assign(new FakeBroker(), { state, queue: () => queue }) });
    const outcomes = await Promise.all(
      [0, 1].map((ms) => firings.perform(createFiring(DUE + ms, overlapping('skip')), async () => SUCCEEDED)),
    );
    expect(outcomes.filter((outcome) => outcome === SUCCEEDED)).toHaveLength(1);
    expect(outcomes.find((outcome) => outcome !== SUCCEEDED)).toMatchObject({ state: 'IGNORED' });
  });

  test.each([
    ['killed', 'INFO'],
    ['no answer', 'WARN'],
  ] as const)('replaces an earlier one, whose end is told: %s', async (happened, level) => {
    const { firings, revoked, log, sayThatIt } = setUp();
    sayThatIt(happened);
    const earlier = recordOf(DUE - 1000);
    await records.note(ENTRY, earlier);
    leaveRunning(earlier.jobId);
    expect(await firings.perform(createFiring(DUE, overlapping('replace')), async () => SUCCEEDED)).toBe(SUCCEEDED);
    expect(revoked).toEqual([earlier.jobId]);
    expect(log.lines).toMatchObject([{ level, replaced: earlier.jobId, happened, schedule: ENTRY }]);
    expect(await readRecord()).toMatchObject({ dueAt: DUE, state: 'STARTED' });
  });

  test('is held for a moment while the broker is away, and runs in spite of any other trouble', async () => {
    const away = createError('BROKER_UNAVAILABLE', { url: 'x', doing: 'reading', reason: 'gone', causes: '' });
    for (const [error, expected] of [
      [away, { kind: 'held', delayMs: 1000 }],
      [new Error('odd'), SUCCEEDED],
    ] as const) {
      broker.state.read = () => Promise.reject(error);
      const { firings, log } = setUp();
      const outcome = await firings.perform(createFiring(DUE, overlapping('skip')), async () => SUCCEEDED);
      expect(outcome).toEqual(expected);
      expect(log.lines).toMatchObject([{ level: 'WARN', schedule: ENTRY }]);
    }
  });

  test('goes back to its queue when its worker must end and the broker does not answer', async () => {
    const asked = Promise.withResolvers<void>();
    broker.state.read = () => {
      asked.resolve();
      return new Promise(() => {});
    };
    const { firings } = setUp();
    const outcome = firings.perform(createFiring(DUE, overlapping('skip')), never);
    await asked.promise;
    firings.abandon();
    expect(await outcome).toEqual({ kind: 'released' });
  });

  test('is not judged again when it is retried or was put back to work', async () => {
    const { firings } = setUp();
    const earlier = recordOf(DUE - 1000);
    await records.note(ENTRY, earlier);
    leaveRunning(earlier.jobId);
    for (const fields of [{ attempts: 2 }, { isPutBack: true }]) {
      const job = createFiring(DUE, { ...overlapping('skip'), ...fields });
      expect(await firings.perform(job, async () => SUCCEEDED)).toBe(SUCCEEDED);
    }
  });
});

describe('the record of a firing', () => {
  test.each<[Outcome, Partial<RunRecord>]>([
    [SUCCEEDED, { state: 'SUCCESS', finishedAt: DUE }],
    [
      { kind: 'dead', error: ERROR },
      { state: 'FAILURE', finishedAt: DUE },
    ],
    [
      { kind: 'ended', state: 'IGNORED', reason: 'x' },
      { state: 'IGNORED', finishedAt: DUE },
    ],
    [
      { kind: 'retry', delayMs: 1, error: ERROR },
      { state: 'RETRY', finishedAt: null },
    ],
    [
      { kind: 'lost', delayMs: 1, error: ERROR },
      { state: 'RETRY', finishedAt: null },
    ],
    [{ kind: 'released' }, { state: 'PENDING', finishedAt: null }],
    [
      { kind: 'postponed', delayMs: 1, note: 'x' },
      { state: 'SCHEDULED', finishedAt: null },
    ],
    [{ kind: 'blocked' }, { state: 'BLOCKED', finishedAt: null }],
  ])('says after %o what became of it', async (outcome, expected) => {
    const { firings } = setUp();
    const job = createFiring();
    await firings.perform(job, async () => {
      await expect.poll(readRecord).toMatchObject({ state: 'STARTED', startedAt: DUE, worker: 'tq@test' });
      return outcome;
    });
    firings.end(job, outcome);
    await firings.stop();
    expect(await readRecord()).toMatchObject({ jobId: job.id, ...expected });
  });

  test('says the end of one that another worker has started, and of no other', async () => {
    const { firings } = setUp();
    const job = createFiring(DUE, { timesTaken: 2 });
    await records.note(ENTRY, recordOf(DUE - 1));
    firings.end(job, SUCCEEDED);
    await firings.stop();
    expect(await readRecord()).toEqual(recordOf(DUE - 1));
    await records.note(ENTRY, recordOf(DUE, { state: 'BLOCKED' }));
    firings.end(job, SUCCEEDED);
    await firings.stop();
    expect(await readRecord()).toEqual(recordOf(DUE, { state: 'SUCCESS', finishedAt: DUE }));
  });

  test('stays that of one that runs, while one by hand runs beside it', async () => {
    const { firings } = setUp();
    const byHand = createFiring(DUE, { id: 'by-hand', meta: { schedule: { entry: ENTRY, dueAt: DUE } } });
    const earlier = recordOf(DUE - 1000);
    const runByHand = async (): Promise<void> => {
      await firings.perform(byHand, async () => SUCCEEDED);
      firings.end(byHand, SUCCEEDED);
      await firings.stop();
    };
    await records.note(ENTRY, earlier);
    await runByHand();
    expect(await readRecord()).toEqual(earlier);
    await records.note(ENTRY, { ...earlier, state: 'SUCCESS', finishedAt: DUE });
    await runByHand();
    expect(await readRecord()).toMatchObject({ jobId: 'by-hand', state: 'SUCCESS', finishedAt: DUE });
  });

  test('fails no job when it cannot be written, and says so', async () => {
    broker.state.read = () => Promise.reject(new Error('gone'));
    const { firings, log } = setUp();
    const job = createFiring();
    expect(await firings.perform(job, async () => SUCCEEDED)).toBe(SUCCEEDED);
    firings.end(job, SUCCEEDED);
    await firings.stop();
    expect(log.lines).toMatchObject([{ level: 'WARN' }, { level: 'WARN' }]);
  });

  test('is not waited for by the job, nor for ever by a worker that ends', async () => {
    broker.state.read = () => new Promise(() => {});
    const { firings } = setUp();
    const job = createFiring();
    expect(await firings.perform(job, async () => SUCCEEDED)).toBe(SUCCEEDED);
    firings.end(job, SUCCEEDED);
    const stopped = firings.stop();
    firings.abandon();
    await stopped;
  });
});

const never = (): never => {
  throw new Error('it ran');
};
