import { describe, expect, test } from 'vitest';
import { inspectQueues } from '../../../../src/cli/commands/inspect/queues.ts';
import { FakeBroker } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';

describe('argv to input', () => {
  test('takes nothing of its own', async () => {
    expect(await parseInput('inspect', 'queues')).toEqual({});
    expect(await usageFault('inspect', 'queues', 'high')).toMatch(/too many arguments/);
    expect(await usageFault('inspect', 'queus')).toMatch(/did you mean "inspect queues"/);
  });
});

const broker = new FakeBroker().store('high', {}, { state: 'FAILURE' }).store('low');

describe('input to output', () => {
  test('--json prints the fields of the contract, dead_letter last', async () => {
    const { exitCode, stdout, stderr } = await run(['inspect', 'queues', '--json'], {
      session: createFakeSession(broker),
    });
    const queues = JSON.parse(stdout) as Record<string, unknown>[];
    expect(queues.map(({ queue }) => queue)).toEqual(['high', 'low', 'dead_letter']);
    for (const queue of queues) expect(Object.keys(queue).sort()).toEqual([...inspectQueues.json].sort());
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  test('a pipe gets a line a queue without a header', async () => {
    const { stdout } = await run(['inspect', 'queues'], { session: createFakeSession(broker) });
    expect(stdout).toBe(
      [
        'high\t1\t0\t0\t0\t0\t1\t0\tfalse\t0\t60000',
        'low\t0\t0\t0\t0\t0\t0\t0\tfalse\t0\t',
        'dead_letter\t1\t0\t0\t0\t0\t1\t0\tfalse\t0\t',
        '',
      ].join('\n'),
    );
  });

  test('a terminal gets an aligned table with a header', async () => {
    const { stdout } = await run(['inspect', 'queues', '--no-color'], {
      session: createFakeSession(broker),
      columns: 120,
    });
    expect(stdout).toBe(
      [
        'QUEUE        WAITING  ACTIVE  SCHEDULED  HELD  BLOCKED  DEAD  COMPLETED  PAUSED  CONSUMERS  OLDEST',
        'high               1       0          0     0        0     1          0  no              0  1m',
        'low                0       0          0     0        0     0          0  no              0  -',
        'dead_letter        1       0          0     0        0     1          0  no              0  -',
        '',
      ].join('\n'),
    );
  });

  test('a queue with a control sequence in its name is shown and not obeyed', async () => {
    const session = createFakeSession(new FakeBroker().store('a\u001b[31m\tb'));
    for (const extra of [{}, { columns: 120 }]) {
      const { stdout } = await run(['inspect', 'queues', '--no-color'], { session, ...extra });
      expect(stdout).toContain('a\\x1b[31m\\tb');
    }
  });

  test('a broker that is away has exit code 69', async () => {
    const session = createFakeSession(new FakeBroker().break());
    expect(await run(['inspect', 'queues', '--json'], { session })).toMatchObject({ exitCode: 69, stdout: '' });
  });
});
