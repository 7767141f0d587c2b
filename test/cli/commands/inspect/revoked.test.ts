import { describe, expect, test } from 'vitest';
import { inspectRevoked } from '../../../../src/cli/commands/inspect/revoked.ts';
import { FakeBroker, NOW } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';

describe('argv to input', () => {
  test('takes the workers to ask', async () => {
    expect(await parseInput('inspect', 'revoked', '-d', 'a,b')).toMatchObject({ destinations: ['a', 'b'] });
    expect(await usageFault('inspect', 'revoked', 'a')).toMatch(/too many arguments/);
  });
});

const ended = { id: 'job-1', task: 'email.send', queue: 'high', happened: 'killed', at: NOW - 60_000, by: 'ada@box' };

/** A job that waits for a worker to file it away. */
async function revokeOne(broker: FakeBroker): Promise<FakeBroker> {
  broker.store('high', { id: 'job-2', state: 'SCHEDULED', dueAt: NOW + 1000 });
  await run(['control', 'revoke', 'job-2', '--yes'], { session: createFakeSession(broker) });
  return broker;
}

const inspect = (broker: FakeBroker, argv: string[] = [], columns?: number) =>
  run(['inspect', 'revoked', ...argv], {
    session: createFakeSession(broker),
    ...(columns !== undefined && { columns }),
  });

describe('input to output', () => {
  test('--json prints the fields of the contract', async () => {
    const broker = await revokeOne(new FakeBroker());
    broker.control.add('tq@a', { revoked: [ended] });
    broker.control.add('mute', {});
    const { exitCode, stdout, stderr } = await inspect(broker, ['--json']);
    const document = JSON.parse(stdout);
    expect(Object.keys(document)).toEqual(inspectRevoked.json);
    expect(document).toEqual({
      workers: { 'tq@a': [ended] },
      silent: ['mute'],
      waiting: [
        {
          ...{ id: 'job-2', task: 'email.send', queue: 'high', phase: 'scheduled', at: NOW },
          by: expect.stringMatching(/./),
        },
      ],
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: 'no answer from mute\n' });
  });

  test('a pipe gets a line a job, a terminal a table', async () => {
    const broker = new FakeBroker();
    broker.control.add('tq@a', { revoked: [ended] });
    expect((await inspect(broker)).stdout).toBe(
      'tq@a\tjob-1\temail.send\thigh\tkilled\t2031-05-01T11:59:00.000Z\tada@box\n',
    );
    expect((await inspect(broker, ['--no-color'], 100)).stdout).toBe(
      [
        'WORKER  ID     TASK        QUEUE  HAPPENED  AT      BY\n',
        'tq@a    job-1  email.send  high   killed    1m ago  ada@box\n',
      ].join(''),
    );
    const idle = new FakeBroker();
    idle.control.add('tq@a', { revoked: [] });
    expect(await inspect(idle)).toMatchObject({ exitCode: 0, stdout: '', stderr: 'no job was revoked\n' });
  });

  test('what lies in the broker is shown also when no worker is live', async () => {
    const { exitCode, stdout } = await inspect(await revokeOne(new FakeBroker()));
    expect(stdout).toMatch(/^\tjob-2\temail\.send\thigh\tscheduled\t2031-05-01T12:00:00\.000Z\t.+\n$/);
    expect(exitCode).toBe(69);
  });
});
