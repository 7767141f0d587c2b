import { describe, expect, test } from 'vitest';
import { FakeBroker } from './fake-broker.ts';
import { createFakeSession } from './fake-session.ts';
import { parseInput, usageFault } from './parse-input.ts';
import { run } from './run-fake.ts';

/** `high`, which is not paused, and `low`, which is. */
const createBroker = (): FakeBroker => {
  const broker = new FakeBroker().store('high', {}).store('low');
  broker.queue('low').paused = true;
  return broker;
};

interface QueuePauseExample {
  readonly verb: 'pause' | 'resume';
  /** What is said of the queue that was so before. */
  readonly note: string;
}

/** What `tq queue pause` and `tq queue resume` keep, each in its direction. */
export function describeQueuePause({ verb, note }: QueuePauseExample): void {
  const paused = verb === 'pause';
  const change = async (...argv: string[]) => {
    const broker = createBroker();
    return { broker, ...(await run(['queue', verb, ...argv], { session: createFakeSession(broker) })) };
  };

  describe(`queue ${verb}`, () => {
    test('takes one queue or several', async () => {
      expect(await parseInput('queue', verb, 'a')).toEqual({ queues: ['a'] });
      expect(await parseInput('queue', verb, 'a', 'b')).toEqual({ queues: ['a', 'b'] });
      expect(await usageFault('queue', verb)).toMatch(/missing required argument/);
    });

    test('says what became of each queue, and which one was so before', async () => {
      const { broker, exitCode, stdout, stderr } = await change('high', 'low', '--json');
      expect(JSON.parse(stdout)).toEqual({
        queues: [
          { queue: 'high', paused, changed: paused },
          { queue: 'low', paused, changed: !paused },
        ],
      });
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: `${note}\n` });
      expect(['high', 'low'].map((name) => broker.queue(name).paused)).toEqual([paused, paused]);
    });

    test('a pipe gets a line a queue', async () => {
      expect((await change('high')).stdout).toBe(`high\t${paused}\n`);
    });

    test('a misspelt queue has exit code 3', async () => {
      expect(await change('hihg')).toMatchObject({ exitCode: 3, stdout: '' });
    });
  });
}
