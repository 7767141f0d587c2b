import { describe, expect, test } from 'vitest';
import { catalogue, type ErrorCode, type ErrorFacts, suggestion } from '../../../src/engine/core/error-catalogue.ts';
import {
  BrokerUnavailable,
  createError,
  InvalidArguments,
  messageOf,
  ResultTimeout,
  SoftTimeLimitExceeded,
  TaskFailed,
  TaskRevoked,
  TimeLimitExceeded,
  TqError,
  UnknownTask,
  WorkerLost,
} from '../../../src/engine/core/errors.ts';

const codes = Object.keys(catalogue) as ErrorCode[];

/** Facts for every entry at once: each text takes those that it names. */
const facts = {
  ...{ rule: 'mail', via: 'webhook' as const },
  ...{ who: 'the workflow', member: 'step', workflow: 'wf-1' },
  ...{ message: 'what', next: 'the next step', command: 'cmd', near: ['close'], known: ['a', 'b'], declared: ['q'] },
  ...{
    source: 'the file',
    mistakes: ['one', 'two'],
    given: '5',
    what: 'the thing',
    expected: 'a number',
    option: 'opt',
  },
  ...{
    file: 'app.ts',
    reason: 'a reason',
    exported: ['x'],
    url: 'redis://host',
    doing: 'connecting',
    causes: 'start it',
  },
  ...{
    how: 'exit code 1',
    remedy: 'upgrade',
    task: 'a.task',
    problems: ['input.a: missing'],
    where: 'calling',
    path: 'args[0]',
  },
  ...{
    problem: 'a bigint',
    bytes: 10,
    limit: 5,
    queue: 'q',
    id: 'id-1',
    error: 'Error: no',
    waitedMs: 5,
    state: 'PENDING',
  },
  ...{
    limitMs: 5,
    times: 2,
    worker: 'tq@host',
    asked: ['w1', 'w2'],
    queues: ['q1', 'q2'],
    operation: 'purge',
    count: 3,
    to: 'a@b.c',
  },
  ...{ server: 'smtp.host', folder: false, apps: ['one'], commands: ['a'], setting: 'x', variable: 'X', name: 'n' },
  ...{ host: 'box', port: 8080, pid: 7, since: '2031-05-01T12:00:00.000Z' },
  ...{ text: 'tsk:a', marks: '^~~', parent: 'id-0' },
  ...{ from: 'q1', prefix: 'bull' },
  ...{ line: 7, stored: false, from: 'redis://a', missing: 'q2', ids: ['id-1'], code: 'EEXIST' },
  ...{ entry: 'nightly', field: 'cron.hour' },
  ...{ profile: 'prod', dir: '/undo', why: 'cap', kept: 2, by: 'mhy2k9x1-04af', was: 'redis://a', is: 'redis://b' },
};

describe.each(codes)('the error %s', (code) => {
  const error = createError(code, facts as unknown as ErrorFacts<typeof code>);

  test('says what was being done and what to do next', () => {
    expect(error.message).not.toBe('');
    expect(error.next).not.toBe('');
    expect(`${error.message} ${error.next}`).not.toMatch(/undefined|\[object Object\]|NaN/);
    expect(catalogue[code].when).not.toBe('');
  });

  test('carries its code, its name and its exit code', () => {
    expect(error).toBeInstanceOf(TqError);
    expect(error).toMatchObject({ code, name: catalogue[code].name, exitCode: catalogue[code].exit });
    expect([1, 2, 3, 4, 69]).toContain(error.exitCode);
  });
});

test('every code is in capitals, and its name is that of a class', () => {
  for (const code of codes) {
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
    expect(catalogue[code].name).toMatch(/^[A-Z][A-Za-z]+$/);
  }
});

test.each<[ErrorCode, typeof TqError]>([
  ['INVALID_ARGUMENTS', InvalidArguments],
  ['UNKNOWN_TASK', UnknownTask],
  ['UNKNOWN_TASK_GIVEN_UP', UnknownTask],
  ['BROKER_UNAVAILABLE', BrokerUnavailable],
  ['TASK_FAILED', TaskFailed],
  ['TASK_REVOKED', TaskRevoked],
  ['RESULT_TIMEOUT', ResultTimeout],
  ['SOFT_TIME_LIMIT', SoftTimeLimitExceeded],
  ['TIME_LIMIT', TimeLimitExceeded],
  ['WORKER_LOST', WorkerLost],
])('%s is an error class that an application can catch', (code, Class) => {
  const error = createError(code, facts as never);
  expect(error).toBeInstanceOf(Class);
  expect(error.name).toBe(Class.name);
});

test('the cause is kept, and is absent when there is none', () => {
  const cause = new Error('below');
  expect(createError('INTERNAL', { doing: 'a', reason: 'b' }, cause).cause).toBe(cause);
  expect('cause' in createError('INTERNAL', { doing: 'a', reason: 'b' })).toBe(false);
});

test('a suggestion names the near names, and is nothing without one', () => {
  expect(suggestion([])).toBe('');
  expect(suggestion(['a', 'b'])).toBe('; did you mean "a" or "b"?');
});

describe('messageOf', () => {
  test('reads errors, texts and anything else', () => {
    expect(messageOf(new Error('no'))).toBe('no');
    expect(messageOf('a text')).toBe('a text');
    expect(messageOf(undefined)).toBe('undefined');
  });

  test('joins the errors of a failed connection to several addresses, which Node gives no message', () => {
    const error = new AggregateError([new Error('ECONNREFUSED ::1'), new Error('ECONNREFUSED 127.0.0.1')]);
    expect(messageOf(error)).toBe('ECONNREFUSED ::1; ECONNREFUSED 127.0.0.1');
  });
});
