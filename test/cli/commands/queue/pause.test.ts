import { describe, expect, test } from 'vitest';
import { FakeBroker } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';

describe('argv to input', () => {
  test('takes one queue or several', async () => {
    expect(await parseInput('queue', 'pause', 'a')).toEqual({ queues: ['a'] });
    expect(await parseInput('queue', 'pause', 'a', 'b')).toEqual({ queues: ['a', 'b'] });
    expect(await usageFault('queue', 'pause')).toMatch(/missing required argument/);
  });
});

const createBroker = (): FakeBroker => {
  const broker = new FakeBroker().store('high', {}).store('low');
  broker.queue('low').paused = true;
  return broker;
};

describe('input to output', () => {
  test('says what became of each queue, and which one was so before', async () => {
    const broker = createBroker();
    const ran = await run(['queue', 'pause', 'high', 'low', '--json'], { session: createFakeSession(broker) });
    expect(JSON.parse(ran.stdout)).toEqual({
      queues: [
        { queue: 'high', paused: true, changed: true },
        { queue: 'low', paused: true, changed: false },
      ],
    });
    expect(ran).toMatchObject({ exitCode: 0, stderr: 'queue "low" was paused already\n' });
    expect(broker.queue('high').paused).toBe(true);
  });

  test('a pipe gets a line a queue', async () => {
    const ran = await run(['queue', 'pause', 'high'], { session: createFakeSession(createBroker()) });
    expect(ran.stdout).toBe('high\ttrue\n');
  });

  test('a misspelt queue has exit code 3', async () => {
    const ran = await run(['queue', 'pause', 'hihg'], { session: createFakeSession(createBroker()) });
    expect(ran).toMatchObject({ exitCode: 3, stdout: '' });
  });
});
