import { beforeEach, describe, expect, test } from 'vitest';
import { RowRefused } from '../../../src/engine/broker/result-store/store-error.ts';
import { createError } from '../../../src/engine/core/errors.ts';
import type { Outcome } from '../../../src/engine/core/job.ts';
import type { TaskOptions } from '../../../src/engine/task/definition.ts';
import { ResultWriting, type ResultWritingOptions } from '../../../src/engine/worker/result-writing.ts';
import { define } from './executor-setup.ts';
import { FakeJob, type FakeJobFields } from './fake-job.ts';
import { FakeResultStore } from './fake-result-store.ts';
import { createFakeClock, recordLog } from './recorded.ts';

const AT = 1_700_000_000_000;
const away = createError('RESULTS_UNAVAILABLE', {
  ...{ url: 'postgres://box', doing: 'writing 1 results', reason: 'ECONNREFUSED', next: 'start it' },
});
const DONE: Outcome = { kind: 'succeeded', result: { ok: 1 } };

let store: FakeResultStore;
let log: ReturnType<typeof recordLog>;
beforeEach(() => {
  store = new FakeResultStore();
  log = recordLog();
});

function createWriting(task: TaskOptions = {}, options: Partial<ResultWritingOptions> = {}): ResultWriting {
  const tasks = new Map([['a.task', define('a.task', task, () => undefined)]]);
  const fixed = { worker: 'tq@test', clock: createFakeClock(AT), logger: log.logger, random: () => 0 };
  return new ResultWriting({ store, storeArgs: true, tasks, ...fixed, ...options });
}

const job = (fields: FakeJobFields = {}): FakeJob => new FakeJob({ createdAt: AT - 5000, ...fields });

/** The promise of the next write that the store is asked for. */
function nextWrite(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const before = store.onWrite;
  store.onWrite = (rows) => {
    store.onWrite = before;
    resolve();
    return before(rows);
  };
  return promise;
}

describe('the row of a job', () => {
  test('holds what the job was and what became of it', async () => {
    const meta = { requestId: 'req', parentId: 'par', rootId: 'root', resultExpiresMs: 60_000 };
    const taken = job({ id: 'x', args: [{ to: 'a' }], meta, attempts: 2, progress: 0.5 });
    expect(await createWriting().write(taken, DONE)).toBe(DONE);
    expect(store.rows.get('x')).toEqual({
      ...{ id: 'x', queue: 'default', task: 'a.task', state: 'SUCCESS', error: null, reason: null, attempts: 2 },
      ...{ argsJson: '[{"to":"a"}]', resultJson: '{"ok":1}', progressJson: '0.5', worker: 'tq@test' },
      ...{ createdAt: AT - 5000, startedAt: AT, finishedAt: AT, durationMs: 0, expiresAt: AT + 60_000 },
      ...{ requestId: 'req', parentId: 'par', rootId: 'root', workflowId: null },
    });
  });

  const error = { name: 'E', message: 'no', code: null, stack: 'E: no' };
  test.each<[Outcome, object]>([
    [
      { kind: 'dead', error },
      { state: 'FAILURE', error, expiresAt: null },
    ],
    [
      { kind: 'failed', error },
      { state: 'FAILURE', error },
    ],
    [
      { kind: 'ended', state: 'REVOKED', reason: 'expired' },
      { state: 'REVOKED', reason: 'expired', error: null },
    ],
    [
      { kind: 'ended', state: 'IGNORED', reason: 'why' },
      { state: 'IGNORED', reason: 'why' },
    ],
    [
      { kind: 'succeeded', result: undefined },
      { state: 'SUCCESS', resultJson: null },
    ],
  ])('that ended with %j', async (outcome, row) => {
    await createWriting().write(job({ meta: { resultExpiresMs: 5 } }), outcome);
    expect(store.rows.get('job-1')).toMatchObject(row);
  });

  test.each<Outcome>([
    { kind: 'retry', delayMs: 5, error },
    { kind: 'released' },
    { kind: 'held', delayMs: 5 },
    { kind: 'blocked' },
    { kind: 'postponed', delayMs: 5, note: '' },
    { kind: 'lost', delayMs: 5, error },
  ])('is not written while it goes on: %j', (outcome) => {
    expect(createWriting().write(job(), outcome)).toBe(outcome);
    expect(store.writes).toEqual([]);
  });

  test('has no arguments when the task or the app withholds them', async () => {
    await createWriting({ storeArgs: false }).write(job({ args: [1] }), DONE);
    expect(store.rows.get('job-1')?.argsJson).toBeNull();
    await createWriting({}, { storeArgs: false }).write(job({ args: [1] }), DONE);
    expect(store.rows.get('job-1')?.argsJson).toBeNull();
  });

  test('is left out when results are ignored, unless the job failed and failures are wanted', async () => {
    const ignored = job();
    ignored.dropResult();
    expect(await createWriting().write(ignored, DONE)).toBe(DONE);
    expect(await createWriting().write(ignored, { kind: 'dead', error })).toMatchObject({ kind: 'dead' });
    await createWriting({ ignoreResult: true }).write(job(), DONE);
    expect(store.writes).toEqual([]);
    const wanted = createWriting({ ignoreResult: true, storeErrorsEvenIfIgnored: true });
    await wanted.write(job(), DONE);
    await wanted.write(job(), { kind: 'ended', state: 'REVOKED', reason: '' });
    expect(store.writes).toEqual([]);
    await wanted.write(job(), { kind: 'dead', error });
    expect(store.rows.get('job-1')?.state).toBe('FAILURE');
  });
});

describe('writes', () => {
  test('take together what ends in one turn, and what comes while another one is under way', async () => {
    const writing = createWriting();
    const { promise: open, resolve: letGo } = Promise.withResolvers<void>();
    store.onWrite = () => open;
    const started = nextWrite();
    const first = ['a', 'b'].map((id) => writing.write(job({ id }), DONE));
    await started;
    const later = ['c', 'd', 'e'].map((id) => writing.write(job({ id }), DONE));
    expect(writing.waiting).toBe(5);
    letGo();
    expect(await Promise.all([...first, ...later])).toEqual(Array(5).fill(DONE));
    expect(store.writes).toEqual([
      ['a', 'b'],
      ['c', 'd', 'e'],
    ]);
    expect(writing.waiting).toBe(0);
  });

  test('are cut where they become too large, but hold one row', async () => {
    const writing = createWriting();
    const result = 'x'.repeat(5 * 1024 * 1024);
    await Promise.all(['a', 'b', 'c'].map((id) => writing.write(job({ id }), { kind: 'succeeded', result })));
    expect(store.writes).toEqual([['a'], ['b'], ['c']]);
  });

  test('hold a job that was taken twice once, with its later attempt', async () => {
    const writing = createWriting();
    const attempts = [AT - 10, AT - 90].map((startedAt) => Object.assign(job({ id: 'x' }), { startedAt }));
    expect(await Promise.all(attempts.map((each) => writing.write(each, DONE)))).toEqual([DONE, DONE]);
    expect(store.writes).toEqual([['x']]);
    expect(store.rows.get('x')?.startedAt).toBe(AT - 10);
  });
});

describe('a store that is away', () => {
  test('is waited for; the log says so once, and once when it answers again', async () => {
    const writing = createWriting();
    let failures = 0;
    store.onWrite = () => {
      failures += 1;
      if (failures <= 3) throw away;
    };
    const failed = nextWrite();
    const first = writing.write(job({ id: 'a' }), DONE);
    await failed;
    const second = writing.write(job({ id: 'b' }), DONE);
    expect(await Promise.all([first, second])).toEqual([DONE, DONE]);
    expect([...store.rows.keys()]).toEqual(['a', 'b']);
    // What came meanwhile went with the next try.
    expect(store.writes.at(-1)).toEqual(['a', 'b']);
    expect(log.lines.map(({ level, message }) => [level, message.replace(/^.*; /, '')])).toEqual([
      ['ERROR', 'jobs wait until their results are stored'],
      ['INFO', 'the result store answers again'],
    ]);
  });

  test('gives the jobs back when the worker stops, after one more try', async () => {
    const writing = createWriting();
    store.onWrite = () => {
      throw away;
    };
    const failed = nextWrite();
    const waiting = writing.write(job({ id: 'a' }), DONE);
    await failed;
    writing.abandon();
    expect(await waiting).toEqual({ kind: 'released' });
    expect(await writing.write(job({ id: 'b' }), DONE)).toEqual({ kind: 'released' });
    expect(writing.handedBack).toBe(2);
    expect(store.writes.at(-1)).toEqual(['b']);
  });

  test('that is silent does not keep a worker from stopping', async () => {
    const writing = createWriting();
    store.onWrite = () => new Promise(() => {});
    const started = nextWrite();
    const waiting = writing.write(job({ id: 'a' }), DONE);
    await started;
    writing.abandon();
    expect(await waiting).toEqual({ kind: 'released' });
  });

  test('takes the last rows of a worker that stops when it is back', async () => {
    const writing = createWriting();
    store.onWrite = () => {
      store.onWrite = () => {};
      throw away;
    };
    const failed = nextWrite();
    const waiting = writing.write(job({ id: 'a' }), DONE);
    await failed;
    writing.abandon();
    expect(await waiting).toBe(DONE);
    expect(writing.handedBack).toBe(0);
  });

  test('does not have a job of at-most-once run again: its outcome goes to the broker without a row', async () => {
    const writing = createWriting({ delivery: 'at-most-once' });
    store.onWrite = () => {
      throw away;
    };
    writing.abandon();
    expect(await writing.write(job(), DONE)).toBe(DONE);
    expect(log.messages.at(-1)).toContain('must not run again');
  });
});

describe('a row that the store refuses', () => {
  test('is stored without arguments and result, and the others of its write are stored whole', async () => {
    const writing = createWriting();
    store.onWrite = (rows) => {
      if (rows.some(({ id, argsJson }) => id === 'bad' && argsJson !== null)) throw new RowRefused('too odd');
    };
    const written = ['a', 'bad', 'c'].map((id) => writing.write(job({ id, args: [id] }), DONE));
    expect(await Promise.all(written)).toEqual([DONE, DONE, DONE]);
    expect(store.rows.get('a')?.argsJson).toBe('["a"]');
    const reason = 'stored without arguments and result: too odd';
    expect(store.rows.get('bad')).toMatchObject({ argsJson: null, resultJson: null, reason });
    expect(log.messages).toHaveLength(1);
  });

  test('in any form leaves the result to the broker, so that no job waits for ever', async () => {
    store.onWrite = () => {
      throw new RowRefused('never');
    };
    expect(await createWriting().write(job(), DONE)).toBe(DONE);
    expect(log.messages.at(-1)).toContain('its result is in the broker alone');
  });
});
