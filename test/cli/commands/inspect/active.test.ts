import { describe, expect, test } from 'vitest';
import { inspectActive } from '../../../../src/cli/commands/inspect/active.ts';
import { FakeBroker, NOW } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';

describe('argv to input', () => {
  test('takes the workers to ask', async () => {
    expect(await parseInput('inspect', 'active')).toEqual({ destinations: undefined, timeoutMs: undefined });
    expect(await parseInput('inspect', 'active', '-d', 'a,b', '--timeout', '1s')).toEqual({
      destinations: ['a', 'b'],
      timeoutMs: 1000,
    });
    expect(await usageFault('inspect', 'active', 'a')).toMatch(/too many arguments/);
  });
});

const job = {
  ...{ id: 'job-1', task: 'email.send', queue: 'high', attempt: 2, startedAt: NOW - 90_000, runningMs: 90_000 },
  ...{ requestId: 'request-1', pid: 77, progress: { done: 3 } },
};

function createBroker(): FakeBroker {
  const broker = new FakeBroker().store('high', { id: 'job-1', state: 'STARTED', worker: 'tq@a', startedAt: NOW });
  const held = { active: [job], reserved: [], queues: ['high'], lockDurationMs: 30_000 };
  broker.control.add('tq@a', { held });
  return broker;
}

/** The same with a job that a dead worker left behind. */
function createBrokerWithOrphan(queue = 'high'): FakeBroker {
  const broker = createBroker();
  broker.store(queue, { id: 'job-2', state: 'STARTED', attempts: 1, worker: 'tq@dead', startedAt: NOW - 1000 });
  broker.queue(queue).lockLeftMs.set('job-2', 25_000);
  return broker;
}

const inspect = (broker: FakeBroker, argv: string[] = [], columns?: number) =>
  run(['inspect', 'active', ...argv], {
    session: createFakeSession(broker),
    ...(columns !== undefined && { columns }),
  });

describe('input to output', () => {
  test('--json prints the fields of the contract', async () => {
    const { exitCode, stdout, stderr } = await inspect(createBrokerWithOrphan(), ['--json']);
    const document = JSON.parse(stdout);
    expect(Object.keys(document)).toEqual(inspectActive.json);
    expect(document).toEqual({
      workers: { 'tq@a': [job] },
      silent: [],
      orphaned: [
        {
          ...{ id: 'job-2', task: 'email.send', queue: 'high', attempt: 1, worker: 'tq@dead', startedAt: NOW - 1000 },
          recoverAt: NOW + 40_000,
        },
      ],
    });
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: '1 job is orphaned: no live worker claims what it runs\n',
    });
  });

  test('a pipe gets a line a job, orphans last', async () => {
    expect((await inspect(createBrokerWithOrphan())).stdout).toBe(
      [
        'tq@a\tjob-1\temail.send\thigh\t2\t90000\t77\trequest-1\t{"done":3}\t\t',
        'tq@dead\tjob-2\temail.send\thigh\t1\t\t\t\t\ttrue\t2031-05-01T12:00:40.000Z',
        '',
      ].join('\n'),
    );
  });

  test('a terminal gets a table with relative times', async () => {
    expect((await inspect(createBrokerWithOrphan(), ['--no-color'], 140)).stdout).toBe(
      [
        'WORKER   ID     TASK        QUEUE  ATTEMPT  RUNNING  PID  REQUEST    PROGRESS  ORPHANED  RECOVERED',
        'tq@a     job-1  email.send  high         2  1m 30s    77  request-1  3 done    -         -',
        'tq@dead  job-2  email.send  high         1  -          -  -          -         yes       in 40s',
        '',
      ].join('\n'),
    );
  });

  test('says when nobody will recover an orphan', async () => {
    const { stdout, stderr } = await inspect(createBrokerWithOrphan('low'), ['--json']);
    expect(JSON.parse(stdout)).toMatchObject({ orphaned: [{ id: 'job-2', recoverAt: null }] });
    expect(stderr).toContain('no live worker serves low, so nobody recovers jobs there\n');
  });

  test('orphans are shown also when no worker is live', async () => {
    const broker = new FakeBroker().store('high', { id: 'job-2', state: 'STARTED', worker: 'tq@dead' });
    const { exitCode, stdout, stderr } = await inspect(broker);
    expect(stdout).toMatch(/^tq@dead\tjob-2\t/);
    expect(stderr).toMatch(/^no worker is live/);
    expect(exitCode).toBe(69);
  });

  test('with --destination nobody looks for orphans', async () => {
    const { stdout } = await inspect(createBrokerWithOrphan(), ['-d', 'tq@a', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ workers: { 'tq@a': [job] }, orphaned: null });
  });

  test('no running job is an empty list, and a note for people', async () => {
    const broker = new FakeBroker();
    broker.control.add('tq@a', { held: { active: [], reserved: [], queues: [], lockDurationMs: 1 } });
    expect(JSON.parse((await inspect(broker, ['--json'])).stdout)).toEqual({
      workers: { 'tq@a': [] },
      silent: [],
      orphaned: [],
    });
    expect(await inspect(broker)).toMatchObject({ exitCode: 0, stdout: '', stderr: 'no job is active\n' });
  });

  test('a broker that is away has exit code 69', async () => {
    expect(await inspect(new FakeBroker().break(), ['--json'])).toMatchObject({ exitCode: 69, stdout: '' });
  });
});
