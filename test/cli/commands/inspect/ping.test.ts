import { describe, expect, test } from 'vitest';
import { FakeBroker } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';

describe('argv to input', () => {
  test.each([
    [[], { command: 'ping', destinations: undefined, timeoutMs: undefined }],
    [['-d', 'tq@a,tq@b'], { command: 'ping', destinations: ['tq@a', 'tq@b'], timeoutMs: undefined }],
    [['-d', 'tq@a', '--destination', 'tq@b', '--timeout', '500ms'], { destinations: ['tq@a', 'tq@b'], timeoutMs: 500 }],
  ])('%j', async (argv, input) => {
    expect(await parseInput('inspect', 'ping', ...argv)).toMatchObject(input);
  });

  test.each([
    [['-d', ','], /--destination must be names/],
    [['tq@a'], /too many arguments/],
  ])('%j is refused', async (argv, message) => {
    expect(await usageFault('inspect', 'ping', ...argv)).toMatch(message);
  });
});

function createBroker(): FakeBroker {
  const broker = new FakeBroker();
  broker.control.add('tq@a', { ping: 'pong' });
  broker.control.add('tq@b', { ping: 'pong' });
  return broker;
}

const inspect = (broker: FakeBroker, argv: string[] = [], columns?: number) =>
  run(['inspect', 'ping', ...argv], { session: createFakeSession(broker), ...(columns !== undefined && { columns }) });

describe('input to output', () => {
  test('--json prints each reply under the name of its worker', async () => {
    const { exitCode, stdout, stderr } = await inspect(createBroker(), ['--json']);
    expect(JSON.parse(stdout)).toEqual({ workers: { 'tq@a': 'pong', 'tq@b': 'pong' }, silent: [] });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  test('a pipe gets a line a worker', async () => {
    expect((await inspect(createBroker())).stdout).toBe('tq@a\tpong\ntq@b\tpong\n');
  });

  test('a terminal gets a table', async () => {
    const { stdout } = await inspect(createBroker(), ['--no-color'], 80);
    expect(stdout).toBe('WORKER  REPLY\ntq@a    pong\ntq@b    pong\n');
  });

  test('says on stderr who is silent, and is no failure as long as somebody answers', async () => {
    const broker = createBroker();
    broker.control.add('mute', {});
    const { exitCode, stdout, stderr } = await inspect(broker, ['--json']);
    expect(JSON.parse(stdout)).toMatchObject({ silent: ['mute'] });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: 'no answer from mute\n' });
  });

  test('an answer that is an error has exit code 1', async () => {
    const broker = createBroker();
    broker.control.add('old', { ping: new Error('worker old has no control command "ping"') });
    const { exitCode, stdout, stderr } = await inspect(broker, ['--json']);
    expect(JSON.parse(stdout).workers.old).toEqual({
      error: { code: 'INTERNAL', message: 'worker old has no control command "ping"' },
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: 'old: worker old has no control command "ping"\n' });
  });

  test('no live worker has exit code 69, and still one document', async () => {
    const { exitCode, stdout, stderr } = await inspect(new FakeBroker(), ['--json']);
    expect(JSON.parse(stdout)).toEqual({ workers: {}, silent: [] });
    expect({ exitCode, stderr }).toEqual({ exitCode: 69, stderr: 'no worker is live; `tq worker` starts one\n' });
  });

  test('a destination that is not live is silent, and exit code 69 when nobody else was asked', async () => {
    const { exitCode, stdout, stderr } = await inspect(createBroker(), ['-d', 'gone', '--json']);
    expect(JSON.parse(stdout)).toEqual({ workers: {}, silent: ['gone'] });
    expect({ exitCode, stderr }).toEqual({ exitCode: 69, stderr: 'no answer from gone\n' });
  });

  test('the name and the words of a worker are shown and not obeyed', async () => {
    const broker = new FakeBroker();
    broker.control.add('a\u001b[31m', { ping: 'po\u001b[31mng' });
    for (const columns of [undefined, 80]) {
      const { stdout } = await inspect(broker, ['--no-color'], columns);
      expect(stdout).toContain('a\\x1b[31m');
      expect(stdout).not.toContain('\u001b[31m');
    }
  });

  test('a broker that is away has exit code 69', async () => {
    expect(await inspect(new FakeBroker().break(), ['--json'])).toMatchObject({ exitCode: 69, stdout: '' });
  });
});
