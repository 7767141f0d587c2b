import { describe, expect, test } from 'vitest';
import { dlqStats } from '../../../../src/cli/commands/dlq/stats.ts';
import type { StoredJob } from '../../../../src/engine/core/job.ts';
import { countDeadLetters } from '../../../../src/ops/count-dead-letters.ts';
import { READING } from '../../../../src/ops/operation.ts';
import { FakeBroker, NOW } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';

function dead(id: string, message: string, given: Partial<StoredJob> = {}): Partial<StoredJob> {
  const error = { name: 'TimeoutError', message, code: null, stack: null };
  return { id, state: 'FAILURE', finishedAt: NOW - 60_000, error, ...given };
}

function setup() {
  const broker = new FakeBroker();
  for (let at = 0; at < 1200; at += 1)
    broker.store('mail', dead(`m${at}`, `request ${at} took ${at} s`, { finishedAt: NOW - at }));
  broker
    .store('mail', dead('other', 'no such \u001b[2Juser'))
    .store('video', dead('v1', 'request 1 took 3 s'))
    .store('video', dead('v2', 'request 1 took 4 s', { finishedAt: NOW - 50_000 }))
    .store('video', { id: 'waits' });
  return createFakeSession(broker);
}

interface Group {
  readonly fingerprint: string;
  readonly queue: string;
  readonly count: number;
}

async function groupsOf(...argv: string[]): Promise<Group[]> {
  const { stdout } = await run(['dlq', 'stats', '--json', ...argv], { session: setup() });
  return JSON.parse(stdout) as Group[];
}

test('takes queues, a query and a fingerprint', async () => {
  const argv = ['-Q', 'a', '--where', 'task:x', '--fingerprint', '3f2a9c51'];
  expect(await parseInput('dlq', 'stats', ...argv)).toEqual({
    queues: ['a'],
    where: 'task:x',
    fingerprint: '3f2a9c51',
  });
});

describe('what is counted', () => {
  test('each kind of error of each task in each queue, the most frequent first, with its latest death', async () => {
    const groups = await groupsOf();
    for (const group of groups) expect(Object.keys(group).sort()).toEqual([...dlqStats.json].sort());
    expect(groups).toMatchObject([
      {
        ...{ error: 'TimeoutError: request # took #', task: 'email.send', queue: 'mail', count: 1200 },
        ...{ firstAt: NOW - 1199, lastAt: NOW, sample: 'm0' },
      },
      { queue: 'video', count: 2, firstAt: NOW - 60_000, lastAt: NOW - 50_000, sample: 'v2' },
      { queue: 'mail', count: 1, sample: 'other' },
    ]);
    expect(groups[0]?.fingerprint).toBe(groups[1]?.fingerprint);
    expect(groups[2]?.fingerprint).not.toBe(groups[0]?.fingerprint);
  });

  test('those of queues, of a query, of a fingerprint', async () => {
    expect((await groupsOf('-Q', 'video')).map(({ count }) => count)).toEqual([2]);
    expect((await groupsOf('--where', 'error~"no such"')).map(({ count }) => count)).toEqual([1]);
    const [first] = await groupsOf();
    expect((await groupsOf('--fingerprint', first?.fingerprint ?? '')).map(({ count }) => count)).toEqual([1200, 2]);
  });

  test('what is stopped says how far it came', async () => {
    const signal = AbortSignal.abort();
    const counted = await countDeadLetters.run(setup(), {}, { ...READING, signal });
    expect(counted).toMatchObject({ total: 500, stopped: 'it was asked to stop' });
  });
});

describe('how it is shown', () => {
  test('a terminal has two lines a kind, and a sample to look at', async () => {
    const { stdout, stderr } = await run(['dlq', 'stats', '--no-color'], { session: setup(), columns: 80 });
    const rows = stdout.split('\n');
    expect(rows[0]).toMatch(/^1200 {2}[\da-f]{8} {2}email\.send in mail {2}1s ago to 0ms ago$/);
    expect(rows.slice(1, 3)).toEqual(['      TimeoutError: request # took #', '      tq dlq show m0']);
    expect(stdout).toContain('no such \\x1b[#Juser\n');
    expect(stderr).toMatch(/1203 in all\n$/);
  });

  test('a pipe has a line a kind', async () => {
    const { stdout } = await run(['dlq', 'stats'], { session: setup() });
    const cells = stdout.split('\n').map((row) => row.split('\t'));
    expect(cells[1]?.slice(1)).toEqual([
      ...['TimeoutError: request # took #', 'email.send', 'video', '2'],
      ...['2031-05-01T11:59:00.000Z', '2031-05-01T11:59:10.000Z', 'v2'],
    ]);
  });

  test('without dead letters it says so', async () => {
    const session = createFakeSession(new FakeBroker().store('mail'));
    expect(await run(['dlq', 'stats'], { session })).toMatchObject({
      exitCode: 0,
      stdout: '',
      stderr: 'no dead letter\n',
    });
    expect((await run(['dlq', 'stats', '--json'], { session })).stdout).toBe('[]\n');
  });
});
