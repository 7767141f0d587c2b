import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../../../src/engine/core/job.ts';
import { withTempDir } from '../../../support/temp-dir.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { FakeJob } from '../fake-job.ts';
import { isAlive, startPool, untilDead } from './prefork-setup.ts';

interface Place {
  readonly pid: number;
  readonly jobs: number;
  readonly started: number;
}

/** What the task `where` has told. */
function placeOf(outcome: Outcome): Place {
  if (outcome.kind !== 'succeeded') throw new Error(`the task ended as ${JSON.stringify(outcome)}`);
  return outcome.result as Place;
}

describe('a job', () => {
  test('runs in a child, which is the same for the next one, with the app loaded and started once', async () => {
    const { pool, perform } = await startPool();
    const [first, second] = [placeOf(await perform('where')), placeOf(await perform('where'))];
    expect(pool.children).toEqual([first.pid]);
    expect(first).toEqual({ pid: expect.any(Number), jobs: 1, started: 1 });
    expect(first.pid).not.toBe(process.pid);
    expect(second).toEqual({ pid: first.pid, jobs: 2, started: 1 });
  });

  test('has its arguments and its facts there', async () => {
    const { perform } = await startPool();
    const meta = { requestId: 'r-1', headers: { tenant: 'ä' } };
    const args = [{ name: 'Grüße\n', nested: [1, null] }, 'x'.repeat(300_000)];
    expect(await perform('facts', { id: 'job-7', queue: 'high', attempts: 3, createdAt: 17, meta, args })).toEqual({
      kind: 'succeeded',
      result: {
        id: 'job-7',
        queue: 'high',
        attempt: 3,
        requestId: 'r-1',
        headers: { tenant: 'ä' },
        createdAt: 17,
        worker: 'tq@test',
        args,
      },
    });
  });

  test('runs beside others, one in each child', async () => {
    const { pool, perform, line } = await startPool({ concurrency: 2 });
    const held = perform('hold-and-finish', { id: 'held' });
    await line({ message: 'holding' });
    expect([...pool.running]).toMatchObject([{ id: 'held', task: 'hold-and-finish', queue: 'default', attempt: 1 }]);
    const place = placeOf(await perform('where'));
    expect(pool.children).toContain(place.pid);
    expect(pool.children).toHaveLength(2);
    pool.abortAll();
    expect(await held).toEqual({ kind: 'succeeded', result: 'WORKER_STOPPING' });
    expect(pool.running.size).toBe(0);
  });

  test('reports its progress to the store that its parent talks to, and hears when that fails', async () => {
    const { pool } = await startPool();
    const job = new FakeJob({ task: 'progress' });
    const updateProgress = job.updateProgress.bind(job);
    job.updateProgress = async (value) => {
      if (job.progressed.length === 1) throw Object.assign(new Error('the store is full'), { code: 'E_FULL' });
      await updateProgress(value);
    };
    expect(await pool.perform(job)).toEqual({
      kind: 'succeeded',
      result: { refused: 'the store is full', code: 'E_FULL' },
    });
    expect(job.progressed).toEqual([{ percent: 50 }]);
  });

  test.each<[string, unknown]>([
    ['null', null],
    ['an empty text', ''],
    ['text beyond ASCII', 'Grüße 🚀 \u2028'],
    ['a megabyte', 'y'.repeat(2 ** 20)],
  ])('gives its result back: %s', async (_, value) => {
    const { perform } = await startPool();
    expect(await perform('return-itself', { args: [value] })).toEqual({ kind: 'succeeded', result: value });
  });

  test('gives no result back when it has none', async () => {
    const { perform } = await startPool();
    expect(await perform('noop')).toEqual({ kind: 'succeeded' });
  });

  test('keeps no result when its task says so', async () => {
    const { pool } = await startPool({
      tasks: new Map([['noop', { name: 'noop', keepResultSeconds: false } as never]]),
    });
    const job = new FakeJob({ task: 'noop' });
    expect(await pool.perform(job)).toMatchObject({ kind: 'succeeded' });
    expect(job.isDropped).toBe(true);
  });

  test('waits for a child when all are busy, and goes back to its queue when that takes long', async () => {
    const { pool, perform, line } = await startPool();
    const held = perform('hold-and-finish');
    await line({ message: 'holding' });
    expect(await perform('where')).toEqual({ kind: 'released' });
    expect(pool.handedBack).toBe(0);
    const waiting = perform('where');
    pool.abortAll();
    await held;
    expect(placeOf(await waiting).jobs).toBe(1);
  });
});

describe('a job is not given to a child', () => {
  test.each([
    ['when it has expired', { meta: { expiresAt: 1 } }, { kind: 'ended', state: 'REVOKED' }],
    [
      'when its data is not JSON',
      { unreadable: 'Unexpected token' },
      { kind: 'dead', error: { code: 'INVALID_PAYLOAD' } },
    ],
    ['when its workers were lost too often', { workersLost: 3 }, { kind: 'dead', error: { code: 'WORKER_LOST' } }],
    ['when its task is unknown', { task: 'whatever' }, { kind: 'postponed', delayMs: 5000 }],
  ])('%s', async (_, fields, outcome) => {
    const { perform } = await startPool();
    expect(await perform('where', fields)).toMatchObject(outcome);
    expect(placeOf(await perform('where')).jobs).toBe(1);
  });
});

describe('how an attempt ends is judged in the child', () => {
  test.each<[string, object]>([
    ['throw-a-text', { kind: 'retry', delayMs: 5, error: { name: 'Error', message: 'just a text' } }],
    ['throw-undefined', { kind: 'retry', error: { message: 'undefined' } }],
    ['throw-a-frozen-error', { kind: 'retry', error: { name: 'Error', message: 'frozen', code: 'E_ICE' } }],
    ['throw-a-circle', { kind: 'retry', error: { message: 'round', stack: expect.stringContaining('faulty-app.ts') } }],
    ['throw-a-trap', { kind: 'retry', error: { message: 'a thrown value that cannot be shown' } }],
    ['ignore', { kind: 'ended', state: 'IGNORED', reason: 'not today' }],
    [
      'return-a-BigInt',
      { kind: 'dead', error: { code: 'NOT_JSON', message: expect.stringContaining('result.rows[0] is a bigint') } },
    ],
    ['return-a-circle', { kind: 'dead', error: { code: 'NOT_JSON', message: expect.stringContaining('result.self') } }],
    ['disconnect', { kind: 'dead', error: { name: 'TypeError' } }],
    ['close-all-output', { kind: 'succeeded', result: 'closed' }],
  ])('%s', async (task, outcome) => {
    const { pool, perform } = await startPool();
    const [pid] = pool.children;
    expect(await perform(task)).toMatchObject(outcome);
    // The child is none the worse for it.
    expect(placeOf(await perform('where')).pid).toBe(pid);
  });
});

describe('a child that dies loses its job, which is taken up again, and is replaced', () => {
  test.each<[string, string, readonly unknown[], string]>([
    ['process.exit(0)', 'exit', [0], 'exit code 0'],
    ['process.exit(1)', 'exit', [1], 'exit code 1'],
    ['process.abort()', 'abort', [], 'SIGABRT'],
    ['a signal', 'signal', ['SIGSEGV'], 'SIGSEGV'],
    ['an error that nothing catches', 'throw-later', [], 'exit code 1, uncaught RangeError: nobody catches this'],
    ['a promise that nothing awaits', 'reject-later', [], 'exit code 1, uncaught Error: nobody awaits this'],
    ['closing the pipe to its parent', 'close-the-channel', [], 'it closed its pipe to the worker'],
    ['writing into that pipe', 'write-into-the-channel', [], 'it wrote into its pipe to the worker'],
  ])('by %s', async (_, task, args, how) => {
    const { pool, perform, calls, line } = await startPool();
    const [pid] = pool.children as [number];
    const outcome = await perform(task, { args, workersLost: 1 });
    expect(outcome).toMatchObject({ kind: 'lost', delayMs: 200, error: { name: 'WorkerLost', code: 'WORKER_LOST' } });
    expect((outcome as { error: { message: string } }).error.message).toContain(
      `the process that ran task "${task}" died: ${how}; workers lost by this job: 2`,
    );
    await line({ level: 'WARN', task_id: 'job-1', retry_in_ms: 200 });
    expect(calls.map(({ name }) => name)).toEqual(['taskFailure', 'taskRetry']);
    await waitFor('the replacement', () => pool.children.length === 1 && pool.children[0] !== pid);
    await waitFor('the replacement to be ready', async () => (await perform('where')).kind === 'succeeded');
    expect(isAlive(pid)).toBe(false);
  });

  test('by running out of memory', async () => {
    const { perform } = await startPool({ prefork: { execArgv: ['--max-old-space-size=40'] } });
    expect(await perform('heap')).toMatchObject({
      kind: 'lost',
      error: { message: expect.stringMatching(/died: out of memory \(.+\); .*--max-old-space-size/) },
    });
  });

  test('by a kill from outside', async () => {
    const { pool, perform, line } = await startPool();
    const outcome = perform('hold');
    await line({ message: 'holding' });
    process.kill(pool.children[0] as number, 'SIGKILL');
    expect(await outcome).toMatchObject({ kind: 'lost', error: { message: expect.stringContaining('died: SIGKILL') } });
  });

  test('a job that has lost more workers than it may is a dead letter that says how, and its hook is called', async () => {
    const { perform, calls } = await startPool();
    expect(await perform('exit', { args: [3], workersLost: 2 })).toMatchObject({
      kind: 'dead',
      error: {
        code: 'WORKER_LOST',
        message: expect.stringContaining('died: exit code 3; workers lost by this job: 3'),
      },
    });
    expect(calls.map(({ name }) => name)).toEqual(['taskFailure', 'taskDead']);
  });

  test('the frames of an error that nothing caught are kept with the job', async () => {
    const { perform } = await startPool();
    expect(await perform('throw-later')).toMatchObject({
      error: { stack: expect.stringMatching(/RangeError: nobody catches this\n\s+at .*faulty-app\.ts/) },
    });
  });

  test('without harm to the jobs of other children', async () => {
    const { pool, perform, line } = await startPool({ concurrency: 2 });
    const held = perform('hold-and-finish');
    await line({ message: 'holding' });
    expect(await perform('abort')).toMatchObject({ kind: 'lost' });
    pool.abortAll();
    expect(await held).toMatchObject({ kind: 'succeeded' });
  });

  test('while it is idle: nothing is lost, the log says so, and the next job runs', async () => {
    const { pool, perform, line } = await startPool();
    const [pid] = pool.children as [number];
    process.kill(pid, 'SIGKILL');
    await line({ level: 'WARN', message: 'a child process died while it was idle', pid, reason: 'SIGKILL' });
    await waitFor('the next job to run', async () => (await perform('where')).kind === 'succeeded');
    expect(pool.children).not.toContain(pid);
  });

  test('all at once, idle and busy', async () => {
    const { pool, perform, line, capacities } = await startPool({ concurrency: 3 });
    const before = pool.children;
    const held = perform('hold');
    await line({ message: 'holding' });
    for (const pid of before) process.kill(pid, 'SIGKILL');
    expect(await held).toMatchObject({ kind: 'lost' });
    await waitFor('three others', () => pool.capacity === 3 && pool.children.every((pid) => !before.includes(pid)));
    expect(pool.children).toHaveLength(3);
    // No more jobs were asked for than there were children, but never none.
    expect(Math.min(...capacities.all)).toBe(1);
    const places = await Promise.all([1, 2, 3].map(() => perform('where')));
    expect(new Set(places.map((place) => placeOf(place).pid)).size).toBe(3);
  });
});

describe('what a task has started', () => {
  test('is killed with its child', async () => {
    await withTempDir(async (folder) => {
      const { pool, perform, line } = await startPool();
      const file = join(folder, 'pid');
      const outcome = perform('spawn-a-child', { args: [file] });
      await line({ message: 'holding' });
      const pid = Number(await readFile(file, 'utf8'));
      expect(isAlive(pid)).toBe(true);
      pool.releaseAll();
      expect(await outcome).toEqual({ kind: 'released' });
      await untilDead(pid);
    });
  });

  test('is killed too when the child dies by itself', async () => {
    await withTempDir(async (folder) => {
      const { pool, perform, line } = await startPool();
      const file = join(folder, 'pid');
      const outcome = perform('spawn-a-child', { args: [file] });
      await line({ message: 'holding' });
      process.kill(pool.children[0] as number, 'SIGKILL');
      expect(await outcome).toMatchObject({ kind: 'lost' });
      await untilDead(Number(await readFile(file, 'utf8')));
    });
  });
});

describe('a child whose built-ins a task has broken is replaced before the next job', () => {
  test.each([
    ['break-Array', 'a task has broken Array'],
    ['break-JSON', 'a task has broken JSON'],
    ['pollute-Object', 'a task has broken for … in'],
  ])('%s', async (task, reason) => {
    const { pool, perform, line } = await startPool();
    const [pid] = pool.children;
    expect(await perform(task)).toEqual({ kind: 'succeeded', result: 'broken' });
    await line({ level: 'WARN', message: 'a child process is replaced', pid, reason });
    await waitFor('the next job to run', async () => (await perform('where')).kind === 'succeeded');
    expect(pool.children).not.toContain(pid);
  });

  test('and one that fails at its own work has lost the job', async () => {
    const { perform } = await startPool();
    const how = 'exit code 70, a task has broken its process: round is broken';
    expect(await perform('break-Math')).toMatchObject({
      kind: 'lost',
      error: { message: expect.stringContaining(how) },
    });
  });

  test('but one whose process cannot be ended from inside goes on', async () => {
    const { pool, perform } = await startPool();
    expect(await perform('no-exit')).toMatchObject({ kind: 'succeeded' });
    expect(await perform('where')).toMatchObject({ kind: 'succeeded' });
    const [pid] = pool.children as [number];
    await pool.stop();
    expect(isAlive(pid)).toBe(false);
  });
});

test('memory stays flat: nothing of a job is kept once it has ended', async () => {
  const { setFlagsFromString } = await import('node:v8');
  const { runInNewContext } = await import('node:vm');
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const { pool } = await startPool();
  const run = async (task: string, args: readonly unknown[] = []): Promise<WeakRef<FakeJob>> => {
    const job = new FakeJob({ task, args });
    await pool.perform(job);
    return new WeakRef(job);
  };
  const jobs = [await run('where'), await run('progress'), await run('exit', [1]), await run('whatever')];
  await waitFor('all of them to be collected', () => {
    collectGarbage();
    return jobs.every((job) => job.deref() === undefined);
  });
});
