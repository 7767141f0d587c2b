import { describe, expect, test } from 'vitest';
import { FakeBroker } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';

describe('argv to input', () => {
  test('takes the workers to ask', async () => {
    expect(await parseInput('inspect', 'conf', '-d', 'tq@a')).toEqual({
      command: 'conf',
      destinations: ['tq@a'],
      timeoutMs: undefined,
    });
    expect(await usageFault('inspect', 'conf', 'tq@a')).toMatch(/too many arguments/);
  });
});

const REPLY = { concurrency: 4, queues: ['high', 'low'], timeLimitMs: null };

function createBroker(): FakeBroker {
  const broker = new FakeBroker();
  broker.control.add('tq@a', { conf: REPLY });
  return broker;
}

const inspect = (argv: string[] = [], broker = createBroker(), columns?: number) =>
  run(['inspect', 'conf', ...argv], { session: createFakeSession(broker), ...(columns !== undefined && { columns }) });

describe('input to output', () => {
  test('--json prints the reply under the name of its worker', async () => {
    const { exitCode, stdout, stderr } = await inspect(['--json']);
    expect(JSON.parse(stdout)).toEqual({ workers: { 'tq@a': REPLY }, silent: [] });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  test('a pipe gets a line a setting, a terminal a table', async () => {
    expect((await inspect()).stdout).toBe('tq@a\tconcurrency\t4\ntq@a\tqueues\t["high","low"]\ntq@a\ttimeLimitMs\t\n');
    expect((await inspect(['--no-color'], createBroker(), 80)).stdout).toMatch(/^WORKER {2}SETTING {6}VALUE\n/);
  });

  test('no live worker has exit code 69', async () => {
    const { exitCode, stdout } = await inspect(['--json'], new FakeBroker());
    expect({ exitCode, document: JSON.parse(stdout) }).toEqual({ exitCode: 69, document: { workers: {}, silent: [] } });
  });
});
