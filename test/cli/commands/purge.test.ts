import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { FakeBroker } from '../fake-broker.ts';
import { createFakeSession } from '../fake-session.ts';
import { parseInput, usageFault } from '../parse-input.ts';
import { run } from '../run-fake.ts';

/** As the ids of runs are. */
const ID = /^[0-9a-z]{8}-[0-9a-z]{4}$/;

describe('argv to input', () => {
  test.each([
    [['--all'], { all: true }],
    [['-Q', 'a,b'], { queues: ['a', 'b'] }],
    [['-Q', 'a, b', '--queues', 'c'], { queues: ['a', 'b', 'c'] }],
  ])('%j', async (argv, input) => {
    expect(await parseInput('purge', ...argv)).toEqual(input);
  });

  test.each([
    [[], /neither --queues nor --all/],
    [['--all', '-Q', 'a'], /both --queues and --all/],
    [['-Q', 'a,,b'], /--queues must be names with commas between them, got "a,,b"/],
    [['-Q'], /option '-Q, --queues <names>' argument missing/],
    [['emails'], /too many arguments/],
  ])('%j is refused', async (argv, message) => {
    expect(await usageFault('purge', ...argv)).toMatch(message);
  });
});

function setup() {
  const broker = new FakeBroker().store('high', {}, { state: 'SCHEDULED' }, { state: 'FAILURE' }).store('low', {});
  return { broker, session: createFakeSession(broker) };
}

/** Something happens when the first jobs are gone. */
function afterRemoval(broker: FakeBroker, happen: () => void): void {
  const { bulk } = broker.queue('high');
  const remove = bulk.remove.bind(bulk);
  bulk.remove = async (ids, from) => {
    const gone = await remove(ids, from);
    happen();
    return gone;
  };
}

describe('input to output', () => {
  test('--yes removes without asking; --json prints what was removed', async () => {
    const { session } = setup();
    const ran = await run(['purge', '--all', '--yes', '--json'], { session, answer: false });
    expect(JSON.parse(ran.stdout)).toEqual({ purged: { high: 2, low: 1 }, total: 3, undo: expect.stringMatching(ID) });
    expect(ran).toMatchObject({ exitCode: 0, questions: [] });
  });

  test('a person sees the plan on stderr and answers yes', async () => {
    const { broker, session } = setup();
    const ran = await run(['purge', '-Q', 'high'], { session, answer: true });
    expect(ran).toMatchObject({ exitCode: 0, stdout: 'high\t2\n', questions: ['Go on?'] });
    expect(ran.stderr).toMatch(/^would remove 2 jobs from 1 queue\nhigh\t1\t1\nremoved 2 jobs\nundo: tq undo \S+\n$/);
    expect(broker.changes).toEqual(['remove 1 of high', 'remove 1 of high']);
  });

  test('a person answers no: nothing is removed, exit code 1', async () => {
    const { broker, session } = setup();
    const ran = await run(['purge', '-Q', 'high'], { session, answer: false });
    expect(ran).toMatchObject({ exitCode: 1, stdout: '' });
    expect(ran.stderr).toContain('[NOT_CONFIRMED]');
    expect(broker.changes).toEqual([]);
  });

  test('nobody can be asked: nothing is removed, exit code 2', async () => {
    const { broker, session } = setup();
    const ran = await run(['purge', '--all', '--json'], { session });
    expect(ran).toMatchObject({ exitCode: 2, stdout: '' });
    expect(ran.stderr).toContain('add --yes to go on, or --dry-run to only look');
    expect(broker.changes).toEqual([]);
  });

  test('--dry-run counts and removes nothing, also with --yes', async () => {
    const { broker, session } = setup();
    const ran = await run(['purge', '--all', '--dry-run', '--yes', '--json'], { session });
    expect(JSON.parse(ran.stdout)).toEqual({
      ...{ dryRun: true, operation: 'purge', summary: 'would remove 3 jobs from 2 queues', count: 3 },
      rows: [
        { queue: 'high', waiting: 1, scheduled: 1 },
        { queue: 'low', waiting: 1, scheduled: 0 },
      ],
    });
    expect(broker.changes).toEqual([]);
  });

  test('TQ_YES and TQ_DRY_RUN do the same', async () => {
    const { broker, session } = setup();
    expect(await run(['purge', '--all'], { session, env: { TQ_DRY_RUN: '1' } })).toMatchObject({ exitCode: 0 });
    expect(broker.changes).toEqual([]);
    expect(await run(['purge', '--all'], { session, env: { TQ_YES: '1' } })).toMatchObject({ exitCode: 0 });
    expect(broker.changes).toEqual(['remove 1 of high', 'remove 1 of high', 'remove 1 of low']);
  });

  test('an empty queue is purged without a question', async () => {
    const ran = await run(['purge', '--all'], { session: createFakeSession(new FakeBroker().store('low')) });
    expect(ran).toMatchObject({ exitCode: 0, stdout: 'low\t0\n', stderr: 'removed 0 jobs\n' });
  });

  test('a broker without queues is an empty document', async () => {
    const ran = await run(['purge', '--all', '--json']);
    expect(JSON.parse(ran.stdout)).toEqual({ purged: {}, total: 0, undo: null });
  });

  test('a terminal shows progress and takes it away again', async () => {
    const { session } = setup();
    const ran = await run(['purge', '-Q', 'high', '--yes', '--no-color'], { session, columns: 80 });
    expect(ran.stderr).toContain('\r\u001b[K1 of 2 jobs\r\u001b[Kremoved 2 jobs\n');
    expect(ran.stdout).toBe('QUEUE  REMOVED\nhigh         2\n');
  });

  test('dead letters go by their name', async () => {
    const { session } = setup();
    const ran = await run(['purge', '-Q', 'dead_letter', '--yes', '--json'], { session });
    expect(JSON.parse(ran.stdout)).toMatchObject({ purged: { dead_letter: 1 }, total: 1 });
  });

  test('--no-undo keeps nothing', async () => {
    const { session } = setup();
    const ran = await run(['purge', '--all', '--yes', '--no-undo', '--json'], { session });
    expect(JSON.parse(ran.stdout)).toMatchObject({ total: 3, undo: null });
    expect(ran.stderr).not.toContain('tq undo');
  });

  test('a person who asks it to stop is told how far it came, and that it goes on: exit code 1', async () => {
    const { broker, session } = setup();
    const signals = new EventEmitter();
    afterRemoval(broker, () => signals.emit('SIGINT', 'SIGINT'));
    const ran = await run(['purge', '--all', '--yes'], { session, signals });
    expect(ran).toMatchObject({ exitCode: 1, stdout: 'high\t1\n' });
    expect(ran.stderr).toContain('stopping after this page of jobs; Ctrl-C again ends it at once\n');
    expect(ran.stderr).toMatch(
      /removed 1 job\nstopped after 1 of 3 jobs; the same command goes on with the rest\nundo: tq undo/,
    );
    expect(signals.eventNames()).toEqual([]);
    const again = await run(['purge', '--all', '--yes'], { session });
    expect(again).toMatchObject({ exitCode: 0, stdout: 'high\t1\nlow\t1\n' });
  });

  test('a broker that goes away in the middle: what was done is said, and how to go on', async () => {
    const { broker, session } = setup();
    afterRemoval(broker, () => broker.break());
    const ran = await run(['purge', '--all', '--yes'], { session });
    expect(ran).toMatchObject({ exitCode: 69, stdout: '' });
    expect(ran.stderr).toMatch(
      /it failed after 1 of 3 jobs; the same command goes on with the rest; `tq undo \S+` takes them back/,
    );
  });

  test('a misspelt queue has exit code 3 and the nearest name', async () => {
    const { session } = setup();
    const ran = await run(['purge', '-Q', 'hihg', '--yes'], { session });
    expect(ran.exitCode).toBe(3);
    expect(ran.stderr).toContain('did you mean "high"? [UNKNOWN_QUEUE]');
  });

  test('a broker that is away has exit code 69', async () => {
    const session = createFakeSession(new FakeBroker().break());
    expect(await run(['purge', '--all', '--yes'], { session })).toMatchObject({ exitCode: 69, stdout: '' });
  });
});
