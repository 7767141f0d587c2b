import { describe, expect, test } from 'vitest';
import { FakeBroker, NOW } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';

describe('argv to input', () => {
  test('takes one task or several, and how long workers may take to confirm', async () => {
    expect(await parseInput('task', 'pause', 'a')).toEqual({ tasks: ['a'], timeoutMs: undefined });
    expect(await parseInput('task', 'pause', 'a', 'b', '--timeout', '1s')).toEqual({
      tasks: ['a', 'b'],
      timeoutMs: 1000,
    });
    expect(await usageFault('task', 'pause')).toMatch(/missing required argument/);
  });
});

const pause = (broker: FakeBroker, argv: string[] = []) =>
  run(['task', 'pause', 'email.send', ...argv], { session: createFakeSession(broker) });

describe('input to output', () => {
  test('--json says since when each is paused, and who did not confirm', async () => {
    const { exitCode, stdout, stderr } = await pause(new FakeBroker(), ['--json']);
    expect(JSON.parse(stdout)).toEqual({
      tasks: [{ task: 'email.send', since: NOW, changed: true }],
      unconfirmed: [],
      unregistered: [],
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  test('a worker that does not confirm has exit code 4, and what was so before or looks misspelt is said', async () => {
    const broker = new FakeBroker();
    broker.control.add('tq@a', { 'reload-pauses': { paused: ['email.send'], unknown: ['email.send'] } });
    await pause(broker);
    broker.control.add('mute', {});
    const ran = await pause(broker);
    expect(ran).toMatchObject({ exitCode: 4, stdout: 'email.send\t2031-05-01T12:00:00.000Z\n' });
    expect(ran.stderr.split('\n')).toEqual([
      'task "email.send" was paused already',
      'no live worker registers task "email.send"; `tq inspect registered` lists theirs',
      'not confirmed by mute; a worker that lives learns of it within 5s',
      '',
    ]);
  });
});
