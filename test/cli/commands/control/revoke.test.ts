import { describe, expect, test } from 'vitest';
import { controlRevoke } from '../../../../src/cli/commands/control/revoke.ts';
import type { Happened } from '../../../../src/engine/core/revocation.ts';
import { FakeBroker, NOW } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { type Given, run } from '../../run-fake.ts';

describe('argv to input', () => {
  test('takes ids, a queue and whom to ask', async () => {
    expect(await parseInput('control', 'revoke', 'a')).toEqual({ ids: ['a'] });
    expect(
      await parseInput('control', 'revoke', 'a', 'b', '-Q', 'mail', '--terminate', '-d', 'x,y', '--timeout', '1s'),
    ).toEqual({ ids: ['a', 'b'], queue: 'mail', terminate: true, destinations: ['x', 'y'], timeoutMs: 1000 });
  });

  test('asks for at least one id', async () => {
    expect(await usageFault('control', 'revoke')).toMatch(/missing required argument/);
    expect(await usageFault('control', 'revoke', ' ')).toBe('revoke was given no id');
    expect(await usageFault('control', 'revoke', 'a', '--queue', '')).toMatch(/--queue/);
  });
});

function createBroker(): FakeBroker {
  return new FakeBroker()
    .store('high', { id: 'waiting' }, { id: 'later', state: 'SCHEDULED', dueAt: NOW + 1000 })
    .store('default', { id: 'done', state: 'SUCCESS', worker: 'tq@a' }, { id: 'again', state: 'RETRY', attempts: 2 });
}

/** A broker with a running job, and a worker that says what happened to it. */
function createRunning(happened?: Happened | Error): FakeBroker {
  const broker = createBroker().store('high', { id: 'running', state: 'STARTED', worker: 'tq@a', attempts: 1 });
  const receipts = [{ id: 'running', task: 'email.send', queue: 'high', happened }];
  broker.control.add('tq@a', happened === undefined ? {} : { revoke: happened instanceof Error ? happened : receipts });
  const ask = broker.control.ask.bind(broker.control);
  broker.control.ask = (question) => {
    const job = broker.queue('high').jobs.get('running');
    const isEnded = happened === 'aborted' || happened === 'killed' || happened === 'given up';
    if (job !== undefined && isEnded) broker.queue('high').put({ ...job, state: 'REVOKED' });
    return ask(question);
  };
  return broker;
}

const revoke = (broker: FakeBroker, argv: string[], given: Given = {}) =>
  run(['control', 'revoke', ...argv], { session: createFakeSession(broker), ...given });

describe('input to output', () => {
  test('--json prints the fields of the contract', async () => {
    const { exitCode, stdout, stderr } = await revoke(createRunning('aborted'), [
      ...['running', 'waiting', 'done', 'again', 'gone', '--yes', '--json'],
    ]);
    const document = JSON.parse(stdout);
    expect(Object.keys(document)).toEqual(controlRevoke.json);
    const task = 'email.send';
    expect(document).toEqual({
      workers: { 'tq@a': [{ id: 'running', task, queue: 'high', happened: 'aborted' }] },
      silent: [],
      jobs: [
        { id: 'running', task, queue: 'high', happened: 'aborted', state: 'REVOKED', worker: 'tq@a' },
        { id: 'waiting', task, queue: 'high', happened: 'never started', state: 'REVOKED', worker: null },
        { id: 'done', task, queue: 'default', happened: 'had finished', state: 'SUCCESS', worker: 'tq@a' },
        { id: 'again', task, queue: 'default', happened: 'not started again', state: 'REVOKED', worker: null },
        { id: 'gone', task: null, queue: null, happened: 'unknown', state: 'UNKNOWN', worker: null },
      ],
      workflows: [],
    });
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: '1 of 5 are unknown: no queue holds them, or their results have expired\n',
    });
  });

  test('a pipe gets a line an id, a terminal a table', async () => {
    expect((await revoke(createBroker(), ['waiting', 'later', '--yes'])).stdout).toBe(
      'waiting\temail.send\thigh\tnever started\tREVOKED\t\nlater\temail.send\thigh\tnever started\tREVOKED\t\n',
    );
    expect((await revoke(createBroker(), ['waiting', '--yes', '--no-color'], { columns: 100 })).stdout).toBe(
      [
        'ID       TASK        QUEUE  HAPPENED       STATE    WORKER\n',
        'waiting  email.send  high   never started  REVOKED  -\n',
      ].join(''),
    );
  });

  test.each<[Happened | Error | undefined, number, string]>([
    ['aborted', 0, ''],
    ['killed', 0, ''],
    ['given up', 0, '1 of 1 are waited for no more, but their functions go on in their workers until these end\n'],
    ['ignored the signal', 1, '1 of 1 still run and will not be retried; --terminate ends them\n'],
    [
      undefined,
      4,
      'no answer from tq@a\n1 of 1 are active on a worker that did not answer; they will not be started again\n',
    ],
    [
      new Error('no'),
      1,
      'tq@a: no\n1 of 1 are active on a worker that did not answer; they will not be started again\n',
    ],
  ])('a running job: %s has the exit code %i', async (happened, exitCode, stderr) => {
    expect(await revoke(createRunning(happened), ['running', '--yes'])).toMatchObject({ exitCode, stderr });
  });

  test('a running job of a worker that is not asked still runs: exit code 1; of none that lives: 0', async () => {
    const broker = createRunning('aborted');
    broker.control.add('tq@b', { revoke: [] });
    const job = broker.queue('high').jobs.get('running');
    if (job !== undefined) broker.queue('high').put({ ...job, worker: 'tq@c' });
    broker.control.ask = async () => ({ answers: new Map([['tq@b', { ok: true, value: [] }]]), silent: [] });
    expect(await revoke(broker, ['running', '--yes', '-d', 'tq@b'])).toMatchObject({
      exitCode: 1,
      stderr: '1 of 1 are active on a worker that was not asked; they will not be started again\n',
    });
    expect(await revoke(broker, ['running', '--yes'])).toMatchObject({
      exitCode: 0,
      stderr: '1 of 1 are active without a live worker; they will not be started again\n',
    });
  });

  test('ids that are all unknown have the exit code 3', async () => {
    expect(await revoke(createBroker(), ['x', 'y'])).toMatchObject({ exitCode: 3, questions: [] });
  });

  test('ids come from stdin too, a line each', async () => {
    const broker = createBroker();
    const stdin = 'waiting\r\n\n  later \nwaiting\n';
    const { exitCode, stdout } = await revoke(broker, ['again', '-', '--yes', '--json'], { stdin });
    expect({ exitCode, ids: JSON.parse(stdout).jobs.map(({ id }: { id: string }) => id) }).toEqual({
      exitCode: 0,
      ids: ['again', 'waiting', 'later'],
    });
    expect(await revoke(broker, ['-', '--yes'], { stdin: '\n' })).toMatchObject({ exitCode: 2 });
  });

  test('a person is asked, and without one nothing is revoked', async () => {
    const broker = createBroker();
    const asked = await revoke(broker, ['waiting'], { answer: false });
    expect(asked.questions).toEqual(['Go on?']);
    expect(asked.stderr).toContain('would revoke 1 job\n');
    expect(asked.exitCode).toBe(1);
    expect((await revoke(broker, ['waiting'])).exitCode).toBe(2);
    expect(broker.changes).toEqual([]);
    expect((await revoke(broker, ['waiting'], { answer: true })).exitCode).toBe(0);
    expect(broker.changes).toEqual(['revoke 1 of high']);
  });

  test('nobody is asked about jobs that have finished', async () => {
    const broker = createBroker();
    expect(await revoke(broker, ['done'])).toMatchObject({ exitCode: 0, questions: [] });
    expect(broker.changes).toEqual([]);
  });

  test('a dry run names the jobs, and counts many of them', async () => {
    const broker = createRunning('aborted');
    const few = await revoke(broker, ['running', 'later', 'done', '--terminate', '--dry-run', '--json']);
    expect(JSON.parse(few.stdout)).toMatchObject({
      summary: 'would revoke 2 jobs, and end the processes of those that run',
      count: 2,
      rows: [
        { id: 'running', task: 'email.send', queue: 'high', is: 'active' },
        { id: 'later', task: 'email.send', queue: 'high', is: 'scheduled' },
      ],
    });
    const ids = Array.from({ length: 30 }, (_, index) => `many-${index}`);
    broker.store('high', ...ids.map((id) => ({ id })));
    const many = await revoke(broker, [...ids, 'later', '--dry-run', '--json']);
    expect(JSON.parse(many.stdout)).toMatchObject({
      count: 31,
      rows: [
        { task: 'email.send', queue: 'high', is: 'waiting', jobs: 30 },
        { task: 'email.send', queue: 'high', is: 'scheduled', jobs: 1 },
      ],
    });
    expect({ changes: broker.changes, asked: broker.control.questions }).toEqual({ changes: [], asked: [] });
  });

  test('a revoked job reads as such, and is not listed as scheduled', async () => {
    const broker = createBroker();
    await revoke(broker, ['later', '--yes']);
    const session = createFakeSession(broker);
    const { stdout } = await run(['inspect', 'scheduled', '--json'], { session });
    expect(JSON.parse(stdout)).toMatchObject([{ id: 'again' }]);
    expect(await run(['result', 'later'], { session })).toMatchObject({ exitCode: 1 });
    const shown = JSON.parse((await run(['jobs', 'show', 'later', '--json'], { session })).stdout);
    expect(shown).toMatchObject({ state: 'REVOKED' });
    expect(Object.keys(shown)).not.toContain('revoked');
  });
});
