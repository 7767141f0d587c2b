import { describe, expect, test } from 'vitest';
import { jobsShow } from '../../../../src/cli/commands/jobs/show.ts';
import type { StoredJob } from '../../../../src/engine/core/job.ts';
import { formatReprocessNote } from '../../../../src/engine/core/reprocess-note.ts';
import { FakeBroker, NOW } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';

describe('argv to input', () => {
  test('takes one id', async () => {
    expect(await parseInput('jobs', 'show', 'x')).toEqual({ id: 'x' });
    expect(await usageFault('jobs', 'show')).toMatch(/missing required argument 'id'/);
    expect(await usageFault('jobs')).toMatch(/`tq jobs` needs one more word/);
  });
});

const ERROR = { name: 'TypeError', message: 'no\u001b[2J', code: null, stack: 'TypeError: no\u001b[2J\n    at send' };
const ATTEMPT = { worker: 'tq@box', error: ERROR, isEarlier: false };

function setup() {
  const broker = new FakeBroker().store('high', {
    ...{ id: 'x', state: 'FAILURE', args: [{ to: 'a\u001b[2J' }], attempts: 2, startedAt: NOW - 3000, finishedAt: NOW },
    ...{ error: ERROR, stacks: [ERROR.stack] },
    failures: [
      { ...ATTEMPT, number: 1, end: 'retry', startedAt: NOW - 60_000, endedAt: NOW - 59_000 },
      { ...ATTEMPT, number: 2, end: 'dead', startedAt: NOW - 3000, endedAt: NOW },
    ],
    meta: { requestId: 'r-1', timeLimitMs: 60_000 },
  });
  broker.queue('high').logs.set('x', ['row one']);
  return createFakeSession(broker);
}

describe('input to output', () => {
  test('--json prints the fields that its help names', async () => {
    const ran = await run(['jobs', 'show', 'x', '--json'], { session: setup() });
    const job = JSON.parse(ran.stdout) as Record<string, unknown>;
    expect(Object.keys(job).sort()).toEqual([...jobsShow.json].sort());
    expect(job).toMatchObject({ id: 'x', requestId: 'r-1', log: ['row one'], dueAt: null });
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test('a terminal shows each attempt with its stack, the last at the bottom, without control sequences', async () => {
    const { stdout } = await run(['jobs', 'show', 'x', '--no-color'], { session: setup(), columns: 80 });
    expect(stdout).toMatch(
      new RegExp(
        [
          'attempts',
          '  #1 retry {2}2031-05-01T11:59:00.000Z {2}took 1s {2}on tq@box',
          '    TypeError: no\\\\x1b\\[2J',
          '        at send',
          '  #2 dead {2}2031-05-01T11:59:57.000Z {2}took 3s {2}on tq@box',
          '    error and stack as above\n$',
        ].join('\n'),
      ),
    );
    expect(stdout).toContain('args  [{"to":"a\\u001b[2J"}]\n');
    expect(stdout).toContain('log\n  row one\n');
    expect(stdout).toContain('time limit    1m\n');
    expect(stdout).not.toContain('\u001b');
  });

  test('a pipe keeps every field on one line', async () => {
    const { stdout } = await run(['jobs', 'show', 'x'], { session: setup() });
    const lines = stdout.trimEnd().split('\n');
    expect(lines.every((line) => line.split('\t').length === 2)).toBe(true);
    const attempt =
      lines
        .filter((row) => row.startsWith('attempt\t'))
        .at(-1)
        ?.slice('attempt\t'.length) ?? '';
    expect(JSON.parse(attempt)).toMatchObject({ attempt: 2, outcome: 'dead', durationMs: 3000, error: ERROR });
  });

  test('an unknown id has exit code 3', async () => {
    const ran = await run(['jobs', 'show', 'nope', '--json'], { session: setup() });
    expect(ran).toMatchObject({ exitCode: 3, stdout: '' });
    expect(ran.stderr).toContain('[UNKNOWN_JOB]');
  });

  test('a broker that is away has exit code 69', async () => {
    const session = createFakeSession(new FakeBroker().break());
    expect(await run(['jobs', 'show', 'x'], { session })).toMatchObject({ exitCode: 69, stdout: '' });
  });
});

describe('what a person sees at a terminal', () => {
  const show = async (given: Partial<StoredJob>, log: readonly string[] = []) => {
    const broker = new FakeBroker().store('high', { id: 'x', ...given });
    broker.queue('high').logs.set('x', [...log]);
    return await run(['jobs', 'show', 'x', '--no-color'], { session: createFakeSession(broker), columns: 80 });
  };

  test('what is not in the ledger is said', async () => {
    const failures = [{ ...ATTEMPT, number: 3, end: 'retry', startedAt: 1, endedAt: 2 } as const];
    const { stderr } = await show({ state: 'RETRY', attempts: 3, workersLost: 2, failures });
    expect(stderr).toContain('2 more attempts ended with a lost worker\n');
    expect(stderr).toContain('2 more attempts are not kept\n');
    const whole = await show({ state: 'RETRY', attempts: 1, failures });
    expect(whole.stderr).not.toContain('more attempt');
  });

  test('a reprocessing stands between the attempts before and after it', async () => {
    const failures = [
      { ...ATTEMPT, number: 1, end: 'dead', startedAt: NOW - 9000, endedAt: NOW - 8000, isEarlier: true },
      { ...ATTEMPT, number: 1, end: 'dead', startedAt: null, endedAt: null, worker: null },
    ] as const;
    const log = ['a row', formatReprocessNote({ at: NOW - 5000, by: 'run-1' }, 'had died')];
    const { stdout } = await show({ state: 'FAILURE', attempts: 1, failures }, log);
    const rows = stdout.slice(stdout.indexOf('attempts\n')).split('\n');
    expect(rows.filter((row) => /^ {2}\S/.test(row))).toEqual([
      '  #1 dead  2031-05-01T11:59:51.000Z  took 1s  on tq@box',
      '  reprocessed 2031-05-01T11:59:55.000Z by run-1',
      '  #1 dead  start unknown',
    ]);
  });

  test('long arguments are indented, and cut; a pipe has all of them', async () => {
    const args = [{ text: 'word '.repeat(2000), end: true }];
    const { stdout } = await show({ args });
    expect(stdout).toMatch(/\nargs\n {2}\[\n {4}\{\n {6}"text": "word word /);
    expect(stdout).toMatch(/\n {2}\d+ characters more; --json prints all\n/);
    const session = createFakeSession(new FakeBroker().store('high', { id: 'x', args }));
    expect((await run(['jobs', 'show', 'x'], { session })).stdout).toContain(`args\t${JSON.stringify(args)}\n`);
  });

  test('the jobs that it waits for are listed with what they came to', async () => {
    const broker = new FakeBroker().store('high', { id: 'x', state: 'BLOCKED' });
    const children = Array.from({ length: 101 }, (_, at) => ({
      queue: 'q',
      id: `c${at}`,
      end: 'done' as const,
      value: null,
    }));
    broker.queue('high').records.set('x', { children, parent: { queue: 'q', id: 'up', onDead: null } });
    const { stdout } = await run(['jobs', 'show', 'x', '--no-color'], {
      session: createFakeSession(broker),
      columns: 80,
    });
    expect(stdout).toContain('waited for by  up in queue q\n');
    expect(stdout).toContain('waits for\n  done     c0 in queue q\n');
    expect(stdout).toContain('  done     c99 in queue q\n  1 more\n');
  });
});
