import { describe, expect, test } from 'vitest';
import { FakeBroker } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';
import { storeEntries } from '../../stored-entries.ts';

test('takes names, a pattern, or all', async () => {
  expect(await parseInput('schedule', 'remove', 'a', 'b')).toEqual({ names: ['a', 'b'] });
  expect(await parseInput('schedule', 'remove', '--all')).toEqual({ all: true });
  expect(await usageFault('schedule', 'remove')).toMatch(/no schedule entry/);
});

async function setup(source: 'code' | 'operator' = 'operator') {
  const broker = new FakeBroker();
  const entry = { task: 't', every: '1h', timezone: 'Europe/Berlin', args: [1], retry: false as const };
  const schedules = await storeEntries(broker, { a: entry }, { source });
  return { schedules, session: createFakeSession(broker) };
}

describe('input to output', () => {
  test('asks, and prints the command that adds it again with what that leaves out', async () => {
    const { schedules, session } = await setup();
    expect(await run(['schedule', 'remove', 'a'], { session, answer: false })).toMatchObject({ exitCode: 1 });
    expect((await schedules.read('a')).name).toBe('a');
    const { exitCode, stdout, stderr } = await run(['schedule', 'remove', 'a'], { session, answer: true });
    expect(exitCode).toBe(0);
    expect(stdout).toContain(
      "a\ttq schedule add a --task t --every 1h --timezone Europe/Berlin --args '[1]' --queue default\n",
    );
    expect(stderr).toContain('the command for "a" does not bring back its retry policy');
    await expect(schedules.read('a')).rejects.toMatchObject({ code: 'UNKNOWN_ENTRY' });
  });

  test('an entry that code declares comes back with the next deploy, and a pause is proposed', async () => {
    const { session } = await setup('code');
    const { stderr, stdout } = await run(['schedule', 'remove', 'a', '--yes', '--json'], { session });
    expect(JSON.parse(stdout)).toMatchObject({ removed: [{ name: 'a', source: 'code' }] });
    expect(stderr).toContain('code declares "a": it comes back with the next deploy; `tq schedule pause a`');
  });

  test('without somebody to ask it is refused with exit code 2', async () => {
    const { session } = await setup();
    const { exitCode, stderr } = await run(['schedule', 'remove', '--all'], { session });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('would touch 1 schedule entries');
  });
});
