import { describe, expect, test } from 'vitest';
import { jobsShow } from '../../../../src/cli/commands/jobs/show.ts';
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

function setup() {
  const broker = new FakeBroker().store('high', {
    ...{ id: 'x', state: 'FAILURE', args: [{ to: 'a\u001b[2J' }], attempts: 2, startedAt: NOW - 3000, finishedAt: NOW },
    ...{ error: { name: 'TypeError', message: 'no', code: null, stack: 's' }, stacks: ['TypeError: no\n    at send'] },
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

  test('a terminal shows stacks over several lines, without control sequences', async () => {
    const { stdout } = await run(['jobs', 'show', 'x', '--no-color'], { session: setup(), columns: 80 });
    expect(stdout).toContain('stacks\n  TypeError: no\n      at send\n');
    expect(stdout).toContain('log\n  row one\n');
    expect(stdout).toContain('time limit    1m\n');
    expect(stdout).not.toContain('\u001b');
  });

  test('a pipe keeps every field on one line', async () => {
    const { stdout } = await run(['jobs', 'show', 'x'], { session: setup() });
    const lines = stdout.trimEnd().split('\n');
    expect(lines.every((line) => line.split('\t').length === 2)).toBe(true);
    expect(lines).toContain('stacks\tTypeError: no\\n    at send');
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
