import { describe, expect, test } from 'vitest';
import { formatRunRecord } from '../../../../src/engine/schedule/run-record.ts';
import { FakeBroker, NOW } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';
import { storeEntries } from '../../stored-entries.ts';

describe('argv to input', () => {
  test('takes a pattern, an order and a limit', async () => {
    expect(await parseInput('schedule', 'list')).toEqual({ where: undefined, sort: undefined, limit: 100 });
    expect(await parseInput('schedule', 'list', '--where', 'a.*', '--sort', 'next', '--limit', '5')).toEqual({
      ...{ where: 'a.*', sort: 'next', limit: 5 },
    });
    expect(await usageFault('schedule', 'list', '--sort', 'runs')).toMatch(/name.*next/);
    expect(await usageFault('schedule', 'list', '--limit', '0')).toMatch(/--limit/);
  });
});

async function setup() {
  const broker = new FakeBroker();
  await storeEntries(broker, {
    'report.nightly': { task: 'report', cron: '0 3 * * *', timezone: 'Europe/Berlin' },
    'cache.warm': { task: 'cache', every: '5m', queue: 'fast' },
    paused: { task: 'cache', every: '5m', enabled: false },
    late: { task: 'cache', every: '5m' },
  });
  broker.queue('default').schedules.put('late', { dueAt: NOW - 120_000, ahead: 'waiting' });
  broker.queue('default').consumers = 1;
  await broker.state.write(
    'schedule/run/report.nightly',
    formatRunRecord({
      ...{ jobId: 'x', dueAt: NOW - 5000, startedAt: NOW - 4000, finishedAt: NOW - 1000, worker: 'tq@a' },
      state: 'FAILURE',
    }),
  );
  return createFakeSession(broker);
}

describe('input to output', () => {
  test('--json is a flat list', async () => {
    const { exitCode, stdout } = await run(['schedule', 'list', '--json', '--where', 'r*'], { session: await setup() });
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual([
      {
        ...{ name: 'report.nightly', task: 'report', queue: 'default', schedule: 'at 03:00 Europe/Berlin' },
        ...{ timezone: 'Europe/Berlin', enabled: true, source: 'operator', nextAt: Date.UTC(2031, 4, 2, 1) },
        ...{ lastAt: NOW - 4000, runs: 0, lastState: 'FAILURE' },
      },
    ]);
  });

  test('people see times from now, and which are paused and overdue', async () => {
    const { stdout } = await run(['schedule', 'list', '--no-color'], { session: await setup(), columns: 140 });
    const rows = stdout.split('\n').map((row) => row.trimEnd().split(/ {2,}/));
    expect(rows[0]).toEqual(['NAME', 'TASK', 'QUEUE', 'FIRES', 'STATUS', 'NEXT', 'LAST', 'OUTCOME', 'RUNS']);
    expect(rows[1]).toEqual(['cache.warm', 'cache', 'fast', 'every 5 minutes', 'fires', 'in 5m', '-', '-', '0']);
    expect(rows[2]?.slice(4)).toEqual(['overdue', '2m ago', '-', '-', '1']);
    expect(rows[3]?.slice(4)).toEqual(['paused', '-', '-', '-', '0']);
    expect(rows[4]?.slice(3)).toEqual(['at 03:00 Europe/Berlin', 'fires', 'in 13h', '4s ago', 'FAILURE', '0']);
  });

  test('says what keeps them from firing, and what to do', async () => {
    const { stderr } = await run(['schedule', 'list'], { session: await setup() });
    expect(stderr.split('\n')).toEqual([
      'overdue: late',
      'no worker consumes queue "fast": firings wait in it; `tq worker -Q fast`',
      'no beat leads: entries go on only while workers take their firings; `tq beat`, or `tq worker --beat`',
      '',
    ]);
  });

  test('without entries it says how to add one', async () => {
    const { exitCode, stdout, stderr } = await run(['schedule', 'list']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
    expect(stderr).toBe('there are no schedule entries; `tq schedule add` adds one\n');
  });

  test('a full list says that there may be more', async () => {
    const { stderr } = await run(['schedule', 'list', '--limit', '2'], { session: await setup() });
    expect(stderr).toContain('there may be more; --limit lists more of them\n');
  });
});
