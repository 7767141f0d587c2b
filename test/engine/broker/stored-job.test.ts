import type { JobJson } from 'bullmq';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeEnd,
  decodePriority,
  encodeEnd,
  encodeFailure,
  encodeMessage,
  encodePriority,
  encodeResult,
  encodeStack,
  parseData,
  readEnd,
  STALLED_TOO_OFTEN,
  toStoredJob,
} from '../../../src/engine/broker/stored-job.ts';
import type { JobState } from '../../../src/engine/core/state.ts';

/** A record as BullMQ hands it out. */
function record(fields: Partial<JobJson> = {}): JobJson {
  return {
    id: '1',
    name: 'work',
    data: '{"args":[],"meta":{}}',
    opts: {},
    timestamp: 5,
    attemptsMade: 0,
    ...fields,
  } as JobJson;
}

describe('a stored job', () => {
  test('shows its unique key without the task, and the key of another producer as it is', () => {
    const unique = (deduplicationId?: string) =>
      toStoredJob(record(deduplicationId === undefined ? {} : { deduplicationId }), 'q', 'wait').unique;
    expect(unique()).toBeNull();
    expect(unique('work [1]')).toBe('[1]');
    expect(unique('worker [1]')).toBe('worker [1]');
  });

  test.each<[state: string, attemptsMade: number, JobState]>([
    ['waiting', 0, 'PENDING'],
    ['waiting', 1, 'RETRY'],
    ['wait', 0, 'PENDING'],
    ['paused', 0, 'PENDING'],
    ['prioritized', 0, 'PENDING'],
    ['prioritized', 2, 'RETRY'],
    ['delayed', 0, 'SCHEDULED'],
    ['delayed', 1, 'RETRY'],
    ['active', 0, 'STARTED'],
    ['active', 3, 'STARTED'],
    ['waiting-children', 0, 'BLOCKED'],
    ['completed', 1, 'SUCCESS'],
    ['failed', 1, 'FAILURE'],
    ['unknown', 0, 'UNKNOWN'],
    ['whatever BullMQ brings next', 0, 'UNKNOWN'],
  ])('that BullMQ calls %s after %i attempts is %s', (state, attemptsMade, expected) => {
    expect(toStoredJob(record({ attemptsMade }), 'q', state).state).toBe(expected);
  });

  test.each<[returned: unknown, JobState, result: unknown, reason: string | null]>([
    [encodeEnd('IGNORED', 'why'), 'IGNORED', null, 'why'],
    [encodeEnd('REVOKED', ''), 'REVOKED', null, ''],
    [encodeResult({ $tq: { state: 'IGNORED' } }), 'SUCCESS', { $tq: { state: 'IGNORED' } }, null],
    [encodeResult({ $tq: 7 }), 'SUCCESS', { $tq: 7 }, null],
    [{ $tq: 7 }, 'SUCCESS', { $tq: 7 }, null],
    [encodeResult([1]), 'SUCCESS', [1], null],
    [encodeResult(0), 'SUCCESS', 0, null],
  ])('that ended with %j is read back', (returned, state, result, reason) => {
    const job = toStoredJob(record({ returnvalue: JSON.stringify(returned), attemptsMade: 1 }), 'q', 'completed');
    expect(job).toMatchObject({ state, result, reason });
  });

  test('that completed with a failure has its error, and is no dead letter', () => {
    const error = {
      name: 'MemberFailed',
      message: 'no\0pe',
      code: 'MEMBER_FAILED',
      stack: 'MemberFailed: no\n    at f (a.js:1:1)',
    };
    const returnvalue = JSON.stringify(encodeFailure(error));
    expect(toStoredJob(record({ returnvalue, failedReason: 'earlier' }), 'q', 'completed')).toMatchObject({
      state: 'FAILURE',
      result: null,
      reason: null,
      error: {
        name: 'MemberFailed',
        message: 'no\\0pe',
        code: 'MEMBER_FAILED',
        stack: 'MemberFailed [MEMBER_FAILED]: no\\0pe\n    at f (a.js:1:1)',
      },
    });
  });

  test.each<[returned: unknown, end: object, told: object]>([
    [7, { state: 'SUCCESS', value: 7 }, { state: 'SUCCESS', reason: null }],
    [null, { state: 'SUCCESS', value: null }, { state: 'SUCCESS', reason: null }],
    [{ $tq: 7 }, { state: 'SUCCESS', value: { $tq: 7 } }, { state: 'SUCCESS', reason: null }],
    [encodeResult({ $tq: {} }), { state: 'SUCCESS', value: { $tq: {} } }, { state: 'SUCCESS', reason: null }],
    [encodeEnd('IGNORED', 'why'), { state: 'IGNORED', reason: 'why' }, { state: 'IGNORED', reason: 'why' }],
    [{ $tq: { state: 'REVOKED' } }, { state: 'REVOKED', reason: '' }, { state: 'REVOKED', reason: null }],
    [
      encodeFailure({ name: 'TypeError', message: 'no', code: null, stack: null }),
      { state: 'FAILURE', reason: 'no' },
      { state: 'FAILURE', reason: 'TypeError: no' },
    ],
    [
      { $tq: { state: 'FAILURE', error: 7 } },
      { state: 'FAILURE', reason: '' },
      { state: 'FAILURE', reason: 'Error: ' },
    ],
    [{ $tq: { state: 'OTHER' } }, { state: 'SUCCESS', value: null }, { state: 'SUCCESS', reason: null }],
  ])('that ended with %j is told so to its parent, and in its event', (returned, end, told) => {
    expect(decodeEnd(returned)).toEqual(end);
    expect(readEnd(returned)).toEqual(told);
  });

  test('counts the running attempt', () => {
    expect(toStoredJob(record({ attemptsMade: 2 }), 'q', 'active').attempts).toBe(3);
    expect(toStoredJob(record({ attemptsMade: 2 }), 'q', 'delayed').attempts).toBe(2);
  });

  test('with a broken return value, stack or progress is read all the same', () => {
    const broken = { returnvalue: '{', stacktrace: 'no json', progress: 0 };
    expect(toStoredJob(record(broken), 'q', 'completed')).toMatchObject({ result: null, stacks: [], progress: null });
    const mixed = record({ stacktrace: JSON.stringify(['a', 1, null, 'b']) });
    expect(toStoredJob(mixed, 'q', 'failed').stacks).toEqual(['a', 'b']);
    expect(toStoredJob(record({ progress: { done: 1 } }), 'q', 'active').progress).toEqual({ done: 1 });
  });

  test.each<[stack: string, name: string, code: string | null]>([
    ['TypeError [ERR_X]: no\n    at f (a.js:1:1)', 'TypeError', 'ERR_X'],
    ['TypeError: no', 'TypeError', null],
    ['Error: ', 'Error', null],
    ['my.own.Error [E 1]: no', 'my.own.Error', 'E 1'],
    ['a stack of another language', 'Error', null],
    ['', 'Error', null],
  ])('reads name and code of its error from the head of its stack %j', (stack, name, code) => {
    const job = toStoredJob(record({ failedReason: 'no', stacktrace: JSON.stringify([stack]) }), 'q', 'failed');
    expect(job.error).toEqual({ name, message: 'no', code, stack });
  });

  test('that BullMQ gave up because its workers were lost says so', () => {
    const job = toStoredJob(record({ failedReason: STALLED_TOO_OFTEN }), 'q', 'failed');
    expect(job.error).toMatchObject({ name: 'WorkerLost', code: 'WORKER_LOST' });
  });

  test('keeps data that is not JSON as its raw text', () => {
    expect(toStoredJob(record({ data: 'oops{' }), 'q', 'waiting')).toMatchObject({
      args: ['oops{'],
      meta: {},
      unreadable: expect.stringContaining('JSON'),
    });
    expect(parseData('')).toEqual({ value: null, problem: null });
    expect(parseData('{"a":1}')).toEqual({ value: { a: 1 }, problem: null });
  });
});

describe('priorities', () => {
  test('9 is served first by BullMQ and 0 last, and each is read back', () => {
    const stored = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(encodePriority);
    expect(stored).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    expect(stored.map(decodePriority)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('of another producer are cut to ours', () => {
    expect([undefined, 0, 1, 10, 11, 2_097_152].map(decodePriority)).toEqual([null, null, 9, 0, 0, 0]);
  });
});

describe('the text of an error', () => {
  test('begins with name and code, and has the frames of the stack without the message', () => {
    const stack = 'TypeError: many\nlines\n    at f (a.js:1:1)\n    at g (b.js:2:2)';
    expect(encodeStack({ name: 'TypeError', message: 'many\nlines', code: 'E1', stack })).toBe(
      'TypeError [E1]: many\nlines\n    at f (a.js:1:1)\n    at g (b.js:2:2)',
    );
    expect(encodeStack({ name: 'X', message: 'm', code: null, stack: 'no frames here' })).toBe('X: m');
    expect(encodeStack({ name: 'X', message: 'm', code: null, stack: null })).toBe('X: m');
  });

  test('is cut where it is too long, and says by how much', () => {
    const long = { name: 'X', message: 'm'.repeat(10_000), code: null, stack: `X\n    at ${'f'.repeat(100_000)}` };
    expect(encodeMessage(long)).toBe(`${'m'.repeat(8192)}… (1808 characters left out)`);
    expect(encodeStack(long).length).toBeLessThan(26_000);
    expect(encodeStack(long)).toMatch(/… \(\d+ characters left out\)$/);
  });

  test('survives the way to the store and back', () => {
    const name = fc.stringMatching(/^[A-Za-z_$][\w$.]{0,20}$/);
    const code = fc.option(fc.stringMatching(/^[A-Z0-9_]{1,20}$/), { nil: null });
    fc.assert(
      fc.property(name, fc.string({ maxLength: 200 }), code, (errorName, message, errorCode) => {
        const error = { name: errorName, message, code: errorCode, stack: null };
        const json = record({
          failedReason: encodeMessage(error),
          stacktrace: JSON.stringify([encodeStack(error)]),
        });
        expect(toStoredJob(json, 'q', 'failed').error).toMatchObject({ name: errorName, message, code: errorCode });
      }),
    );
  });
});
