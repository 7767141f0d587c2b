import { describe, expect, test } from 'vitest';
import { FakeBroker } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';
import { schedulesOf, storeEntries } from '../../stored-entries.ts';

describe('argv to input', () => {
  test('takes names, a pattern, or all, and one of them only', async () => {
    expect(await parseInput('schedule', 'pause', 'a', 'b')).toEqual({ names: ['a', 'b'] });
    expect(await parseInput('schedule', 'pause', '--where', 'report.*')).toEqual({ where: 'report.*' });
    expect(await parseInput('schedule', 'pause', '--all')).toEqual({ all: true });
    expect(await usageFault('schedule', 'pause')).toMatch(/no schedule entry/);
    expect(await usageFault('schedule', 'pause', 'a', '--all')).toMatch(/more than one choice/);
    expect(await usageFault('schedule', 'pause', '--where', 'report')).toMatch(/"report" is no pattern/);
  });
});

async function setup() {
  const broker = new FakeBroker();
  await storeEntries(broker, { a: { task: 't', every: '1h' }, b: { task: 't', every: '1h', enabled: false } });
  return { schedules: schedulesOf(broker), session: createFakeSession(broker) };
}

describe('input to output', () => {
  test('--json says what was changed, and what was so before is said', async () => {
    const { session } = await setup();
    const { stdout, stderr } = await run(['schedule', 'pause', 'a', 'b', '--json'], { session });
    expect(JSON.parse(stdout)).toEqual({
      entries: [
        { name: 'a', enabled: false, nextAt: null, changed: true },
        { name: 'b', enabled: false, nextAt: null, changed: false },
      ],
    });
    expect(stderr).toBe('schedule entry "b" was paused already\n');
  });

  test('--all shows what it would pause and asks; no leaves all as it is', async () => {
    const { schedules, session } = await setup();
    const ran = await run(['schedule', 'pause', '--all'], { session, answer: false });
    expect(ran).toMatchObject({ exitCode: 1, questions: ['Go on?'] });
    expect((await schedules.read('a')).enabled).toBe(true);
    expect(await run(['schedule', 'pause', '--all'], { session, answer: true })).toMatchObject({
      ...{ exitCode: 0, stdout: expect.stringContaining('a\tfalse\t\n') },
    });
    expect((await schedules.read('a')).enabled).toBe(false);
  });

  test('a pattern that takes none pauses none', async () => {
    const { session } = await setup();
    expect(await run(['schedule', 'pause', '--where', 'x*'], { session })).toMatchObject({
      ...{ exitCode: 0, stdout: '', stderr: 'no entry was paused\n' },
    });
  });
});
