import { beforeEach, describe, expect, test } from 'vitest';
import { ResultTimeout, TaskFailed, TaskRevoked } from '../../../src/engine/core/errors.ts';
import type { GroupResult, Lineage, RevokeJob, WorkflowResult } from '../../../src/engine/results/async-result.ts';
import { createJobResult } from '../../../src/engine/results/job-result.ts';
import { createRow } from '../broker/result-store/result-stores.ts';
import { FakeBroker } from '../worker/fake-broker.ts';
import { FakeJob, type FakeJobFields } from '../worker/fake-job.ts';
import { FakeResultStore } from '../worker/fake-result-store.ts';

let broker: FakeBroker;
beforeEach(() => {
  broker = new FakeBroker();
});

function store(fields: FakeJobFields, queue = 'high'): void {
  const job = new FakeJob({ id: 'id-1', queue, ...fields });
  broker.queue(queue).stored.set(job.id, job);
}

const resultOf = (options: { queue?: string; likelyQueues?: readonly string[] } = { queue: 'high' }) =>
  createJobResult<unknown>('id-1', { openBroker: async () => broker, revoke, lineage, task: 'a.task', ...options });

const lineage: Lineage = {
  listFollowing: async ({ id }) => [{ id: `${id}-next`, task: 'next', queue: 'low' }],
  workflowOf: (id) => ({ id, children: async () => [] }) as unknown as WorkflowResult,
  groupOf: (id) => ({ id, join: async () => ['a'] }) as unknown as GroupResult,
};

const revocations: unknown[] = [];
const REVOKED = {
  id: 'id-1',
  task: 'a.task',
  queue: 'high',
  happened: 'aborted',
  state: 'REVOKED',
  worker: 'w',
} as const;
const revoke: RevokeJob = async (id, options) => {
  revocations.push({ id, ...options });
  return REVOKED;
};

const STACK = 'RangeError [E_FAR]: too far\n    at task (file:///app.ts:1:1)';
const DEAD: FakeJobFields = {
  state: 'FAILURE',
  finishedAt: 5,
  error: { name: 'RangeError', message: 'too far', code: 'E_FAR', stack: STACK },
};

test('revoke() says what happened, and takes a time as any other', async () => {
  expect(await resultOf().revoke()).toEqual(REVOKED);
  await resultOf({}).revoke({ terminate: true, timeout: '2s' });
  expect(revocations).toEqual([
    { id: 'id-1', queue: 'high', terminate: false, timeoutMs: undefined },
    { id: 'id-1', queue: undefined, terminate: true, timeoutMs: 2000 },
  ]);
  await expect(resultOf().revoke({ timeout: 'soon' as never })).rejects.toThrow('timeout of revoke()');
});

describe('get()', () => {
  test('gives the result of a job that succeeded, whatever JSON it is', async () => {
    store({ state: 'SUCCESS', finishedAt: 5, result: { rows: [1, null] } });
    expect(await resultOf().get()).toEqual({ rows: [1, null] });
  });

  test('gives the result of a job whose record was read just before it ended and its state just after', async () => {
    store({ state: 'SUCCESS', finishedAt: null, result: null });
    broker.queue('high').whenAskedToWait = () => store({ state: 'SUCCESS', finishedAt: 5, result: 'whole' });
    expect(await resultOf().get()).toBe('whole');
  });

  test('waits for a job that has not ended', async () => {
    store({ state: 'STARTED' });
    broker.queue('high').whenAskedToWait = () => store({ state: 'SUCCESS', finishedAt: 5, result: 'done' });
    expect(await resultOf().get({ timeout: '30s' })).toBe('done');
    expect(broker.queue('high').waitedFor).toEqual([{ id: 'id-1', timeoutMs: 30_000 }]);
  });

  test('waits without end when no timeout is given', async () => {
    store({ state: 'PENDING' });
    broker.queue('high').whenAskedToWait = () => store({ state: 'SUCCESS', finishedAt: 5 });
    expect(await resultOf().get()).toBeNull();
    expect(broker.queue('high').waitedFor).toEqual([{ id: 'id-1', timeoutMs: undefined }]);
  });

  test('goes on waiting when the job was sent back to work in the moment it ended', async () => {
    store({ state: 'STARTED' });
    const ends = [
      () => store({ state: 'PENDING', finishedAt: 5 }),
      () => store({ state: 'SUCCESS', finishedAt: 6, result: 2 }),
    ];
    broker.queue('high').whenAskedToWait = () => ends.shift()?.();
    expect(await resultOf().get()).toBe(2);
  });

  test('throws TaskFailed for a dead letter, with the error of the worker as its cause', async () => {
    store(DEAD);
    const error: unknown = await resultOf()
      .get()
      .catch((thrown) => thrown);
    expect(error).toBeInstanceOf(TaskFailed);
    const { message, cause } = error as TaskFailed;
    expect(message).toBe('job id-1 of task "a.task" failed: RangeError: too far');
    expect(cause).toBeInstanceOf(Error);
    expect(cause).toMatchObject({ name: 'RangeError', message: 'too far', code: 'E_FAR', stack: STACK });
  });

  test('throws TaskFailed also when the store holds no error', async () => {
    store({ state: 'FAILURE', finishedAt: 5 });
    await expect(resultOf().get()).rejects.toThrow('failed: Error: no error was stored');
  });

  test('throws TaskRevoked with the reason', async () => {
    store({ state: 'REVOKED', finishedAt: 5, reason: 'expired at noon' });
    await expect(resultOf().get()).rejects.toThrow(TaskRevoked);
    await expect(resultOf().get()).rejects.toThrow('was revoked: expired at noon');
  });

  test('throws ResultTimeout that says what the job is doing', async () => {
    store({ state: 'RETRY' });
    const error = await resultOf()
      .get({ timeout: 50 })
      .catch((thrown) => thrown);
    expect(error).toBeInstanceOf(ResultTimeout);
    expect(error).toMatchObject({ message: 'waited 50 ms for job id-1, it is RETRY', exitCode: 4 });
  });

  test('gives null for a job that was ignored', async () => {
    store({ state: 'IGNORED', finishedAt: 5, reason: 'gone' });
    expect(await resultOf().get()).toBeNull();
  });

  test('throws UNKNOWN_JOB for an id that nobody knows, and for a result that is not kept', async () => {
    await expect(resultOf().get()).rejects.toMatchObject({ code: 'UNKNOWN_JOB' });
    store({ state: 'STARTED' });
    broker.queue('high').whenAskedToWait = () => void broker.queue('high').stored.clear();
    await expect(resultOf().get()).rejects.toMatchObject({ code: 'UNKNOWN_JOB' });
  });

  test('refuses a timeout that is no duration', async () => {
    await expect(resultOf().get({ timeout: '-1s' })).rejects.toMatchObject({ code: 'INVALID_DURATION' });
  });
});

describe('looking at a job', () => {
  test('shows state, error, attempts and progress', async () => {
    store({ ...DEAD, attempts: 3, progress: { done: 5 } });
    const result = resultOf();
    expect(await result.state()).toBe('FAILURE');
    expect(await result.error()).toEqual(DEAD.error);
    expect(await result.attempts()).toBe(3);
    expect(await result.progress()).toEqual({ done: 5 });
    expect(await result.job()).toMatchObject({ id: 'id-1', queue: 'high', task: 'a.task' });
    expect([result.id, result.task, result.queue]).toEqual(['id-1', 'a.task', 'high']);
  });

  test('says UNKNOWN of an id that nobody knows, and not PENDING', async () => {
    const result = resultOf();
    expect(await result.state()).toBe('UNKNOWN');
    expect(await result.job()).toBeUndefined();
    expect(await result.error()).toBeNull();
    expect(await result.attempts()).toBe(0);
    expect(await result.progress()).toBeNull();
  });

  test('finds the queue of a job when none is given: the likely ones first, then all', async () => {
    store({ state: 'SUCCESS', finishedAt: 5, result: 1 }, 'elsewhere');
    broker.queue('likely');
    const result = resultOf({ likelyQueues: ['likely'] });
    expect(result.queue).toBeUndefined();
    expect(await result.get()).toBe(1);
    expect(result.queue).toBe('elsewhere');
  });

  test('does not look elsewhere when a queue is given', async () => {
    store({ state: 'SUCCESS', finishedAt: 5 }, 'elsewhere');
    expect(await resultOf({ queue: 'high' }).state()).toBe('UNKNOWN');
  });
});

describe('forget()', () => {
  test('removes a job that has ended, and leaves one that has not', async () => {
    store({ state: 'STARTED' });
    expect(await resultOf().forget()).toBe(false);
    store({ state: 'SUCCESS', finishedAt: 5 });
    expect(await resultOf().forget()).toBe(true);
    expect(await resultOf().forget()).toBe(false);
    expect(await resultOf().state()).toBe('UNKNOWN');
  });
});

describe('a job among others', () => {
  test.each([
    ['SUCCESS', [true, true, false]],
    ['FAILURE', [true, false, true]],
    ['REVOKED', [true, false, false]],
    ['STARTED', [false, false, false]],
  ] as const)('that is %s is ready, successful, failed: %j', async (state, answers) => {
    store({ state });
    const result = resultOf();
    expect([await result.ready(), await result.successful(), await result.failed()]).toEqual(answers);
  });

  test('that nobody knows is none of it, and leads nowhere', async () => {
    const result = resultOf();
    expect([await result.ready(), await result.successful(), await result.failed()]).toEqual([false, false, false]);
    expect(await result.children()).toEqual([]);
    expect(await result.parent()).toBeUndefined();
    expect(await result.workflow()).toBeUndefined();
  });

  test('gives what follows it, what it follows and its workflow', async () => {
    store({ meta: { parentId: 'id-0', workflow: { id: 'whole', node: 3 } } });
    const [next] = await resultOf().children();
    expect(next).toMatchObject({ id: 'id-1-next', task: 'next', queue: 'low' });
    expect(await resultOf().parent()).toMatchObject({ id: 'id-0', queue: undefined });
    expect(await resultOf().workflow()).toMatchObject({ id: 'whole' });
  });
});

describe('a result store', () => {
  const rows = new FakeResultStore();
  let opened = 0;
  const openResults = async () => {
    opened += 1;
    return rows;
  };
  const keptResult = () =>
    createJobResult<unknown>('id-1', {
      openBroker: async () => broker,
      openResults,
      revoke,
      lineage,
      likelyQueues: ['high'],
    });
  beforeEach(async () => {
    opened = 0;
    rows.rows.clear();
    await rows.write([createRow({ id: 'id-1', queue: 'high', resultJson: '"kept"' })]);
  });

  test('is not asked about a job that the broker knows', async () => {
    store({ state: 'SUCCESS', finishedAt: 5, result: 'fresh' });
    expect([await keptResult().get(), await keptResult().state()]).toEqual(['fresh', 'SUCCESS']);
    store({ state: 'STARTED' });
    expect(await keptResult().state()).toBe('STARTED');
    expect(opened).toBe(0);
  });

  test('is asked about one that the broker knows no more', async () => {
    expect([await keptResult().get(), await keptResult().state()]).toEqual(['kept', 'SUCCESS']);
    expect(await keptResult().job()).toMatchObject({ id: 'id-1', queue: 'high', attempts: 1, args: [{ to: 'a@b.c' }] });
  });

  test('is asked when the job is gone from the broker while it is waited for', async () => {
    store({ state: 'STARTED' });
    broker.queue('high').whenAskedToWait = () => void broker.queue('high').stored.delete('id-1');
    expect(await keptResult().get()).toBe('kept');
  });

  test('forgets a job that has ended, and none that has not', async () => {
    store({ state: 'STARTED' });
    expect(await keptResult().forget()).toBe(false);
    expect(rows.rows.size).toBe(1);
    store({ state: 'SUCCESS', finishedAt: 5 });
    expect(await keptResult().forget()).toBe(true);
    expect([rows.rows.size, await keptResult().state()]).toEqual([0, 'UNKNOWN']);
  });

  test('that cannot be asked is an error, not an unknown job', async () => {
    const failing = createJobResult('id-1', {
      ...{ openBroker: async () => broker, revoke, lineage },
      openResults: async () => Promise.reject(new Error('away')),
    });
    await expect(failing.state()).rejects.toThrow('away');
  });
});
