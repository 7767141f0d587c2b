import { describe, expect, test } from 'vitest';
import { waitFor } from '../../../support/wait-for.ts';
import { isAlive, startPool } from './prefork-setup.ts';

describe('the hard time limit', () => {
  test('kills the child of a task that blocks its event loop, and the attempt is judged by the policy of the task', async () => {
    const { pool, perform, calls, line } = await startPool();
    const [pid] = pool.children as [number];
    expect(await perform('block-limited')).toMatchObject({
      kind: 'retry',
      delayMs: 5,
      error: { name: 'TimeLimitExceeded', code: 'TIME_LIMIT', message: expect.stringContaining('150 ms') },
    });
    expect(isAlive(pid)).toBe(false);
    expect(calls.map(({ name }) => name)).toEqual(['taskFailure', 'taskRetry']);
    await line({ level: 'WARN', message: 'task failed, it will be retried', task_name: 'block-limited' });
    await waitFor('a job to run in the replacement', async () => (await perform('where')).kind === 'succeeded');
  });

  test('ends a task that never settles; without retries it is a dead letter', async () => {
    const { perform, calls } = await startPool();
    expect(await perform('never-settle-limited')).toMatchObject({ kind: 'dead', error: { code: 'TIME_LIMIT' } });
    expect(calls.map(({ name }) => name)).toEqual(['taskFailure', 'taskDead']);
  });

  test('is that of the call before that of the task, and that of the worker for a task that has none', async () => {
    const { perform } = await startPool({ timeLimitMs: 120 });
    expect(await perform('never-settle-limited', { meta: { timeLimitMs: 80 } })).toMatchObject({
      error: { message: expect.stringContaining('limit of 80 ms') },
    });
    await waitFor('the replacement', async () => (await perform('where')).kind === 'succeeded');
    expect(await perform('block')).toMatchObject({ error: { message: expect.stringContaining('limit of 120 ms') } });
  });

  test('does not wait for the word of a child that is about to be killed', async () => {
    // The outcome and the limit meet: whichever the parent hears first counts, and the child is given no other job.
    const { perform } = await startPool();
    const outcomes = new Set<string>();
    for (let round = 0; round < 5; round += 1) {
      const outcome = await perform('hold-for', { args: [20], meta: { timeLimitMs: 20 } });
      outcomes.add(outcome.kind === 'dead' ? (outcome.error.code ?? '') : outcome.kind);
      await waitFor('a child', async () => (await perform('where')).kind === 'succeeded');
    }
    expect([...outcomes].filter((kind) => kind !== 'TIME_LIMIT' && kind !== 'succeeded')).toEqual([]);
  });

  test('leaves the jobs of other children alone', async () => {
    const { pool, perform, line } = await startPool({ concurrency: 2 });
    const held = perform('hold-and-finish');
    await line({ message: 'holding' });
    await perform('block-limited');
    pool.abortAll();
    expect(await held).toMatchObject({ kind: 'succeeded' });
  });
});

describe('the soft time limit', () => {
  test('aborts the signal in the child with its reason', async () => {
    const { perform } = await startPool();
    expect(await perform('heed-the-soft-limit')).toEqual({ kind: 'succeeded', result: 'SOFT_TIME_LIMIT' });
  });

  test('is not heard by a blocked event loop, which the hard one ends', async () => {
    const { perform } = await startPool();
    const meta = { softTimeLimitMs: 50, timeLimitMs: 150 };
    expect(await perform('block', { meta })).toMatchObject({ kind: 'dead', error: { code: 'TIME_LIMIT' } });
  });
});

describe('a pool that stops', () => {
  test('hands back what it is still given', async () => {
    const { pool, perform } = await startPool();
    pool.refuse();
    expect(await perform('where')).toEqual({ kind: 'released' });
    expect(pool.handedBack).toBe(0);
  });

  test('hands back a job that was waiting for a child', async () => {
    const { pool, perform, line } = await startPool();
    const held = perform('hold-and-finish');
    await line({ message: 'holding' });
    const waiting = perform('where');
    pool.refuse();
    expect(await waiting).toEqual({ kind: 'released' });
    pool.abortAll();
    expect(await held).toEqual({ kind: 'succeeded', result: 'WORKER_STOPPING' });
  });

  test('aborts the signals of the running tasks; one that gives up is released and not charged', async () => {
    const { pool, perform, line } = await startPool();
    const held = perform('hold');
    await line({ message: 'holding' });
    pool.abortAll();
    expect(await held).toEqual({ kind: 'released' });
    expect(pool.handedBack).toBe(1);
  });

  test('kills the children of tasks that do not listen, and their jobs go back', async () => {
    const { pool, perform, line, calls } = await startPool();
    const [pid] = pool.children as [number];
    const held = perform('hold-deafly');
    await line({ message: 'holding' });
    pool.refuse();
    pool.abortAll();
    pool.releaseAll();
    expect(await held).toEqual({ kind: 'released' });
    expect(pool.handedBack).toBe(1);
    expect(isAlive(pid)).toBe(false);
    expect(calls).toEqual([]);
    await line({ message: 'job handed back to its queue' });
  });

  test('lets idle children run processStop, and leaves none behind', async () => {
    const { pool, line } = await startPool({ concurrency: 2 });
    const pids = pool.children;
    await pool.stop();
    expect(pids.filter(isAlive)).toEqual([]);
    expect(pool.children).toEqual([]);
    await line({ message: 'closed', stream: 'stdout', pid: pids[0] });
    await line({ message: 'closed', stream: 'stdout', pid: pids[1] });
  });

  test('kills a child that is still busy', async () => {
    const { pool, perform, line } = await startPool();
    const [pid] = pool.children as [number];
    const held = perform('block');
    await line({ message: 'task started' });
    await pool.stop();
    expect(isAlive(pid)).toBe(false);
    expect(await held).toMatchObject({ kind: 'lost' });
  });

  test('children do not hear of signals: not by themselves, and not with the group of their parent', async () => {
    const { pool, perform } = await startPool();
    const [pid] = pool.children as [number];
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP'] as const) process.kill(pid, signal);
    expect(await perform('where')).toMatchObject({ kind: 'succeeded', result: { pid } });
    expect(await perform('group')).toEqual({ kind: 'succeeded', result: pid });
  });
});
