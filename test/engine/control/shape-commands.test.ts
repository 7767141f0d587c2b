import { describe, expect, test } from 'vitest';
import { controlCommands } from '../../../src/engine/control/control-commands.ts';
import type { ControlledWorker } from '../../../src/engine/control/controlled-worker.ts';
import { createFakeWorker } from './fake-worker.ts';

const clock = { now: () => 0, monotonic: () => 0 };

/** Obeys one command, and says what was asked of the worker. */
async function obey(command: keyof typeof controlCommands, args: unknown, given: Partial<ControlledWorker> = {}) {
  const asked: unknown[] = [];
  const worker = createFakeWorker({
    resize: (slots) => void asked.push(slots),
    setAutoscale: (bounds) => void asked.push(bounds),
    async addQueue(queue) {
      asked.push(queue);
      return true;
    },
    removeQueue(queue) {
      asked.push(queue);
      return true;
    },
    setTimeLimits: (task, limits) => void asked.push({ task, ...limits }),
    ...given,
  });
  const { value } = await controlCommands[command]({ worker, clock }, args);
  return { asked, value };
}

describe('a worker is told', () => {
  test('to grow and to shrink, never below one slot', async () => {
    expect(await obey('pool-grow', { by: 3 })).toEqual({ asked: [7], value: { concurrency: 4 } });
    expect(await obey('pool-shrink', { by: 3 })).toMatchObject({ asked: [1] });
    expect(await obey('pool-shrink', { by: 30 })).toMatchObject({ asked: [1] });
  });

  test('to change the bounds of its slots', async () => {
    const { asked, value } = await obey('autoscale', { max: 8, min: 2 }, { autoscale: { max: 8, min: 2 } });
    expect(asked).toEqual([{ max: 8, min: 2 }]);
    expect(value).toEqual({ concurrency: 4, max: 8, min: 2 });
  });

  test('to serve a queue, and to serve it no more', async () => {
    const reply = { queues: ['high', 'default'], changed: true };
    expect(await obey('add-consumer', { queue: 'low:2' })).toEqual({ asked: ['low:2'], value: reply });
    expect(await obey('cancel-consumer', { queue: 'low' })).toEqual({ asked: ['low'], value: reply });
  });

  test('other limits of a task, and shows them among its tasks', async () => {
    const limits = { task: 'email.send', softTimeLimitMs: null, timeLimitMs: 500 };
    expect(await obey('time-limit', limits)).toEqual({
      asked: [{ task: 'email.send', softTimeLimitMs: undefined, timeLimitMs: 500 }],
      value: limits,
    });
    const changed = new Map([['email.send', { softTimeLimitMs: undefined, timeLimitMs: 500 }]]);
    const { value } = await obey('registered', null, { taskLimits: changed });
    expect(value).toContainEqual(expect.objectContaining(limits));
  });

  test.each([
    ['pool-grow', null, 'by of the control command must be a whole number from 1, got undefined'],
    ['pool-grow', { by: '2' }, 'by of the control command must be a whole number from 1'],
    ['pool-shrink', { by: -1 }, 'by of the control command must be a whole number from 1'],
    ['autoscale', { max: 2 }, 'min of the control command must be a whole number from 1'],
    ['add-consumer', { queue: '' }, 'queue of the control command must be a text'],
    ['cancel-consumer', [], 'queue of the control command must be a text'],
    ['time-limit', { task: 'a', softTimeLimitMs: 1 }, 'timeLimitMs of the control command must be milliseconds'],
    ['time-limit', { task: 'a', softTimeLimitMs: 0, timeLimitMs: 1 }, 'softTimeLimitMs of the control command'],
  ] as const)('nothing by %s with %j', async (command, args, message) => {
    await expect(obey(command, args)).rejects.toThrow(message);
  });
});
