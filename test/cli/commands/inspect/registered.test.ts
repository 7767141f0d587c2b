import { describe, expect, test } from 'vitest';
import { FakeBroker } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';

describe('argv to input', () => {
  test('takes the workers to ask', async () => {
    expect(await parseInput('inspect', 'registered', '-d', 'tq@a')).toEqual({
      command: 'registered',
      destinations: ['tq@a'],
      timeoutMs: undefined,
    });
    expect(await usageFault('inspect', 'registered', 'tq@a')).toMatch(/too many arguments/);
  });
});

const REPLY = [
  {
    ...{ task: 'email.send', description: 'Send e-mail', queue: 'high' },
    ...{ softTimeLimitMs: null, timeLimitMs: 60_000, retries: 5 },
    ...{ rateLimit: '10/m global', concurrency: 2, unique: false, delivery: 'at-least-once' },
  },
];

function createBroker(): FakeBroker {
  const broker = new FakeBroker();
  broker.control.add('tq@a', { registered: REPLY });
  return broker;
}

const inspect = (argv: string[] = [], broker = createBroker(), columns?: number) =>
  run(['inspect', 'registered', ...argv], {
    session: createFakeSession(broker),
    ...(columns !== undefined && { columns }),
  });

describe('input to output', () => {
  test('--json prints the reply under the name of its worker', async () => {
    const { exitCode, stdout, stderr } = await inspect(['--json']);
    expect(JSON.parse(stdout)).toEqual({ workers: { 'tq@a': REPLY }, silent: [] });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  test('a pipe gets a line a task, a terminal a table', async () => {
    expect((await inspect()).stdout).toBe('tq@a\temail.send\thigh\t5\t\t60000\t10/m global\t2\tSend e-mail\n');
    expect((await inspect(['--no-color'], createBroker(), 100)).stdout).toBe(
      [
        'WORKER  TASK        QUEUE  RETRIES  SOFT LIMIT  TIME LIMIT  RATE         AT ONCE  DESCRIPTION',
        'tq@a    email.send  high         5  -           1m          10/m global        2  Send e-mail',
        '',
      ].join('\n'),
    );
  });

  test('no live worker has exit code 69', async () => {
    const { exitCode, stdout } = await inspect(['--json'], new FakeBroker());
    expect({ exitCode, document: JSON.parse(stdout) }).toEqual({ exitCode: 69, document: { workers: {}, silent: [] } });
  });
});
