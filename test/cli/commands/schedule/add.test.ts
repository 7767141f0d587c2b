import { describe, expect, test } from 'vitest';
import { FakeBroker, NOW } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';
import { schedulesOf } from '../../stored-entries.ts';

const add = (...argv: string[]) => ['schedule', 'add', 'a', '--task', 't', ...argv];

describe('argv to input', () => {
  test.each([
    [['--every', '90s'], { everyMs: 90_000 }],
    [['--cron', '0 3 * * mon-fri'], { cron: '0 3 * * mon-fri' }],
    [
      ['--at', '2031-06-01T09:00', '--timezone', 'Europe/Berlin'],
      { at: '2031-06-01T09:00', timezone: 'Europe/Berlin' },
    ],
    [
      ['--solar', 'sunset', '--lat=-33.9', '--lon', '18.4'],
      { solar: { event: 'sunset', latitude: -33.9, longitude: 18.4 } },
    ],
    [
      ['--every', '1d', '--missed', 'all', '--missed-within', '2h', '--missed-at-most', '50'],
      {
        ...{ missed: 'all', missedWithinMs: 7_200_000, missedAtMost: 50 },
      },
    ],
    [
      ['--every', '1d', '--start', '2031-06-01', '--end', '2031-07-01', '--max-runs', '3', '--jitter', '2m'],
      {
        ...{ startAt: '2031-06-01', endAt: '2031-07-01', maxRuns: 3, jitterMs: 120_000 },
      },
    ],
    [['--every', '1d', '--input', '{"a":1}'], { args: [{ a: 1 }] }],
    [
      ['--every', '1d', '--args', '[1,2]', '--header', 'a=b', '--header', 'c=d'],
      {
        ...{ args: [1, 2], headers: { a: 'b', c: 'd' } },
      },
    ],
    [
      ['--every', '1d', '--overlap', 'replace', '--priority', '9', '--expires', '1h', '--paused', '--replace'],
      {
        ...{ overlap: 'replace', priority: 9, expiresMs: 3_600_000, paused: true, replace: true },
      },
    ],
  ])('%j', async (argv, expected) => {
    const { name, task, ...input } = (await parseInput(...add(...argv))) as Record<string, unknown>;
    expect({ name, task }).toEqual({ name: 'a', task: 't' });
    expect(input).toMatchObject(expected);
  });

  test.each([
    [['schedule', 'add', 'a', '--every', '5m'], /no task/],
    [add(), /nothing says when it fires/],
    [add('--every', '5m', '--at', '2031-05-01'), /--every and --at were both given/],
    [add('--every', '5'), /--every must be a duration/],
    [add('--cron', '61 * * * *'), /schedule entry "a": cron/],
    [add('--cron', '{"hour":25}'), /cron\.hour/],
    [add('--cron', '{"hour":'), /--cron is not JSON/],
    [add('--at', 'tomorrow'), /is no date/],
    [add('--solar', 'sunset'), /--lat must be degrees/],
    [add('--solar', 'sunrise', '--lat', '91', '--lon', '1'), /not between -90 and 90/],
    [add('--every', '5m', '--lat', '1'), /without --solar/],
    [add('--every', '5m', '--timezone', 'Europe/Bertin'), /did you mean "Europe\/Berlin"/],
    [add('--every', '5m', '--args', '{}'), /--args must be a JSON array/],
    [add('--every', '5m', '--args', '[]', '--input', '1'), /both given/],
    [add('--every', '5m', '--missed', 'twice'), /--missed/],
    [add('--every', '5m', '--missed-at-most', '5'), /without --missed all/],
    [add('--every', '5m', '--overlap', 'never'), /--overlap/],
  ])('%j is refused', async (argv, message) => {
    expect(await usageFault(...argv)).toMatch(message);
  });
});

describe('input to output', () => {
  test('stores it, says when it fires, and that nobody checked its task', async () => {
    const broker = new FakeBroker();
    const session = createFakeSession(broker);
    const { exitCode, stdout, stderr } = await run(add('--every', '1h', '--args', '-'), { session, stdin: '[7]' });
    expect(exitCode).toBe(0);
    expect(stdout.split('\n')).toEqual([
      ...['name\ta', 'task\tt', 'queue\tdefault', 'fires\tevery hour', 'next\t2031-05-01T13:00:00.000Z', ''],
    ]);
    expect(stderr.split('\n')).toEqual([
      'added schedule entry "a"',
      'nobody checked task "t" and its arguments, since no app was named with -A; its jobs go to queue "default"',
      '',
    ]);
    expect(await schedulesOf(broker).read('a')).toMatchObject({ args: [7], nextAt: NOW + 3_600_000 });
  });

  test('says that an entry does not fire, when all its due times have passed', async () => {
    const { exitCode, stderr } = await run(add('--at', '2020-01-01'), { session: createFakeSession() });
    expect(exitCode).toBe(0);
    expect(stderr).toContain('it does not fire: all its due times have passed');
  });

  test('--json says what became of it', async () => {
    const session = createFakeSession();
    const { stdout } = await run(add('--every', '1h', '--json'), { session });
    expect(JSON.parse(stdout)).toEqual({
      ...{ name: 'a', task: 't', queue: 'default', schedule: 'every hour', timezone: 'UTC', enabled: true },
      ...{ nextAt: NOW + 3_600_000, outcome: 'added', checked: false },
    });
    const again = await run(add('--every', '1h', '--json'), { session });
    expect(JSON.parse(again.stdout)).toMatchObject({ outcome: 'unchanged' });
  });

  test('a name that is taken shows the difference and has exit code 1', async () => {
    const session = createFakeSession();
    await run(add('--every', '1h', '--paused'), { session });
    const { exitCode, stderr } = await run(add('--every', '2h'), { session });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('give --replace to change it (schedule: every hour (UTC) → every 2 hours (UTC))');
    const replaced = await run(add('--every', '2h', '--replace'), { session });
    expect(replaced.stderr).toContain(
      'changed schedule entry "a"\nit is paused; `tq schedule resume a` lets it fire\n',
    );
  });
});
