import { describe, expect, test } from 'vitest';
import { HOOK_NAMES } from '../../../src/engine/events/hooks.ts';
import { context } from '../../../src/engine/task/context.ts';
import { createReporter } from '../../../src/engine/worker/attempt-report.ts';
import { RunningTask } from '../../../src/engine/worker/running-task.ts';
import { define, setUp } from './executor-setup.ts';
import { FakeJob } from './fake-job.ts';
import { recordHooks, recordLog } from './recorded.ts';

const EVENT = {
  id: 'job-1',
  task: 'a.task',
  queue: 'high',
  attempt: 2,
  requestId: 'r-1',
  worker: 'tq@test',
  headers: { tenant: 'a' },
};
const JOB = { queue: 'high', attempts: 2, meta: { requestId: 'r-1', headers: { tenant: 'a' } } };

describe('hooks', () => {
  test('of an attempt that succeeds: start, then success with its result and how long it took', async () => {
    const bench = setUp(() => {
      bench.clock.advance(12);
      return { sent: true };
    });
    await bench.perform(JOB);
    expect(bench.calls).toEqual([
      { name: 'taskStart', event: EVENT },
      { name: 'taskSuccess', event: { ...EVENT, durationMs: 12, result: { sent: true } } },
    ]);
  });

  test('of an attempt that is retried: start, failure, retry with the wait and what was thrown', async () => {
    const error = new Error('busy');
    const retry = { max: 5, delay: '1s', jitter: false };
    const bench = setUp([define('a.task', { retry }, () => Promise.reject(error))]);
    await bench.perform(JOB);
    expect(bench.calls).toEqual([
      { name: 'taskStart', event: EVENT },
      { name: 'taskFailure', event: { ...EVENT, durationMs: 0, error } },
      { name: 'taskRetry', event: { ...EVENT, delayMs: 2000, error } },
    ]);
  });

  test('of an attempt that is the last: start, failure, dead with the error as it is stored', async () => {
    const error = new Error('no');
    const bench = setUp(() => Promise.reject(error));
    await bench.perform(JOB);
    expect(bench.calls).toEqual([
      { name: 'taskStart', event: EVENT },
      { name: 'taskFailure', event: { ...EVENT, durationMs: 0, error } },
      {
        name: 'taskDead',
        event: { ...EVENT, error: { name: 'Error', message: 'no', code: null, stack: error.stack } },
      },
    ]);
  });

  test('are awaited: the outcome waits for the last of them', async () => {
    const order: string[] = [];
    const bench = setUp(() => void order.push('task'), {
      hooks: {
        taskStart: async () => {
          await Promise.resolve();
          order.push('start');
        },
        taskSuccess: async () => {
          await Promise.resolve();
          order.push('success');
        },
      },
    });
    await bench.perform();
    expect(order).toEqual(['start', 'task', 'success']);
  });

  test.each([
    ['succeeds', () => 'fine', { kind: 'succeeded', result: 'fine' }],
    ['fails', () => Promise.reject(new Error('no')), { kind: 'dead', error: { message: 'no' } }],
  ])('that throw change nothing for a job that %s, and are said in the log', async (_, handler, outcome) => {
    const fail = (): never => {
      throw new Error('the hook is broken');
    };
    const bench = setUp(handler, { hooks: Object.fromEntries(HOOK_NAMES.map((name) => [name, fail])) });
    expect(await bench.perform()).toMatchObject(outcome);
    const complaints = bench.log.lines.filter(({ message }) => message.startsWith('the hook '));
    expect(complaints.map(({ message }) => message)).toEqual(
      bench.hookNames().map((name) => `the hook ${name} failed; the job is not affected`),
    );
    expect(complaints[0]).toMatchObject({ level: 'ERROR', task_id: 'job-1', err: { message: 'the hook is broken' } });
  });
});

test('an attempt whose process has died has failed and is run again, to log and hooks', async () => {
  const { log, calls, hooks } = { log: recordLog(), ...recordHooks() };
  const reporter = createReporter({ logger: log.logger, hooks });
  const stored = { name: 'WorkerLost', message: 'died', code: 'WORKER_LOST', stack: null };
  const task = new RunningTask(new FakeJob({ task: 'a.task', ...JOB }), 'tq@test', log.logger);
  const error = new Error('died');
  const outcome = await reporter.failed(task, { kind: 'lost', delayMs: 100, error: stored }, { error, durationMs: 5 });
  expect(outcome).toEqual({ kind: 'lost', delayMs: 100, error: stored });
  expect(calls).toEqual([
    { name: 'taskFailure', event: { ...EVENT, durationMs: 5, error } },
    { name: 'taskRetry', event: { ...EVENT, delayMs: 100, error } },
  ]);
  expect(log.lines).toMatchObject([
    {
      level: 'WARN',
      task_id: 'job-1',
      retry_in_ms: 100,
      err: { message: 'died' },
      message: 'the process of the task died, the job is run again',
    },
  ]);
});

describe('log lines', () => {
  const fields = {
    task_id: 'job-1',
    task_name: 'a.task',
    queue: 'high',
    attempt: 2,
    request_id: 'r-1',
    worker: 'tq@test',
  };

  test('of an attempt all carry the ids of the job and the request id of the caller, those of the task included', async () => {
    const bench = setUp(async () => {
      context().log.info({ step: 1 }, 'sending');
      bench.clock.advance(12.345);
    });
    await bench.perform(JOB);
    expect(bench.log.messages).toEqual(['task started', 'sending', 'task succeeded']);
    for (const line of bench.log.lines) expect(line).toMatchObject(fields);
    expect(bench.log.lines[1]).toMatchObject({ step: 1 });
    expect(bench.log.lines[2]).toMatchObject({ duration_ms: 12.35 });
  });

  test('say at which level it ended, and never the arguments', async () => {
    const handler = (): never => {
      throw new Error('no');
    };
    const bench = setUp([define('a.task', { retry: { max: 2, delay: '1s', jitter: false } }, handler)]);
    await bench.perform({ ...JOB, args: ['the secret'] });
    await bench.perform({ ...JOB, attempts: 3, args: ['the secret'] });
    expect(bench.log.lines.filter(({ level }) => level !== 'DEBUG')).toMatchObject([
      { level: 'WARN', message: 'task failed, it will be retried', retry_in_ms: 2000, err: { message: 'no' } },
      { level: 'ERROR', message: 'task failed, the job is a dead letter', err: { message: 'no' } },
    ]);
    expect(JSON.stringify(bench.log.lines)).not.toContain('the secret');
  });

  test('of a job that never ran show the error with its name and code', async () => {
    const bench = setUp(() => {});
    await bench.perform({ ...JOB, unreadable: 'Unexpected token' });
    expect(bench.log.lines).toMatchObject([
      { ...fields, level: 'ERROR', err: { code: 'INVALID_PAYLOAD', message: expect.stringContaining('Unexpected') } },
    ]);
  });
});
