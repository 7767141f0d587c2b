import { describe, expect, test } from 'vitest';
import { FakeBroker, NOW } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';
import { storeEntries } from '../../stored-entries.ts';

describe('argv to input', () => {
  test('takes an entry, or a schedule of its own', async () => {
    expect(await parseInput('schedule', 'next', 'a')).toEqual({ name: 'a', fromAt: undefined, count: 10 });
    expect(await parseInput('schedule', 'next', '--cron', '0 3 * * *', '-n', '3', '--from', '2031-05-01')).toEqual({
      ...{ name: undefined, fromAt: Date.UTC(2031, 4, 1), count: 3, cron: '0 3 * * *' },
    });
    expect(await parseInput('schedule', 'next', '--cron', '{"hour":3,"minute":0}')).toMatchObject({
      cron: { hour: 3, minute: 0 },
    });
  });

  test('refuses both, neither, and what never fires', async () => {
    expect(await usageFault('schedule', 'next')).toMatch(/nothing says when it fires/);
    expect(await usageFault('schedule', 'next', 'a', '--every', '5m')).toMatch(/and a schedule of its own/);
    expect(await usageFault('schedule', 'next', 'a', '--timezone', 'UTC')).toMatch(/and a schedule of its own/);
    expect(await usageFault('schedule', 'next', '--every', '5m', '--cron', '@daily')).toMatch(/both given/);
    expect(await usageFault('schedule', 'next', '--cron', '0 0 31 2 *')).toMatch(/no day of the calendar|31/);
    expect(await usageFault('schedule', 'next', '--every', '5m', '-n', '0')).toMatch(/--count/);
  });
});

describe('input to output', () => {
  test('each due time with local time, offset and a note where the clock was changed', async () => {
    const argv = ['schedule', 'next', '--cron', '0 3 * * *', '--timezone', 'Europe/Berlin', '--from', '2031-10-25'];
    const { stdout, stderr } = await run([...argv, '-n', '2'], {
      session: createFakeSession(new FakeBroker().break()),
    });
    expect(stdout.split('\n').map((row) => row.split('\t'))).toEqual([
      ['2031-10-25T01:00:00.000Z', '2031-10-25 03:00', '+02:00', ''],
      ['2031-10-26T02:00:00.000Z', '2031-10-26 03:00', '+01:00', 'the clock has gone back by 1h'],
      [''],
    ]);
    expect(stderr).toBe('at 03:00 Europe/Berlin\n');
  });

  test('--json of an entry, and a note when it is paused', async () => {
    const broker = new FakeBroker();
    await storeEntries(broker, { a: { task: 'report', every: '1h', enabled: false } });
    const session = createFakeSession(broker);
    const { stdout, stderr } = await run(['schedule', 'next', 'a', '-n', '1', '--json'], { session });
    expect(JSON.parse(stdout)).toEqual([
      { at: NOW + 3_600_000, local: '2031-05-01 13:00', offset: '+00:00', note: null },
    ]);
    expect(stderr).toContain('"a" is paused');
  });
});
