import { describe, expect, test } from 'vitest';
import { FakeBroker } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { type Ran, run } from '../../run-fake.ts';

describe('argv to input', () => {
  test.each([
    [['a', 'b'], { ids: ['a', 'b'], queue: undefined }],
    [[' a ', '--queue', 'mail'], { ids: ['a'], queue: 'mail' }],
  ])('%j', async (argv, input) => {
    expect(await parseInput('jobs', 'retry', ...argv)).toEqual(input);
  });

  test('some id must be given', async () => {
    expect(await usageFault('jobs', 'retry')).toMatch(/no id/);
    expect(await usageFault('jobs', 'retry', ' ')).toMatch(/no id/);
  });
});

describe('input to output', () => {
  const retry = (...argv: string[]): Promise<Ran> => {
    const dead = { state: 'FAILURE', error: { name: 'Error', message: 'no', code: null, stack: null } } as const;
    const broker = new FakeBroker().store('high', { id: 'a', ...dead }, { id: 'b', ...dead }, { id: 'c' });
    return run(['jobs', 'retry', ...argv], { session: createFakeSession(broker) });
  };

  test('says how many went back', async () => {
    expect(await retry('a', 'b', '--yes')).toMatchObject({ exitCode: 0, stdout: '2 of 2 went back to work\n' });
    const { stdout } = await retry('a', '--yes', '--json');
    expect(JSON.parse(stdout)).toEqual({
      ...{ matched: 1, changed: 1, failed: [], failedCount: 0 },
      ...{ undo: expect.any(String), stopped: null, workflows: [] },
    });
  });

  test('takes all dead letters of a query', async () => {
    expect(await retry('--where', 'queue:high', '--yes')).toMatchObject({
      exitCode: 0,
      stdout: '2 of 2 went back to work\n',
    });
  });

  test('says which did not', async () => {
    const ran = await retry('a', 'c', '--yes');
    expect(ran).toMatchObject({ exitCode: 1, stdout: '1 of 2 went back to work\n' });
    expect(ran.stderr).toContain('c: it is no dead letter: its state is PENDING');
    expect(await retry('nobody', '--yes')).toMatchObject({ exitCode: 3 });
  });

  test('asks first, and only looks with --dry-run', async () => {
    const asked = await retry('a');
    expect(asked.exitCode).toBe(2);
    expect(asked.stderr).toContain('--yes');
    expect((await retry('a', '--dry-run')).stdout).toContain('would send 1 job back to work');
  });
});
