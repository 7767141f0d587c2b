import { describe, expect, test } from 'vitest';
import { storeLiveBeat } from '../../support/live-beat.ts';
import { FakeBroker } from '../fake-broker.ts';
import { createFakeSession } from '../fake-session.ts';
import { parseInput, usageFault } from '../parse-input.ts';
import { run } from '../run-fake.ts';
import { storeEntries } from '../stored-entries.ts';

describe('argv to input', () => {
  test('takes the workers to ask', async () => {
    expect(await parseInput('status', '--timeout', '1s')).toEqual({ destinations: undefined, timeoutMs: 1000 });
    expect(await parseInput('status', '-d', 'a')).toEqual({ destinations: ['a'], timeoutMs: undefined });
    expect(await usageFault('status', 'a')).toMatch(/too many arguments/);
  });
});

const WORKER = {
  ...{ name: 'tq@a', host: 'box', pid: 7, pool: 'prefork', concurrency: 4, active: 2, queues: ['high', 'low'] },
  ...{ uptimeMs: 90_000, version: '1.2.3' },
};

const NO_BEAT = { leader: null, standby: [], entries: 0 };

function createBroker(): FakeBroker {
  const broker = new FakeBroker().store('high', {}, { state: 'FAILURE' });
  broker.control.add('tq@a', { stats: { ...WORKER, node: 'v24', reserved: 0 } });
  return broker;
}

const status = (broker: FakeBroker, argv: string[] = [], columns?: number) =>
  run(['status', ...argv], { session: createFakeSession(broker), ...(columns !== undefined && { columns }) });

describe('input to output', () => {
  test('--json prints the fields of the contract', async () => {
    const { exitCode, stdout, stderr } = await status(createBroker(), ['--json']);
    expect(JSON.parse(stdout)).toEqual({ workers: [WORKER], silent: [], pausedTasks: [], beat: NO_BEAT });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  test('a terminal gets the workers, then the queues', async () => {
    expect((await status(createBroker(), ['--no-color'], 120)).stdout).toBe(
      [
        'WORKER  HOST  PID  POOL     SLOTS  ACTIVE  QUEUES    UPTIME  VERSION',
        'tq@a    box     7  prefork      4       2  high,low  1m 30s  1.2.3',
        'QUEUE        WAITING  ACTIVE  SCHEDULED  HELD  DEAD  PAUSED  CONSUMERS  OLDEST',
        'high               1       0          0     0     1  no              0  1m',
        'dead_letter        1       0          0     0     1  no              0  -',
        '',
      ].join('\n'),
    );
  });

  test('a pipe gets a line a worker and a line a queue', async () => {
    expect((await status(createBroker())).stdout).toBe(
      [
        'tq@a\tbox\t7\tprefork\t4\t2\thigh,low\t90000\t1.2.3',
        'high\t1\t0\t0\t0\t1\tfalse\t0\t60000',
        'dead_letter\t1\t0\t0\t0\t1\tfalse\t0\t',
        '',
      ].join('\n'),
    );
  });

  test('names the silent ones', async () => {
    const broker = createBroker();
    broker.control.add('mute', {});
    const { exitCode, stdout, stderr } = await status(broker, ['--json']);
    expect(JSON.parse(stdout)).toMatchObject({ silent: ['mute'] });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: 'no answer from mute\n' });
  });

  test('no live worker has exit code 69, and the queues are shown', async () => {
    const broker = new FakeBroker().store('high', {});
    expect(await status(broker, ['--json'])).toMatchObject({
      exitCode: 69,
      stdout: `${JSON.stringify({ workers: [], silent: [], pausedTasks: [], beat: NO_BEAT })}\n`,
    });
    const { exitCode, stdout, stderr } = await status(broker);
    expect({ exitCode, stdout }).toEqual({ exitCode: 69, stdout: expect.stringMatching(/^high\t1\t/) });
    expect(stderr).toMatch(/^no worker says what it is\nno worker is live/);
  });

  test('says who leads the beat, or that none does though there are schedule entries', async () => {
    const broker = createBroker();
    await storeEntries(broker, { a: { task: 'work', every: '1h' }, b: { task: 'work', every: '1h', enabled: false } });
    expect((await status(broker)).stderr).toBe('no beat leads; 2 schedule entries\n');
    await storeLiveBeat(broker, { name: 'beat@a', isLeader: true, entries: 1 });
    expect((await status(broker)).stderr).toBe('beat: beat@a leads, 2 schedule entries\n');
    await storeLiveBeat(broker, { name: 'beat@b' });
    const { stdout, stderr } = await status(broker, ['--json']);
    expect(JSON.parse(stdout).beat).toEqual({ leader: 'beat@a', standby: ['beat@b'], entries: 2 });
    expect(stderr).toBe('beat: beat@a leads, 2 schedule entries, 1 on standby\n');
  });

  test('a broker that is away has exit code 69', async () => {
    expect(await status(new FakeBroker().break(), ['--json'])).toMatchObject({ exitCode: 69, stdout: '' });
  });
});
