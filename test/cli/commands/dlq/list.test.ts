import { describe, expect, test } from 'vitest';
import { dlqList } from '../../../../src/cli/commands/dlq/list.ts';
import { fingerprintOf } from '../../../../src/engine/core/fingerprint.ts';
import type { StoredJob } from '../../../../src/engine/core/job.ts';
import { FakeBroker, NOW } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';

function dead(id: string, message: string, given: Partial<StoredJob> = {}): Partial<StoredJob> {
  const error = { name: 'Error', message, code: null, stack: null };
  return { id, state: 'FAILURE', attempts: 3, finishedAt: NOW - 60_000, error, ...given };
}

function setup() {
  const broker = new FakeBroker()
    .store('mail', dead('m1', 'took 1 s', { args: [{ to: 'ann@example.com' }] }))
    .store('mail', dead('m2', 'no such\nuser', { finishedAt: NOW - 30_000 }))
    .store('mail', { id: 'waits' })
    .store('video', dead('v1', 'took 2 s', { task: 'video.cut', finishedAt: NOW - 45_000, priority: 9 }));
  return createFakeSession(broker);
}

const FINGERPRINT = fingerprintOf({ name: 'Error', message: 'took 1 s', code: null, stack: null });

async function idsOf(...argv: string[]): Promise<string[]> {
  const { stdout } = await run(['dlq', 'list', '--json', ...argv], { session: setup() });
  return (JSON.parse(stdout) as { id: string }[]).map(({ id }) => id);
}

describe('argv to input', () => {
  test('takes queues, a query, a fingerprint and a limit', async () => {
    expect(await parseInput('dlq', 'list')).toEqual({ limit: 100 });
    const argv = ['-Q', 'a,b', '--where', 'task:x', '--fingerprint', '3F2A9C51', '--limit', '7'];
    const input = { queues: ['a', 'b'], where: 'task:x', fingerprint: '3f2a9c51', limit: 7 };
    expect(await parseInput('dlq', 'list', ...argv)).toEqual(input);
  });

  test.each([
    [['--limit', '0'], 2, '--limit'],
    [['--fingerprint', 'xyz'], 2, 'a fingerprint is 8 hexadecimal characters'],
    [['--where', 'tsk:x'], 2, 'did you mean "task"?'],
    [['-Q', 'nope'], 3, 'nope'],
  ])('%j is refused', async (argv, exitCode, text) => {
    const ran = await run(['dlq', 'list', ...argv], { session: setup() });
    expect(ran).toMatchObject({ exitCode, stdout: '' });
    expect(ran.stderr).toContain(text);
  });
});

describe('which are listed', () => {
  test('those of all queues, the latest death first, and nothing but dead letters', async () => {
    expect(await idsOf()).toEqual(['m2', 'v1', 'm1']);
    expect(await idsOf('-Q', 'mail')).toEqual(['m2', 'm1']);
  });

  test('those of a fingerprint, and those that a query takes', async () => {
    expect(await idsOf('--fingerprint', FINGERPRINT)).toEqual(['v1', 'm1']);
    expect(await idsOf('--where', `fingerprint:${FINGERPRINT} task:video.*`)).toEqual(['v1']);
    expect(await idsOf('--where', 'args.0.to=*@example.com')).toEqual(['m1']);
    expect(await idsOf('--where', `args.0.to:* fingerprint:${FINGERPRINT}`)).toEqual(['m1']);
    expect(await idsOf('--where', 'queue:video')).toEqual(['v1']);
    expect(await idsOf('--where', 'state:active')).toEqual([]);
  });

  test('at most the limit, and a note says that there are more', async () => {
    const ran = await run(['dlq', 'list', '--limit', '2'], { session: setup() });
    expect(ran.stdout.split('\n').map((row) => row.split('\t')[0])).toEqual(['m2', 'v1', '']);
    expect(ran.stderr).toContain('there are more');
    expect((await run(['dlq', 'list', '--limit', '3'], { session: setup() })).stderr).toBe('');
  });
});

describe('input to output', () => {
  test('--json prints the fields that its help names', async () => {
    const { stdout } = await run(['dlq', 'list', '--json'], { session: setup() });
    const jobs = JSON.parse(stdout) as Record<string, unknown>[];
    for (const job of jobs) expect(Object.keys(job).sort()).toEqual([...dlqList.json].sort());
    expect(jobs[2]).toMatchObject({
      ...{ id: 'm1', queue: 'mail', args: [{ to: 'ann@example.com' }], priority: null, fingerprint: FINGERPRINT },
      error: { name: 'Error', message: 'took 1 s', code: null, stack: null },
    });
    expect(jobs[1]).toMatchObject({ id: 'v1', priority: 9 });
  });

  test('arguments keep the digits that are stored', async () => {
    const session = setup();
    session.fake.queue('mail').records.set('m1', { data: '[12345678901234567890]' });
    session.fake.queue('mail').records.set('m2', { data: 'no JSON' });
    const { stdout } = await run(['dlq', 'list', '-Q', 'mail', '--json'], { session });
    expect(stdout).toContain('"args":[[12345678901234567890]]');
    expect(stdout).toContain('"args":["no JSON"]');
  });

  test('a terminal shows what died when of what', async () => {
    const { stdout } = await run(['dlq', 'list', '--no-color'], { session: setup(), columns: 80 });
    expect(stdout.split('\n')[0]).toMatch(/^id +task +queue +died +fingerprint +error$/);
    expect(stdout).toMatch(/^m2 +email\.send +mail +30s ago +[\da-f]{8} +Error: no such\\nuser$/m);
  });

  test('without dead letters it says so', async () => {
    const session = createFakeSession(new FakeBroker().store('mail'));
    expect(await run(['dlq', 'list'], { session })).toMatchObject({
      stdout: '',
      stderr: 'no dead letter\n',
      exitCode: 0,
    });
    expect((await run(['dlq', 'list', '--json'], { session })).stdout).toBe('[]\n');
  });

  test('a broker that is away has exit code 69', async () => {
    const session = createFakeSession(new FakeBroker().break());
    expect(await run(['dlq', 'list'], { session })).toMatchObject({ exitCode: 69, stdout: '' });
  });
});
