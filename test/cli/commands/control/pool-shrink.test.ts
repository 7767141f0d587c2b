import { describe, expect, test } from 'vitest';
import { FakeBroker } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';

describe('argv to input', () => {
  test('takes what to change, and the workers to ask', async () => {
    expect(await parseInput('control', 'pool-shrink', '3')).toMatchObject({ by: 3 });
    expect(await parseInput('control', 'pool-shrink')).toMatchObject({ by: 1 });
    expect(await parseInput('control', 'pool-shrink', '3', '-d', 'a,b')).toMatchObject({ destinations: ['a', 'b'] });
  });

  test('says what is wrong', async () => {
    expect(await usageFault('control', 'pool-shrink', '0')).toMatch(/whole number from 1/);
    expect(await usageFault('control', 'pool-shrink', '1', '2')).toMatch(/too many arguments/);
  });
});

function createBroker(): FakeBroker {
  const broker = new FakeBroker();
  broker.control.add('tq@a', { 'pool-shrink': { concurrency: 4 } });
  return broker;
}

const control = (broker: FakeBroker, argv: string[] = [], columns?: number) =>
  run(['control', 'pool-shrink', '3', ...argv], {
    session: createFakeSession(broker),
    ...(columns !== undefined && { columns }),
  });

describe('input to output', () => {
  test('shows what is true after it: as JSON, in a pipe, on a terminal', async () => {
    const { exitCode, stdout, stderr } = await control(createBroker(), ['--json']);
    expect(JSON.parse(stdout)).toEqual({ workers: { 'tq@a': { concurrency: 4 } }, silent: [] });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect((await control(createBroker())).stdout).toBe('tq@a\t4\n');
    expect(
      (await control(createBroker(), ['--no-color'], 80)).stdout.split('\n').map((line) => line.split(/ {2,}/)),
    ).toEqual([['WORKER', 'SLOTS'], ['tq@a', '4'], ['']]);
  });

  test('a refusal has exit code 1, silence 4, and nobody at all 69', async () => {
    const broker = createBroker();
    broker.control.add('mute', {});
    expect(await control(broker)).toMatchObject({ exitCode: 4, stderr: 'no answer from mute\n' });
    broker.control.add('odd', { 'pool-shrink': new Error('no') });
    expect(await control(broker)).toMatchObject({ exitCode: 1, stderr: 'odd: no\nno answer from mute\n' });
    expect(await control(new FakeBroker())).toMatchObject({ exitCode: 69 });
  });

  test('a dry run asks nobody', async () => {
    const broker = createBroker();
    const { stdout } = await control(broker, ['--dry-run', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ dryRun: true, rows: [{ worker: 'tq@a', host: 'box', pid: 100 }] });
    expect(broker.control.questions).toEqual([]);
  });
});
