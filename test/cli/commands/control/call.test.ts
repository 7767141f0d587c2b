import { describe, expect, test } from 'vitest';
import { FakeBroker } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';

describe('argv to input', () => {
  test('takes a command, its arguments as any JSON, and the workers to ask', async () => {
    expect(await parseInput('control', 'call', 'x')).toMatchObject({ command: 'x', args: undefined });
    expect(await parseInput('control', 'call', 'x', '--args', '[1]')).toMatchObject({ args: [1] });
    expect(await parseInput('control', 'call', 'x', '--args', 'null')).toMatchObject({ args: null });
    expect(await parseInput('control', 'call', 'x', '-d', 'a,b', '--timeout', '5s')).toMatchObject({
      destinations: ['a', 'b'],
      timeoutMs: 5000,
    });
  });

  test('names what is wrong', async () => {
    expect(await usageFault('control', 'call')).toMatch(/missing required argument 'command'/);
    expect(await usageFault('control', 'call', 'x', 'y')).toMatch(/too many arguments/);
    expect(await usageFault('control', 'call', 'x', '--args', '{a}')).toMatch(/--args is not JSON: expected a name/);
    expect(await usageFault('control', 'call', '')).toMatch(/the command must be a text that is not empty, got ""/);
  });
});

function createBroker(): FakeBroker {
  const broker = new FakeBroker();
  broker.control.add('tq@a', { 'cache.clear': { cleared: 3 } });
  broker.control.add('tq@b', { 'cache.clear': null });
  return broker;
}

const call = (broker: FakeBroker, argv: string[] = [], columns?: number) =>
  run(['control', 'call', 'cache.clear', ...argv], {
    session: createFakeSession(broker),
    ...(columns !== undefined && { columns }),
  });

describe('input to output', () => {
  test('--json prints the answers', async () => {
    const broker = new FakeBroker();
    broker.control.add('tq@a', { 'cache.clear': { cleared: 3 } });
    const { exitCode, stdout, stderr } = await call(broker, ['--json']);
    expect(JSON.parse(stdout)).toEqual({ workers: { 'tq@a': { cleared: 3 } }, silent: [] });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  test('a pipe gets a line a worker, a terminal a table', async () => {
    expect((await call(createBroker())).stdout).toBe('tq@a\t{"cleared":3}\ntq@b\t\n');
    expect((await call(createBroker(), ['--no-color'], 80)).stdout).toBe(
      'WORKER  ANSWER\ntq@a    {"cleared":3}\ntq@b    -\n',
    );
  });

  test('an error of one has exit code 1, silence 4, and nobody 69', async () => {
    const broker = createBroker();
    broker.control.add('mute', {});
    expect(await call(broker)).toMatchObject({ exitCode: 4, stderr: 'no answer from mute\n' });
    broker.control.add('odd', { 'cache.clear': new Error('no cache') });
    expect(await call(broker)).toMatchObject({ exitCode: 1, stderr: 'odd: no cache\nno answer from mute\n' });
    expect(await call(new FakeBroker(), ['--json'])).toMatchObject({
      exitCode: 69,
      stdout: '{"workers":{},"silent":[]}\n',
    });
  });

  test('a worker that answered with an error is not said to be silent', async () => {
    const broker = new FakeBroker();
    broker.control.add('odd', { 'cache.clear': new Error('no cache') });
    expect(await call(broker, [], 80)).toMatchObject({ stderr: 'no worker has done it\nodd: no cache\n' });
  });

  test('a dry run asks nobody', async () => {
    const broker = createBroker();
    const { exitCode, stdout } = await call(broker, ['--dry-run', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ dryRun: true, rows: [{ worker: 'tq@a' }, { worker: 'tq@b' }] });
    expect({ exitCode, asked: broker.control.questions }).toEqual({ exitCode: 0, asked: [] });
  });
});
