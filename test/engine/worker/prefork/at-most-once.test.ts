import { expect, test } from 'vitest';
import { startPool } from './prefork-setup.ts';

const notRunAgain = (how: string) => ({
  kind: 'dead',
  error: { code: 'NOT_RUN_AGAIN', message: expect.stringContaining(`did not end: ${how};`), stack: null },
});

test('a job that may be started only once is a dead letter when its process dies', async () => {
  const { perform, calls, line } = await startPool();
  expect(await perform('once-exit')).toMatchObject(notRunAgain('its process died: exit code 3'));
  expect(calls.map(({ name }) => name)).toEqual(['taskFailure', 'taskDead']);
  await line({ message: 'task failed, the job is a dead letter' });
});

test.each(['once-hold', 'once-hold-deafly'])('and when the worker stops while it runs (%s)', async (task) => {
  const { pool, perform, line } = await startPool();
  const outcome = perform(task);
  await line({ message: 'holding' });
  pool.refuse();
  pool.abortAll();
  // The one that listens has ended by its signal.
  if (task === 'once-hold-deafly') pool.releaseAll();
  expect(await outcome).toMatchObject(notRunAgain('its worker stopped before it had ended'));
  expect(pool.handedBack).toBe(0);
});

test('and when a worker was lost that had taken it, but not when it was only handed back', async () => {
  const { perform } = await startPool();
  expect(await perform('once', { workersLost: 1 })).toMatchObject(
    notRunAgain('the worker that had taken it died or lost its lock'),
  );
  expect(await perform('once', { timesTaken: 2 })).toMatchObject({ kind: 'succeeded' });
});
