import { describe, expect, test } from 'vitest';
import { FakeBroker } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';

describe('argv to input', () => {
  test('takes the workers to ask', async () => {
    expect(await parseInput('inspect', 'stats', '-d', 'tq@a')).toEqual({
      command: 'stats',
      destinations: ['tq@a'],
      timeoutMs: undefined,
    });
    expect(await usageFault('inspect', 'stats', 'tq@a')).toMatch(/too many arguments/);
  });
});

const REPLY = {
  ...{ name: 'tq@a', host: 'box', pid: 7, version: '1.2.3', node: 'v24', pool: 'async', concurrency: 4, pids: [7] },
  ...{ queues: ['high'], startedAt: 1, uptimeMs: 90_000, active: 2, reserved: 1 },
  jobs: { succeeded: 30, retried: 2, failed: 1, ended: 0, handedBack: 0 },
  memory: { rssBytes: 64 * 2 ** 20, heapUsedBytes: 1 },
  cpu: { userMs: 5, systemMs: 6 },
};

function createBroker(): FakeBroker {
  const broker = new FakeBroker();
  broker.control.add('tq@a', { stats: REPLY });
  return broker;
}

const inspect = (argv: string[] = [], broker = createBroker(), columns?: number) =>
  run(['inspect', 'stats', ...argv], { session: createFakeSession(broker), ...(columns !== undefined && { columns }) });

describe('input to output', () => {
  test('--json prints the reply under the name of its worker', async () => {
    const { exitCode, stdout, stderr } = await inspect(['--json']);
    expect(JSON.parse(stdout)).toEqual({ workers: { 'tq@a': REPLY }, silent: [] });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  test('a pipe gets a line a worker, a terminal a table', async () => {
    expect((await inspect()).stdout).toBe('tq@a\tbox\t7\tasync\t4\t2\t1\t30\t2\t1\t64\t90000\t1.2.3\n');
    const { stdout } = await inspect(['--no-color'], createBroker(), 160);
    expect(stdout.split('\n')[0]).toMatch(/^WORKER +HOST +PID +POOL +SLOTS .*UPTIME +VERSION$/);
    expect(stdout.split('\n')[1]).toMatch(/^tq@a +box .* 1m 30s +1\.2\.3$/);
  });

  test('a worker of another version that says less is shown with gaps', async () => {
    const broker = new FakeBroker();
    broker.control.add('old', { stats: { pid: 7 } });
    expect(await inspect([], broker)).toMatchObject({ exitCode: 0, stdout: 'old\t\t7\t\t\t\t\t\t\t\t\t\t\n' });
  });

  test('no live worker has exit code 69', async () => {
    const { exitCode, stdout } = await inspect(['--json'], new FakeBroker());
    expect({ exitCode, document: JSON.parse(stdout) }).toEqual({ exitCode: 69, document: { workers: {}, silent: [] } });
  });
});
