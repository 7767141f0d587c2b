import { expect, test } from 'vitest';
import { readFailedAttempts } from '../../../src/engine/broker/failed-attempts.ts';
import { type AttemptEnd, formatAttemptLine } from '../../../src/engine/core/attempt-line.ts';
import type { StoredError } from '../../../src/engine/core/job.ts';

const ALIVE = { attemptsMade: 0, death: null, startedAt: 100, finishedAt: 200, worker: 'w' };

/** As a worker of tq stores it: the attempt began at its number times ten. */
function entry(number: number, end: AttemptEnd, message = 'no'): string {
  const mark = { number, end, startedAt: number * 10, endedAt: number * 10 + 5, worker: `w${number}` };
  return formatAttemptLine(`TypeError [E]: ${message}\n    at f (/a.ts:1:2)`, mark);
}

function deathOf(message: string): StoredError {
  return { name: 'Error', message, code: null, stack: null };
}

function brief(stored: readonly string[], given: Partial<Parameters<typeof readFailedAttempts>[1]>) {
  const attempts = readFailedAttempts(stored, { ...ALIVE, ...given });
  return attempts.map(({ number, end, isEarlier }) => `${number} ${end}${isEarlier ? ' earlier' : ''}`);
}

test('attempts of tq are read from their marks, the last with the whole message of the job', () => {
  const death = { ...deathOf('no\nand why'), name: 'TypeError', code: 'E' };
  const attempts = readFailedAttempts([entry(1, 'retry', 'many\nlines'), entry(2, 'dead')], {
    ...ALIVE,
    attemptsMade: 2,
    death,
  });
  const stack = 'TypeError [E]: no\n    at f (/a.ts:1:2)';
  expect(attempts).toEqual([
    {
      ...{ number: 1, end: 'retry', startedAt: 10, endedAt: 15, worker: 'w1', isEarlier: false },
      error: { name: 'TypeError', message: 'many\nlines', code: 'E', stack: stack.replace('no', 'many\nlines') },
    },
    {
      ...{ number: 2, end: 'dead', startedAt: 20, endedAt: 25, worker: 'w2', isEarlier: false },
      error: { ...death, stack },
    },
  ]);
});

test.each<[string, string[], Partial<Parameters<typeof readFailedAttempts>[1]>, string[]]>([
  ['no attempt has failed', [], {}, []],
  ['it waits after a loss', [entry(1, 'lost')], {}, ['1 lost']],
  [
    'it was lost twice and failed',
    [entry(1, 'lost'), entry(1, 'lost'), entry(1, 'retry')],
    { attemptsMade: 1 },
    ['1 lost', '1 lost', '1 retry'],
  ],
  ['it succeeded after a failure', [entry(1, 'retry')], { attemptsMade: 2 }, ['1 retry']],
  ['it was reprocessed', [entry(1, 'retry'), entry(2, 'dead')], {}, ['1 retry earlier', '2 dead earlier']],
  [
    'it was reprocessed and failed again',
    [entry(1, 'lost'), entry(1, 'dead'), entry(1, 'lost'), entry(1, 'dead')],
    { attemptsMade: 1, death: deathOf('no') },
    ['1 lost earlier', '1 dead earlier', '1 lost', '1 dead'],
  ],
  ['it was reprocessed after a success', [entry(1, 'retry')], {}, ['1 retry earlier']],
])('when %s', (_, stored, given, expected) => {
  expect(brief(stored, given)).toEqual(expected);
});

test('of attempts of other workers the number is told, and of the last when and where it ran', () => {
  const stored = ['Error: a\n    at x', 'Error: b\n    at x'];
  const attempts = readFailedAttempts(stored, { ...ALIVE, attemptsMade: 2, death: deathOf('b') });
  const unknown = { startedAt: null, endedAt: null, worker: null };
  expect(attempts).toMatchObject([
    { number: 1, end: 'retry', ...unknown, error: { message: 'a' }, isEarlier: false },
    { number: 2, end: 'dead', startedAt: 100, endedAt: 200, worker: 'w', error: { message: 'b', stack: stored[1] } },
  ]);
  expect(brief(stored, { attemptsMade: 1 })).toEqual(['null retry earlier', '1 retry']);
  expect(brief([...stored, entry(1, 'dead')], { attemptsMade: 1, death: deathOf('no') })).toEqual([
    ...['null retry earlier', 'null retry earlier', '1 dead'],
  ]);
});

test('a death without a stack is an attempt too', () => {
  const death = {
    name: 'WorkerLost',
    message: 'job stalled more than allowable limit',
    code: 'WORKER_LOST',
    stack: null,
  };
  const attempts = readFailedAttempts([entry(1, 'retry')], { ...ALIVE, attemptsMade: 2, death });
  expect(attempts).toMatchObject([
    { number: 1, end: 'retry', worker: 'w1' },
    { number: 2, end: 'dead', startedAt: 100, endedAt: 200, worker: 'w', error: death },
  ]);
  expect(brief(['Error: other\n    at x'], { attemptsMade: 2, death })).toEqual(['1 retry', '2 dead']);
  expect(brief([], { attemptsMade: 0, death })).toEqual(['null dead']);
});

test.each<[string, string, StoredError['name'], string]>([
  ['a message', 'RangeError: too far\n    at x', 'RangeError', 'too far'],
  ['none', 'RangeError\n    at x', 'RangeError', ''],
  [
    'a traceback of Python',
    'Traceback (most recent call last):\n  File "a.py"\nValueError: 1',
    'Error',
    'Traceback (most recent call last):\n  File "a.py"\nValueError: 1',
  ],
])('the error of an earlier attempt is read from a stack with %s', (_, stack, name, message) => {
  expect(readFailedAttempts([stack], { ...ALIVE, attemptsMade: 1 })[0]?.error).toEqual({
    name,
    message,
    code: null,
    stack,
  });
});
