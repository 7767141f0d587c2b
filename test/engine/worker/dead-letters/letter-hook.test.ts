import { expect, test } from 'vitest';
import type { DeadLetter, OnDeadLetter } from '../../../../src/engine/worker/dead-letters/dead-letter.ts';
import { LetterHook } from '../../../../src/engine/worker/dead-letters/letter-hook.ts';
import { recordLog } from '../recorded.ts';

const letter = (id: string): DeadLetter => ({
  id,
  task: 'a.task',
  queue: 'high',
  args: [],
  error: { name: 'Error', message: 'no', code: null, fingerprint: 'a1b2c3d4' },
  attempts: 1,
  worker: 'tq@test',
  requestId: id,
});

function setUp(call: OnDeadLetter, limits: { longestMs?: number; lastCallsMs?: number } = {}) {
  const log = recordLog();
  return { hook: new LetterHook({ call, logger: log.logger, ...limits }), log };
}

test('is told each dead letter, and is waited for when the worker stops', async () => {
  const ended: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const { hook, log } = setUp(async ({ id }) => {
    await promise;
    ended.push(id);
  });
  hook.tell(letter('a'));
  hook.tell(letter('b'));
  const stopped = hook.stop();
  resolve();
  await stopped;
  expect(ended).toEqual(['a', 'b']);
  expect(log.lines).toEqual([]);
});

test.each<[string, OnDeadLetter]>([
  [
    'throws',
    () => {
      throw new Error('out of order');
    },
  ],
  ['rejects', () => Promise.reject(new Error('out of order'))],
])('a function that %s is logged with what to do, and told the next one', async (_, call) => {
  const told: string[] = [];
  const { hook, log } = setUp((one) => {
    told.push(one.id);
    return call(one);
  });
  hook.tell(letter('a'));
  hook.tell(letter('b'));
  await hook.stop();
  expect(told).toEqual(['a', 'b']);
  expect(log.lines[0]).toMatchObject({
    level: 'ERROR',
    task_id: 'a',
    queue: 'high',
    message: expect.stringContaining('mend the function that createApp() was given'),
  });
});

test('a function that hangs is given up, and its place is free again', async () => {
  const told: string[] = [];
  const { hook, log } = setUp(
    ({ id }) => {
      told.push(id);
      return id === 'last' ? undefined : new Promise(() => {});
    },
    { longestMs: 1 },
  );
  for (let at = 0; at < 16; at += 1) hook.tell(letter(`hangs ${at}`));
  hook.tell(letter('last'));
  expect(told).not.toContain('last');
  await hook.stop();
  expect(told).toContain('last');
  expect(log.lines.filter(({ message }) => message.includes('waited for no more'))).toHaveLength(16);
});

test('a stopping worker waits for a function that hangs only so long, and says so', async () => {
  const { hook, log } = setUp(() => new Promise(() => {}), { lastCallsMs: 1 });
  hook.tell(letter('a'));
  await hook.stop();
  expect(log.lines).toEqual([
    expect.objectContaining({ level: 'WARN', left: 1, message: expect.stringContaining('`tq dlq list`') }),
  ]);
});

test('more dead letters than it can keep up with are left out, which is said once and counted', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let told = 0;
  const { hook, log } = setUp(() => {
    told += 1;
    return promise;
  });
  for (let at = 0; at < 1100; at += 1) hook.tell(letter(`${at}`));
  expect(log.messages).toEqual([expect.stringContaining('too slow')]);
  resolve();
  await hook.stop();
  expect(told).toBe(1016);
  expect(log.lines.at(-1)).toMatchObject({ untold: 84 });
});
