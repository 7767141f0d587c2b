import { describe, expect, test } from 'vitest';
import { FakeBroker } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';

describe('argv to input', () => {
  test('takes what to change, and the workers to ask', async () => {
    expect(await parseInput('control', 'autoscale', '8', '2')).toMatchObject({ max: 8, min: 2 });
    expect(await parseInput('control', 'autoscale', '8', '2', '-d', 'a,b')).toMatchObject({ destinations: ['a', 'b'] });
  });

  test('says what is wrong', async () => {
    expect(await usageFault('control', 'autoscale', '8')).toMatch(/missing/);
    expect(await usageFault('control', 'autoscale', '2', '8')).toMatch(/MIN must be at most MAX, 2, got 8/);
    expect(await usageFault('control', 'autoscale', 'x', '1')).toMatch(/MAX must be a whole number/);
  });
});

function createBroker(): FakeBroker {
  const broker = new FakeBroker();
  broker.control.add('tq@a', { autoscale: { concurrency: 3, max: 8, min: 2 } });
  return broker;
}

const control = (broker: FakeBroker, argv: string[] = [], columns?: number) =>
  run(['control', 'autoscale', '8', '2', ...argv], {
    session: createFakeSession(broker),
    ...(columns !== undefined && { columns }),
  });

describe('input to output', () => {
  test('shows what is true after it: as JSON, in a pipe, on a terminal', async () => {
    const { exitCode, stdout, stderr } = await control(createBroker(), ['--json']);
    expect(JSON.parse(stdout)).toEqual({ workers: { 'tq@a': { concurrency: 3, max: 8, min: 2 } }, silent: [] });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect((await control(createBroker())).stdout).toBe('tq@a\t8\t2\t3\n');
    expect(
      (await control(createBroker(), ['--no-color'], 80)).stdout.split('\n').map((line) => line.split(/ {2,}/)),
    ).toEqual([['WORKER', 'MAX', 'MIN', 'SLOTS'], ['tq@a', '8', '2', '3'], ['']]);
  });

  test('a refusal has exit code 1, silence 4, and nobody at all 69', async () => {
    const broker = createBroker();
    broker.control.add('mute', {});
    expect(await control(broker)).toMatchObject({ exitCode: 4, stderr: 'no answer from mute\n' });
    broker.control.add('odd', { autoscale: new Error('no') });
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
