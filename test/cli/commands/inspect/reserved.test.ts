import { describe, expect, test } from 'vitest';
import { FakeBroker } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';

describe('argv to input', () => {
  test('takes the workers to ask', async () => {
    expect(await parseInput('inspect', 'reserved', '-d', 'tq@a')).toEqual({
      command: 'reserved',
      destinations: ['tq@a'],
      timeoutMs: undefined,
    });
    expect(await usageFault('inspect', 'reserved', 'tq@a')).toMatch(/too many arguments/);
  });
});

const REPLY = [{ id: 'job-1', task: 'email.send', queue: 'high', attempt: 2 }];

function createBroker(): FakeBroker {
  const broker = new FakeBroker();
  broker.control.add('tq@a', { reserved: REPLY });
  return broker;
}

const inspect = (argv: string[] = [], broker = createBroker(), columns?: number) =>
  run(['inspect', 'reserved', ...argv], {
    session: createFakeSession(broker),
    ...(columns !== undefined && { columns }),
  });

describe('input to output', () => {
  test('--json prints the reply under the name of its worker', async () => {
    const { exitCode, stdout, stderr } = await inspect(['--json']);
    expect(JSON.parse(stdout)).toEqual({ workers: { 'tq@a': REPLY }, silent: [] });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  test('a pipe gets a line a job, a terminal a table', async () => {
    expect((await inspect()).stdout).toBe('tq@a\tjob-1\temail.send\thigh\t2\n');
    expect((await inspect(['--no-color'], createBroker(), 80)).stdout).toBe(
      'WORKER  ID     TASK        QUEUE  ATTEMPT\ntq@a    job-1  email.send  high         2\n',
    );
  });

  test('no reserved job is a note for people', async () => {
    const broker = new FakeBroker();
    broker.control.add('tq@a', { reserved: [] });
    expect(await inspect([], broker)).toMatchObject({ exitCode: 0, stdout: '', stderr: 'no job is reserved\n' });
  });

  test('no live worker has exit code 69', async () => {
    const { exitCode, stdout } = await inspect(['--json'], new FakeBroker());
    expect({ exitCode, document: JSON.parse(stdout) }).toEqual({ exitCode: 69, document: { workers: {}, silent: [] } });
  });
});
