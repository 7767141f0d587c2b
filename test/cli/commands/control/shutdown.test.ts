import { describe, expect, test } from 'vitest';
import { FakeBroker } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';

describe('argv to input', () => {
  test('takes the workers to stop', async () => {
    expect(await parseInput('control', 'shutdown')).toEqual({ destinations: undefined, timeoutMs: undefined });
    expect(await parseInput('control', 'shutdown', '-d', 'a,b')).toMatchObject({ destinations: ['a', 'b'] });
    expect(await usageFault('control', 'shutdown', 'a')).toMatch(/too many arguments/);
  });
});

function createBroker(): FakeBroker {
  const broker = new FakeBroker();
  broker.control.add('tq@a', { shutdown: { stopping: true, active: 3 } });
  return broker;
}

const shutdown = (broker: FakeBroker, argv: string[] = [], columns?: number) =>
  run(['control', 'shutdown', ...argv], {
    session: createFakeSession(broker),
    ...(columns !== undefined && { columns }),
  });

describe('input to output', () => {
  test('--json prints the receipts', async () => {
    const { exitCode, stdout, stderr } = await shutdown(createBroker(), ['--json']);
    expect(JSON.parse(stdout)).toEqual({ workers: { 'tq@a': { stopping: true, active: 3 } }, silent: [] });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  test('a pipe gets a line a worker, a terminal a table', async () => {
    expect((await shutdown(createBroker())).stdout).toBe('tq@a\ttrue\t3\n');
    expect((await shutdown(createBroker(), ['--no-color'], 80)).stdout).toBe(
      'WORKER  STOPPING  ACTIVE\ntq@a    yes            3\n',
    );
  });

  test('one that does not answer may not stop: exit code 4', async () => {
    const broker = createBroker();
    broker.control.add('mute', {});
    expect(await shutdown(broker)).toMatchObject({ exitCode: 4, stderr: 'no answer from mute\n' });
  });

  test('one that refuses has exit code 1, and none at all 69', async () => {
    const broker = createBroker();
    broker.control.add('odd', { shutdown: new Error('no') });
    expect(await shutdown(broker)).toMatchObject({ exitCode: 1, stderr: 'odd: no\n' });
    expect(await shutdown(new FakeBroker(), ['--json'])).toMatchObject({
      exitCode: 69,
      stdout: '{"workers":{},"silent":[]}\n',
    });
  });

  test('a dry run stops nobody', async () => {
    const broker = createBroker();
    const { exitCode, stdout } = await shutdown(broker, ['--dry-run', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ dryRun: true, rows: [{ worker: 'tq@a', host: 'box', pid: 100 }] });
    expect({ exitCode, asked: broker.control.questions }).toEqual({ exitCode: 0, asked: [] });
  });
});
