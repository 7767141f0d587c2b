import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type BackoffFunction,
  isRetryable,
  NO_RETRY,
  parseRetry,
  type RetryOptions,
  retryDelayMs,
  storeRetry,
} from '../../../src/engine/core/retry-policy.ts';

const OWNER = 'retry of task "a"';
const never = (): number => {
  throw new Error('no chance was to be taken');
};
const lowest = (): number => 0;
const highest = (): number => 1 - Number.EPSILON;

describe('parseRetry', () => {
  test('fills in the defaults: three retries from a second, doubling to at most ten minutes, with jitter', () => {
    expect(parseRetry({}, OWNER)).toEqual({
      max: 3,
      delayMs: 1000,
      backoff: 'exponential',
      maxDelayMs: 600_000,
      jitter: true,
    });
  });

  test('takes false for no retries', () => {
    expect(parseRetry(false, OWNER)).toBe(NO_RETRY);
    expect(NO_RETRY.max).toBe(0);
  });

  test('starts from another policy and changes what is given', () => {
    const base = parseRetry({ max: 5, delay: '1m', on: TypeError, backoff: 'linear' }, OWNER);
    expect(parseRetry({ delay: '2m' }, OWNER, base)).toEqual({ ...base, delayMs: 120_000 });
  });

  test.each<[string, RetryOptions, string]>([
    ['a negative max', { max: -1 }, 'max in retry of task "a" must be a whole number from 0 to 1000, got -1'],
    ['a broken max', { max: 1.5 }, 'max in retry of task "a" must be a whole number from 0 to 1000, got 1.5'],
    ['an absurd max', { max: 1001 }, 'max in retry of task "a" must be a whole number from 0 to 1000, got 1001'],
    [
      'an unknown backoff',
      { backoff: 'quadratic' as never },
      'backoff in retry of task "a" must be "exponential", "linear", "fixed" or a function, got "quadratic"',
    ],
    ['a bad delay', { delay: '-1s' }, 'delay in retry of task "a" must be a duration, got "-1s"'],
    ['a bad maxDelay', { maxDelay: 'long' }, 'maxDelay in retry of task "a" must be a duration, got "long"'],
    [
      'an unknown key',
      { maxDelays: 5 } as RetryOptions,
      'retry of task "a" has no option "maxDelays"; did you mean "maxDelay"?',
    ],
  ])('refuses %s', (_, options, message) => {
    expect(() => parseRetry(options, OWNER)).toThrow(message);
  });
});

describe('storeRetry', () => {
  test('keeps what the call gives and nothing else, in milliseconds', () => {
    expect(storeRetry({ max: 5, delay: '1m' }, OWNER)).toEqual({ max: 5, delay: 60_000 });
    expect(storeRetry({ backoff: 'fixed', maxDelay: '2m', jitter: false }, OWNER)).toEqual({
      backoff: 'fixed',
      maxDelay: 120_000,
      jitter: false,
    });
    expect(storeRetry({}, OWNER)).toEqual({});
    expect(storeRetry(false, OWNER)).toBe(false);
  });

  test('gives what parseRetry reads back', () => {
    const stored = storeRetry({ max: 7, delay: '3s', jitter: false }, OWNER);
    expect(parseRetry(stored, OWNER)).toMatchObject({ max: 7, delayMs: 3000, jitter: false });
  });

  test.each<[string, RetryOptions]>([
    ['a function', { backoff: () => 1 }],
    ['a class', { on: TypeError }],
    ['a predicate', { except: () => true }],
  ])('refuses %s, which JSON cannot carry', (_, options) => {
    expect(() => storeRetry(options as never, OWNER)).toThrow('functions and classes belong to the task');
  });
});

describe('isRetryable', () => {
  class NetworkError extends Error {}
  class DnsError extends NetworkError {}
  const policy = (options: RetryOptions) => parseRetry(options, OWNER);

  test.each<[string, RetryOptions, unknown, boolean]>([
    ['anything without on and except', {}, 'a thrown text', true],
    ['a class that is named', { on: NetworkError }, new NetworkError(), true],
    ['a class below the one that is named', { on: NetworkError }, new DnsError(), true],
    ['a class that is not named', { on: NetworkError }, new TypeError(), false],
    ['one of several', { on: [NetworkError, TypeError] }, new TypeError(), true],
    ['none of several', { on: [NetworkError, TypeError] }, new RangeError(), false],
    ['Error itself, which is a class and no predicate', { on: Error }, new RangeError(), true],
    ['what is no Error, by Error', { on: Error }, 'a thrown text', false],
    ['what a predicate takes', { on: (error) => error === 'busy' }, 'busy', true],
    ['what a predicate refuses', { on: (error) => error === 'busy' }, 'gone', false],
    ['an excepted class', { except: [NetworkError] }, new DnsError(), false],
    ['what an excepting predicate does not take', { except: (error) => error === 'gone' }, 'busy', true],
    ['what is in both: except goes first', { on: NetworkError, except: DnsError }, new DnsError(), false],
    ['the class that on names and except does not', { on: NetworkError, except: DnsError }, new NetworkError(), true],
    ['a DOMException, whose class is native', { on: DOMException }, new DOMException('a', 'AbortError'), true],
  ])('decides on %s', (_, options, error, expected) => {
    expect(isRetryable(error, policy(options))).toBe(expected);
  });
});

describe('retryDelayMs', () => {
  const delays = (options: RetryOptions, random: () => number): number[] =>
    [1, 2, 3, 4, 5].map((retry) => retryDelayMs(parseRetry(options, OWNER), retry, undefined, random));

  test('doubles from the delay, grows by it, or stays, and never passes maxDelay', () => {
    const plain = { delay: '1s', maxDelay: '4.5s', jitter: false };
    expect(delays({ ...plain, backoff: 'exponential' }, never)).toEqual([1000, 2000, 4000, 4500, 4500]);
    expect(delays({ ...plain, backoff: 'linear' }, never)).toEqual([1000, 2000, 3000, 4000, 4500]);
    expect(delays({ ...plain, backoff: 'fixed' }, never)).toEqual([1000, 1000, 1000, 1000, 1000]);
  });

  test('draws evenly from 0 to the computed wait under full jitter', () => {
    const options: RetryOptions = { delay: 1000, maxDelay: 3000, backoff: 'exponential' };
    expect(delays(options, lowest)).toEqual([0, 0, 0, 0, 0]);
    expect(delays(options, highest)).toEqual([1000, 2000, 3000, 3000, 3000]);
    expect(delays(options, () => 0.5)).toEqual([500, 1000, 1500, 1500, 1500]);
  });

  test('asks an own function with the retry and the error, and caps what it says', () => {
    const asked: unknown[][] = [];
    const backoff: BackoffFunction = (...args) => {
      asked.push(args);
      return '2s';
    };
    const policy = parseRetry({ backoff, maxDelay: '1.5s', jitter: false }, OWNER);
    expect(retryDelayMs(policy, 4, 'the error', never)).toBe(1500);
    expect(asked).toEqual([[4, 'the error']]);
  });

  test('refuses an absurd wait of an own function', () => {
    const policy = parseRetry({ backoff: () => -1 }, OWNER);
    expect(() => retryDelayMs(policy, 1, undefined, lowest)).toThrow(
      'the result of the backoff function must be a duration, got -1',
    );
  });

  test('is always a whole number of milliseconds from 0 to maxDelay', () => {
    const policies = fc.record({
      delay: fc.integer({ min: 0, max: 86_400_000 }),
      maxDelay: fc.integer({ min: 0, max: 86_400_000 }),
      backoff: fc.constantFrom('exponential' as const, 'linear' as const, 'fixed' as const),
      jitter: fc.boolean(),
    });
    fc.assert(
      fc.property(
        policies,
        fc.integer({ min: 1, max: 1000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (options, retry, random) => {
          const delay = retryDelayMs(parseRetry(options, OWNER), retry, undefined, () => random);
          expect(Number.isInteger(delay)).toBe(true);
          expect(delay).toBeGreaterThanOrEqual(0);
          expect(delay).toBeLessThanOrEqual(options.maxDelay);
        },
      ),
    );
  });
});
