import { describe, expect, test } from 'vitest';
import { FakeBroker, NOW } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';

describe('argv to input', () => {
  test.each([
    [[], { queues: undefined, limit: 100 }],
    [['-Q', 'a,b', '--limit', '5'], { queues: ['a', 'b'], limit: 5 }],
  ])('%j', async (argv, input) => {
    expect(await parseInput('inspect', 'scheduled', ...argv)).toEqual(input);
  });

  test.each([
    [['--limit', '0'], /--limit must be a whole number from 1 to 10000, got "0"/],
    [['--limit', '-1'], /--limit must be/],
    [['--limit', 'many'], /--limit must be .*, got "many"/],
    [['-Q', ','], /--queues must be names/],
  ])('%j is refused', async (argv, message) => {
    expect(await usageFault('inspect', 'scheduled', ...argv)).toMatch(message);
  });
});

const broker = new FakeBroker().store(
  'high',
  { id: 'b', state: 'SCHEDULED', dueAt: NOW + 7_200_000, priority: 3 },
  { id: 'a', state: 'RETRY', dueAt: NOW + 90_000, task: 'report' },
);

const inspect = (argv: string[], columns?: number) =>
  run(['inspect', 'scheduled', ...argv], {
    session: createFakeSession(broker),
    ...(columns !== undefined && { columns }),
  });

describe('input to output', () => {
  test('--json prints the fields of the contract, the next due first', async () => {
    const ran = await inspect(['--json']);
    expect(JSON.parse(ran.stdout)).toEqual([
      { id: 'a', task: 'report', queue: 'high', dueAt: NOW + 90_000, priority: null, held: null },
      { id: 'b', task: 'email.send', queue: 'high', dueAt: NOW + 7_200_000, priority: 3, held: null },
    ]);
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test('a pipe gets ISO dates', async () => {
    expect((await inspect([])).stdout).toBe(
      'a\treport\thigh\t2031-05-01T12:01:30.000Z\t\t\nb\temail.send\thigh\t2031-05-01T14:00:00.000Z\t3\t\n',
    );
  });

  test('a terminal gets relative times', async () => {
    expect((await inspect(['--no-color'], 80)).stdout).toBe(
      [
        'ID  TASK        QUEUE  DUE        PRIORITY  HELD BY',
        'a   report      high   in 1m 30s         -  -',
        'b   email.send  high   in 2h             3  -',
        '',
      ].join('\n'),
    );
  });

  test('says on stderr that there are more, unless it is to be quiet', async () => {
    const ran = await inspect(['--limit', '1', '--json']);
    expect(JSON.parse(ran.stdout)).toHaveLength(1);
    expect(ran.stderr).toBe('1 more; --limit 2 lists them all\n');
    expect((await inspect(['--limit', '1', '--quiet'])).stderr).toBe('');
  });

  test('an empty list is [], and a note for people', async () => {
    expect((await run(['inspect', 'scheduled', '--json'])).stdout).toBe('[]\n');
    expect(await run(['inspect', 'scheduled'])).toMatchObject({ stdout: '', stderr: 'no job is scheduled\n' });
  });

  test('a misspelt queue has exit code 3', async () => {
    expect(await inspect(['-Q', 'hihg', '--json'])).toMatchObject({ exitCode: 3, stdout: '' });
  });

  test('a broker that is away has exit code 69', async () => {
    const session = createFakeSession(new FakeBroker().break());
    expect(await run(['inspect', 'scheduled'], { session })).toMatchObject({ exitCode: 69, stdout: '' });
  });
});
