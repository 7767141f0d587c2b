import { describe, expect, test } from 'vitest';
import { FakeBroker } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';

describe('argv to input', () => {
  test('takes a task, its rate, and the workers to tell', async () => {
    expect(await parseInput('control', 'rate-limit', 'email.send', '10/m')).toEqual({
      task: 'email.send',
      rate: '10/m',
      destinations: undefined,
      timeoutMs: undefined,
    });
    expect(await parseInput('control', 'rate-limit', 'a', '0', '-d', 'x,y')).toMatchObject({
      rate: '0',
      destinations: ['x', 'y'],
    });
  });

  test.each([
    [['a'], /missing required argument/],
    [['a', 'often'], /the rate must be a rate such as 10\/s/],
    [['a', '0/m'], /the rate must be/],
    [[' ', '1/m'], /an empty task/],
  ])('%j is refused', async (argv, message) => {
    expect(await usageFault('control', 'rate-limit', ...argv)).toMatch(message);
  });
});

const limit = (broker: FakeBroker, argv: string[] = []) =>
  run(['control', 'rate-limit', 'email.send', '10/m', ...argv], { session: createFakeSession(broker) });

describe('input to output', () => {
  test('prints what each worker has now', async () => {
    const broker = new FakeBroker();
    broker.control.add('tq@a', { 'rate-limit': { task: 'email.send', rate: '10/m' } });
    const { exitCode, stdout, stderr } = await limit(broker, ['--json']);
    expect(JSON.parse(stdout)).toEqual({ workers: { 'tq@a': { task: 'email.send', rate: '10/m' } }, silent: [] });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect((await limit(broker)).stdout).toBe('tq@a\temail.send\t10/m\n');
  });

  test('a worker without the task has exit code 1, a silent one 4, and none at all 69', async () => {
    const broker = new FakeBroker();
    broker.control.add('tq@a', { 'rate-limit': { task: 'email.send', rate: '10/m' } });
    broker.control.add('mute', {});
    expect(await limit(broker)).toMatchObject({ exitCode: 4, stderr: 'no answer from mute\n' });
    broker.control.add('odd', { 'rate-limit': new Error('no task "email.send"') });
    expect(await limit(broker)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('odd: no task') });
    expect(await limit(new FakeBroker())).toMatchObject({ exitCode: 69 });
  });
});
