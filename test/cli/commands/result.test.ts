import { describe, expect, test } from 'vitest';
import type { JobState } from '../../../src/engine/core/state.ts';
import { FakeBroker, NOW } from '../fake-broker.ts';
import { createFakeSession } from '../fake-session.ts';
import { parseInput, usageFault } from '../parse-input.ts';
import { run } from '../run-fake.ts';

describe('argv to input', () => {
  test.each([
    [['x'], { id: 'x', wait: undefined, timeoutMs: undefined }],
    [['x', '--wait', '--timeout', '2s'], { id: 'x', wait: true, timeoutMs: 2000 }],
    [['--timeout', '2s', 'x'], { id: 'x', wait: undefined, timeoutMs: 2000 }],
  ])('%j', async (argv, input) => {
    expect(await parseInput('result', ...argv)).toEqual(input);
  });

  test.each([
    [[], /missing required argument 'id'/],
    [['a', 'b'], /too many arguments/],
    [['a', '--wiat'], /did you mean "--wait"/],
  ])('%j is refused', async (argv, message) => {
    expect(await usageFault('result', ...argv)).toMatch(message);
  });
});

function sessionWith(state: JobState) {
  const job = { id: 'x', state, result: state === 'SUCCESS' ? { ok: 1 } : null, startedAt: NOW - 5000, worker: 'w@h' };
  return createFakeSession(new FakeBroker().store('high', job));
}

describe('input to output', () => {
  test.each([
    ['SUCCESS', 0],
    ['IGNORED', 0],
    ['FAILURE', 1],
    ['REVOKED', 1],
    ['PENDING', 4],
    ['STARTED', 4],
    ['RETRY', 4],
    ['BLOCKED', 4],
    ['SCHEDULED', 4],
  ] as const)('%s has exit code %i', async (state, exitCode) => {
    const ran = await run(['result', 'x', '--json'], { session: sessionWith(state) });
    expect(JSON.parse(ran.stdout)).toMatchObject({ id: 'x', state });
    expect(ran.exitCode).toBe(exitCode);
  });

  test('progress of the shape { done, total, note } is for people on a terminal, and as it is anywhere else', async () => {
    const progress = { done: 340, total: 1000, note: 'resizing \u001b[31m' };
    const session = createFakeSession(new FakeBroker().store('high', { id: 'x', state: 'STARTED', progress }));
    const shown = await run(['result', 'x', '--no-color'], { session, columns: 100 });
    expect(shown.stdout).toMatch(/progress +340\/1000 \(34 %\) resizing \\x1b\[31m\n/);
    expect((await run(['result', 'x'], { session })).stdout).toContain('progress\t{"done":340,"total":1000,');
    expect(JSON.parse((await run(['result', 'x', '--json'], { session })).stdout).progress).toEqual(progress);
  });

  test('an unknown id has exit code 3, and still prints its document', async () => {
    const ran = await run(['result', 'nope', '--json']);
    expect(JSON.parse(ran.stdout)).toMatchObject({ id: 'nope', state: 'UNKNOWN', task: null });
    expect(ran.exitCode).toBe(3);
  });

  test('a pipe gets a line a field, complete, with ISO dates', async () => {
    const { stdout } = await run(['result', 'x'], { session: sessionWith('SUCCESS') });
    expect(stdout).toBe(
      [
        ...['id\tx', 'task\temail.send', 'queue\thigh', 'state\tSUCCESS', 'result\t{"ok":1}', 'error\t', 'attempts\t0'],
        ...['progress\t', 'created\t2031-05-01T11:59:00.000Z', 'started\t2031-05-01T11:59:55.000Z', 'finished\t'],
        ...['worker\tw@h', 'schedule\t', 'firing of\t', ''],
      ].join('\n'),
    );
  });

  test('a terminal gets relative times, and nothing for what is absent', async () => {
    const { stdout } = await run(['result', 'x', '--no-color'], { session: sessionWith('SUCCESS'), columns: 80 });
    expect(stdout).toContain('started   5s ago  2031-05-01T11:59:55.000Z\n');
    expect(stdout).not.toContain('finished');
  });

  test('control sequences in results and errors are shown and not obeyed', async () => {
    const error = { name: 'Error', message: '\u001b[2J\u009b31m gone', code: null, stack: null };
    const broker = new FakeBroker().store('high', { id: 'x', state: 'FAILURE', error, result: { a: '\u009b31m' } });
    for (const extra of [{ columns: 80 }, {}]) {
      for (const argv of [
        ['result', 'x'],
        ['result', 'x', '--json'],
      ]) {
        const { stdout, stderr } = await run([...argv, '--no-color'], { session: createFakeSession(broker), ...extra });
        for (const control of ['\u001b', '\u009b']) expect(stdout + stderr).not.toContain(control);
      }
    }
  });

  test('a broker that is away has exit code 69', async () => {
    const session = createFakeSession(new FakeBroker().break());
    expect(await run(['result', 'x', '--json'], { session })).toMatchObject({ exitCode: 69, stdout: '' });
    expect(session.isClosed()).toBe(true);
  });
});
