import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../../src/engine/core/job.ts';
import { setUp } from './executor-setup.ts';
import { FakeJob } from './fake-job.ts';

/** Performs a job on workers one after the other, as the consumer does it: a postponed job gets the note as a row. */
async function askWorkers(job: FakeJob, workers: readonly string[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const worker of workers) {
    const { executor } = setUp([], { worker });
    const outcome = await executor.perform(job);
    if (outcome.kind === 'postponed') await job.log(outcome.note);
    outcomes.push(outcome);
  }
  return outcomes;
}

describe('a job whose task the worker does not register', () => {
  test('is put back with growing waits, then a dead letter that names the workers that were asked', async () => {
    const job = new FakeJob({ task: 'new.task' });
    const outcomes = await askWorkers(job, ['tq@a', 'tq@b', 'tq@a', 'tq@c']);
    expect(outcomes.slice(0, 3)).toMatchObject([
      { kind: 'postponed', delayMs: 5000 },
      { kind: 'postponed', delayMs: 10_000 },
      { kind: 'postponed', delayMs: 12_000 },
    ]);
    expect(outcomes[3]).toMatchObject({
      kind: 'dead',
      error: {
        name: 'UnknownTask',
        code: 'UNKNOWN_TASK_GIVEN_UP',
        message: expect.stringContaining('put back 3 times; asked: tq@a, tq@b, tq@c'),
      },
    });
  });

  test('counts only the rows of workers, not what the task itself wrote to the log of its job', async () => {
    const job = new FakeJob({ task: 'new.task' });
    for (let row = 0; row < 10; row += 1) await job.log(`sent ${row} of 10`);
    expect(await askWorkers(job, ['tq@a'])).toMatchObject([{ kind: 'postponed', delayMs: 5000 }]);
  });

  test('reaches only the hook taskDead, and is said in the log', async () => {
    const bench = setUp([]);
    await bench.perform({ task: 'new.task' });
    expect(bench.hookNames()).toEqual([]);
    expect(bench.log.lines).toMatchObject([
      { level: 'WARN', message: 'unknown task, the job is put back', task_name: 'new.task', retry_in_ms: 5000 },
    ]);
    const spent = new FakeJob({ task: 'new.task' });
    for (let times = 0; times < 3; times += 1) {
      await spent.log('put back by tq@old: it does not register task "new.task"');
    }
    await bench.executor.perform(spent);
    expect(bench.hookNames()).toEqual(['taskDead']);
  });

  test('that has expired meanwhile is revoked', async () => {
    const { perform, clock } = setUp([]);
    expect(await perform({ task: 'new.task', meta: { expiresAt: clock.now() - 1 } })).toMatchObject({
      kind: 'ended',
      state: 'REVOKED',
    });
  });

  test('is put back also when its log cannot be read', async () => {
    const job = new FakeJob({ task: 'new.task' });
    job.readLog = () => Promise.reject(new Error('the connection is gone'));
    const { executor, log } = setUp([]);
    expect(await executor.perform(job)).toMatchObject({ kind: 'postponed', delayMs: 5000 });
    expect(log.lines.at(-1)).toMatchObject({ level: 'WARN' });
  });
});
