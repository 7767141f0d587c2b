import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { createJob } from '../../../src/engine/app/call.ts';
import type { CallOptions } from '../../../src/engine/app/call-options.ts';
import { defineTask, type TaskDefinition, type TaskOptions } from '../../../src/engine/task/definition.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const DAY_MS = 86_400_000;
const MIB = 1024 * 1024;

interface Given {
  readonly args?: readonly unknown[];
  readonly task?: TaskOptions;
  readonly payloadLimit?: number;
}

function call(options: CallOptions = {}, { args = [], task, payloadLimit = MIB }: Given = {}) {
  const definition = task && (defineTask('a.task', task, () => {}) as unknown as TaskDefinition);
  return createJob({
    task: 'a.task',
    definition,
    args,
    options,
    now: NOW,
    payloadLimit,
    longestResultMs: () => DAY_MS,
  });
}

test('a call without options is a job with a UUIDv7 of its time and nothing else', () => {
  const job = call({}, { args: [1, 'two'] });
  expect(job).toEqual({
    id: job.id,
    task: 'a.task',
    args: [1, 'two'],
    argsJson: '[1,"two"]',
    meta: {},
    createdAt: NOW,
  });
  expect(job.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(Number.parseInt(job.id.replace('-', '').slice(0, 12), 16)).toBe(NOW);
  expect(call().id).not.toBe(job.id);
});

describe('the id', () => {
  test.each(['order-17', 'user@host', 'a'.repeat(200), '1a', 'Ω'])('%s is taken', (id) => {
    expect(call({ id }).id).toBe(id);
  });

  test.each<[unknown]>([
    [''],
    ['a b'],
    ['a:b'],
    ['0'],
    ['-12'],
    ['17'],
    ['a\u0000'],
    ['\u001b[31m'],
    ['a'.repeat(201)],
    [17],
    [5n],
    [null],
  ])('%s is refused', (id) => {
    expect(() => call({ id: id as string })).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        message: expect.stringContaining('id of a call of task "a.task" must be a text of 1 to 200 characters'),
      }),
    );
  });
});

describe('when it may start', () => {
  test.each<[CallOptions, number | undefined]>([
    [{ countdown: '10s' }, 10_000],
    [{ countdown: 1500 }, 1500],
    [{ countdown: 0 }, undefined],
    [{ eta: new Date(NOW + 5000) }, 5000],
    [{ eta: NOW + 5000 }, 5000],
    [{ eta: NOW + 5000.4 }, 5000],
    [{ eta: '2026-01-01T00:01:00Z' }, 60_000],
    [{ eta: '2026-01-02' }, 86_400_000],
    [{ eta: new Date(NOW - 5000) }, undefined],
    [{ eta: 0 }, undefined],
  ])('%j waits %s ms', (options, delayMs) => {
    expect(call(options).delayMs).toBe(delayMs);
  });

  test.each<[unknown]>([
    ['tomorrow'],
    ['12:00'],
    ['2026-13-45'],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [Number.NEGATIVE_INFINITY],
    [new Date(Number.NaN)],
    [new Date('2037-01-01')],
    ['9999-12-31T00:00:00Z'],
    [8.64e15],
  ])('the absurd eta %s is refused', (eta) => {
    expect(() => call({ eta: eta as Date })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining('eta of a call of task') }),
    );
  });

  test.each([['-5s'], ['4000d'], [-1], [Number.NaN]])('the absurd countdown %j is refused', (countdown) => {
    expect(() => call({ countdown })).toThrow(
      expect.objectContaining({
        code: 'INVALID_DURATION',
        message: expect.stringContaining('countdown of a call of task "a.task"'),
      }),
    );
  });

  test('a countdown and an eta together are refused', () => {
    expect(() => call({ countdown: 1, eta: NOW })).toThrow('must be given either countdown or eta, got both');
  });
});

describe('its expiry', () => {
  test.each<[string, CallOptions, TaskOptions | undefined, number | undefined]>([
    ['none', {}, undefined, undefined],
    ['a time from now', { expires: '1h' }, undefined, NOW + 3_600_000],
    ['an instant', { expires: new Date(NOW + 5) }, undefined, NOW + 5],
    ['that of its task', {}, { expires: '1m' }, NOW + 60_000],
    ['that of the call before that of its task', { expires: '1h' }, { expires: '1m' }, NOW + 3_600_000],
  ])('is %s', (_, options, task, expiresAt) => {
    expect(call(options, { ...(task && { task }) }).meta.expiresAt).toBe(expiresAt);
  });

  test('is refused when it is neither a duration nor a valid Date', () => {
    expect(() => call({ expires: '-1h' })).toThrow('expires of a call of task "a.task" must be a duration');
    expect(() => call({ expires: new Date('never') })).toThrow('must be a valid Date, got an invalid one');
  });
});

describe('its payload', () => {
  test('may be as large as the limit and no larger, counted in bytes of JSON', () => {
    // ["…"] is four bytes more than the text, and é has two.
    expect(call({}, { args: ['é'.repeat(48)], payloadLimit: 100 }).args).toHaveLength(1);
    expect(() => call({}, { args: ['é'.repeat(49)], payloadLimit: 100 })).toThrow(
      expect.objectContaining({
        code: 'PAYLOAD_TOO_LARGE',
        message: 'calling task "a.task": its payload has 102 bytes, the limit is 100',
      }),
    );
  });

  test('of 20 MB is refused', () => {
    expect(() => call({}, { args: ['x'.repeat(20_000_000)] })).toThrow(
      expect.objectContaining({ code: 'PAYLOAD_TOO_LARGE', next: expect.stringContaining('payloadLimit') }),
    );
  });

  const cycle: unknown[] = [];
  cycle.push(cycle);

  test.each<[string, readonly unknown[], string]>([
    ['a BigInt', [{ n: 1n }], 'args[0].n is a bigint'],
    ['a cycle', [cycle], 'args[0][0] is a reference to a value that contains it (a cycle)'],
    ['NaN', ['a', Number.NaN], 'args[1] is NaN'],
    ['a Date', [[new Date(0)]], 'args[0][0] is an instance of Date'],
    ['a Map', [{ map: new Map() }], 'args[0].map is an instance of Map'],
    ['a Map of another realm', [runInNewContext('new Map()')], 'args[0] is an instance of Map'],
    ['undefined before the last argument', [undefined, 1], 'args[0] is undefined'],
  ])('with %s is refused with its path', (_, args, problem) => {
    expect(() => call({}, { args })).toThrow(
      expect.objectContaining({
        code: 'NOT_JSON',
        message: expect.stringContaining(`the arguments of task "a.task" cannot be written as JSON: ${problem}`),
      }),
    );
  });

  test('leaves out last arguments that are undefined', () => {
    expect(call({}, { args: [1, undefined, undefined] }).args).toEqual([1]);
    expect(call({}, { args: [undefined] }).args).toEqual([]);
  });

  test('keeps an own property called __proto__', () => {
    const args = [JSON.parse('{"__proto__":{"admin":true}}')];
    expect(JSON.stringify(call({}, { args }).args)).toBe('[{"__proto__":{"admin":true}}]');
  });
});

describe('what travels with it', () => {
  test('headers, request id, limits and retry options, durations in milliseconds', () => {
    const options: CallOptions = {
      headers: { tenant: 'a' },
      requestId: 'r-1',
      softTimeLimit: '1m',
      timeLimit: '2m',
      retry: { max: 2, delay: '5s' },
    };
    expect(call(options).meta).toEqual({
      headers: { tenant: 'a' },
      requestId: 'r-1',
      softTimeLimitMs: 60_000,
      timeLimitMs: 120_000,
      retry: { max: 2, delay: 5000 },
    });
    expect(call({ retry: false }).meta).toEqual({ retry: false });
  });

  test.each<[CallOptions, number | undefined]>([
    [{}, undefined],
    [{ resultExpires: '1m' }, 60_000],
    [{ resultExpires: 1 }, 1],
    [{ resultExpires: '1d' }, DAY_MS],
  ])('%j keeps its result %s ms', (options, ms) => {
    expect(call(options).meta.resultExpiresMs).toBe(ms);
  });

  test('keeps its result as long as its task says, if it says nothing', () => {
    expect(call({}, { task: { resultExpires: '1h' } }).meta.resultExpiresMs).toBe(3_600_000);
    expect(call({ resultExpires: '1m' }, { task: { resultExpires: '1h' } }).meta.resultExpiresMs).toBe(60_000);
  });

  test('a result cannot be kept for longer than workers of the app keep any', () => {
    expect(() => call({ resultExpires: DAY_MS + 1 })).toThrow(/resultExpires of a call .* must be at most the longest/);
  });

  test('ignoreResult keeps nothing', () => {
    expect(call({ ignoreResult: true }).ignoreResult).toBe(true);
    expect(call({ ignoreResult: false })).not.toHaveProperty('ignoreResult');
  });

  test.each<[string, object, string, string]>([
    ['an unknown option', { countDown: 5 }, 'UNKNOWN_OPTION', 'has no option "countDown"; did you mean "countdown"?'],
    ['a priority out of range', { priority: 10 }, 'INVALID_OPTION', 'must be a whole number from 0 to 9, got 10'],
    ['a priority that is a text', { priority: '9' }, 'INVALID_OPTION', 'must be a whole number from 0 to 9, got "9"'],
    [
      'a header that is no text',
      { headers: { n: 5 } },
      'INVALID_OPTION',
      'an object whose values are texts, got {"n":5}',
    ],
    ['headers that are a list', { headers: ['a'] }, 'INVALID_OPTION', 'an object whose values are texts'],
    ['headers with a BigInt', { headers: { n: 5n } }, 'INVALID_OPTION', 'got a value that cannot be shown'],
    ['an empty request id', { requestId: '' }, 'INVALID_OPTION', 'requestId of a call of task "a.task"'],
    ['an endless request id', { requestId: 'r'.repeat(1001) }, 'INVALID_OPTION', 'a text of 1 to 1000 characters'],
    ['a bad limit', { timeLimit: 'long' }, 'INVALID_DURATION', 'timeLimit of a call of task "a.task"'],
    ['a bad expiry of the result', { resultExpires: -1 }, 'INVALID_DURATION', 'resultExpires of a call of task'],
    ['a retry function', { retry: { backoff: () => 1 } }, 'INVALID_OPTION', 'functions and classes belong to the task'],
    ['a bad retry', { retry: { max: 1.5 } }, 'INVALID_OPTION', 'max in retry of a call of task "a.task"'],
  ])('%s is refused', (_, options, code, message) => {
    expect(() => call(options)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
  });

  test('a soft limit of the call must stay below the hard limit of its task', () => {
    expect(() => call({ softTimeLimit: '2m' }, { task: { timeLimit: '1m' } })).toThrow(
      'softTimeLimit of a call of task "a.task" must be shorter than its timeLimit of 60000 ms, got 120000 ms',
    );
  });
});
