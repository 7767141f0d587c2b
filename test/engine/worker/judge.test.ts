import { describe, expect, test } from 'vitest';
import type { Meta } from '../../../src/engine/core/envelope.ts';
import { createError } from '../../../src/engine/core/errors.ts';
import type { Outcome } from '../../../src/engine/core/job.ts';
import type { RetryOptions } from '../../../src/engine/core/retry-policy.ts';
import { defineTask, type TaskDefinition } from '../../../src/engine/task/definition.ts';
import { Ignore, Reject, Retry } from '../../../src/engine/task/exceptions.ts';
import { judge } from '../../../src/engine/worker/judge.ts';
import { workerStopping } from '../../../src/engine/worker/running-task.ts';
import { FakeJob } from './fake-job.ts';

interface Given {
  readonly retry?: RetryOptions | boolean;
  readonly attempts?: number;
  readonly meta?: Meta;
  readonly stopping?: boolean;
}

function decide(error: unknown, { retry, attempts = 1, meta = {}, stopping = false }: Given = {}): Outcome {
  const options = retry === undefined ? {} : { retry };
  const definition = defineTask('a.task', options, () => {}) as unknown as TaskDefinition;
  return judge({ error, job: new FakeJob({ attempts, meta }), definition, random: () => 0.5, stopping });
}

const PLAIN = { max: 3, delay: '1s', jitter: false } as const;

describe('a plain error', () => {
  test.each<[string, RetryOptions | boolean | undefined, number, object]>([
    ['no policy', undefined, 1, { kind: 'dead' }],
    ['no policy, asked for by name', false, 1, { kind: 'dead' }],
    ['the default policy, first attempt, half of a second by jitter', true, 1, { kind: 'retry', delayMs: 500 }],
    ['the default policy, third retry', true, 3, { kind: 'retry', delayMs: 2000 }],
    ['the default policy, spent', true, 4, { kind: 'dead' }],
    ['max 0', { max: 0 }, 1, { kind: 'dead' }],
    ['an own function', { backoff: (retry) => retry * 7, jitter: false }, 2, { kind: 'retry', delayMs: 14 }],
  ])('under %s', (_, retry, attempts, outcome) => {
    expect(decide(new Error('no'), { attempts, ...(retry !== undefined && { retry }) })).toMatchObject(outcome);
  });

  test('whose name cannot be read is judged like any other', () => {
    const error = Object.defineProperty(new Error('no'), 'name', {
      get() {
        throw new Error('a trap');
      },
    });
    expect(decide(error, { retry: PLAIN })).toMatchObject({
      kind: 'retry',
      error: { message: 'a thrown value that cannot be shown' },
    });
  });

  test('is judged by on and except', () => {
    const retry = {
      ...PLAIN,
      on: [TypeError, RangeError],
      except: (error: unknown) => (error as Error).message === 'x',
    };
    expect(decide(new TypeError('a'), { retry }).kind).toBe('retry');
    expect(decide(new TypeError('x'), { retry }).kind).toBe('dead');
    expect(decide(new Error('a'), { retry }).kind).toBe('dead');
  });

  test('is retried when a predicate of the application throws: a retry loses nothing', () => {
    const except = (): boolean => {
      throw new Error('the predicate is broken');
    };
    expect(decide(new Error('no'), { retry: { ...PLAIN, except } })).toMatchObject({
      kind: 'retry',
      error: { message: 'no' },
    });
  });

  test.each<[string, () => never | number]>([
    [
      'throws',
      () => {
        throw new Error('the backoff is broken');
      },
    ],
    ['gives no number', () => Number.NaN],
  ])('keeps its own error and its retry when the backoff function %s', (_, backoff) => {
    expect(decide(new Error('no'), { attempts: 2, retry: { ...PLAIN, backoff } })).toMatchObject({
      kind: 'retry',
      delayMs: 2000,
      error: { message: 'no' },
    });
  });
});

describe('the policy of the call', () => {
  test('changes the part of the policy of its task that it names', () => {
    const meta = { retry: { max: 9 } };
    expect(decide(new Error('no'), { attempts: 9, meta, retry: PLAIN })).toMatchObject({
      kind: 'retry',
      delayMs: 256_000,
    });
  });

  test('gives a task retries that has none, and takes them away', () => {
    expect(decide(new Error('no'), { meta: { retry: { max: 1 } } }).kind).toBe('retry');
    expect(decide(new Error('no'), { meta: { retry: false }, retry: PLAIN }).kind).toBe('dead');
  });

  test.each([[{ max: 'many' }], [{ delay: -5 }], [{ surprise: 1 }], [{ backoff: 'cubic' }], [{ max: -1 }]])(
    'is that of the task when a foreign producer wrote %j',
    (stored) => {
      expect(decide(new Error('no'), { meta: { retry: stored as never }, retry: PLAIN })).toMatchObject({
        kind: 'retry',
        delayMs: 1000,
      });
    },
  );
});

describe('Retry', () => {
  test('waits as its task would, or as long as its countdown says, however long', () => {
    expect(decide(new Retry(), { retry: PLAIN })).toMatchObject({ kind: 'retry', delayMs: 1000 });
    expect(decide(new Retry('soon', { countdown: '2h' }), { retry: PLAIN })).toMatchObject({ delayMs: 7_200_000 });
    expect(decide(new Retry('now', { countdown: 0 }), { retry: PLAIN })).toMatchObject({ delayMs: 0 });
  });

  test('is granted whatever on and except say, as long as retries are left', () => {
    const retry = { ...PLAIN, on: TypeError, except: Error };
    expect(decide(new Retry(), { retry }).kind).toBe('retry');
    expect(decide(new Retry(), { retry, attempts: 4 }).kind).toBe('dead');
  });

  test('may set its own number of retries', () => {
    expect(decide(new Retry('again', { max: 1 })).kind).toBe('retry');
    expect(decide(new Retry('again', { max: 1 }), { attempts: 2 }).kind).toBe('dead');
    expect(decide(new Retry('again', { max: 10 }), { retry: PLAIN, attempts: 5 }).kind).toBe('retry');
  });

  test('shows its cause in the job, while it waits and when no retry is left', () => {
    const cause = Object.assign(new RangeError('429'), { code: 'E_RATE' });
    const error = { name: 'RangeError', message: '429', code: 'E_RATE' };
    expect(decide(new Retry('later', { cause }), { retry: PLAIN })).toMatchObject({ kind: 'retry', error });
    expect(decide(new Retry('later', { cause }), { retry: PLAIN, attempts: 4 })).toMatchObject({ kind: 'dead', error });
    expect(decide(new Retry('later'), { retry: PLAIN, attempts: 4 })).toMatchObject({ error: { message: 'later' } });
  });

  test('refuses a countdown that is no duration and a max that is no number', () => {
    expect(() => new Retry('later', { countdown: 'soon' })).toThrow('countdown of retry() must be a duration');
    expect(() => new Retry('later', { max: Number.NaN })).toThrow('max of retry() must be a whole number');
  });
});

describe('Ignore and Reject', () => {
  test('of a second copy of the package count by their names', () => {
    const foreign = (name: string): Error => Object.assign(new Error('elsewhere'), { name });
    expect(decide(foreign('Ignore'))).toEqual({ kind: 'ended', state: 'IGNORED', reason: 'elsewhere' });
    expect(decide(foreign('Reject'), { retry: PLAIN }).kind).toBe('dead');
    expect(decide(foreign('Retry'), { retry: PLAIN }).kind).toBe('retry');
  });

  test('have a reason of their own', () => {
    expect(decide(new Ignore())).toMatchObject({ reason: 'the task ignored the job' });
    expect(decide(new Reject('bad'))).toMatchObject({ error: { message: expect.stringContaining('bad') } });
  });
});

describe('while the worker stops', () => {
  const stopping = true;

  test('a task that gives up is released: no attempt is charged and no retry is spent', () => {
    expect(decide(workerStopping('tq@test'), { stopping })).toEqual({ kind: 'released' });
    expect(decide(new DOMException('aborted', 'AbortError'), { stopping, attempts: 4 })).toEqual({ kind: 'released' });
    expect(decide(new Retry(), { stopping })).toEqual({ kind: 'released' });
  });

  test.each<[string, unknown, object]>([
    ['Ignore', new Ignore(), { kind: 'ended' }],
    ['Reject', new Reject('bad'), { kind: 'dead' }],
    ['a hard limit', createError('TIME_LIMIT', { task: 'a.task', limitMs: 5 }), { kind: 'dead' }],
    ['a soft limit', createError('SOFT_TIME_LIMIT', { task: 'a.task', limitMs: 5 }), { kind: 'dead' }],
    [
      'wrong arguments',
      createError('INVALID_ARGUMENTS', { task: 'a', problems: [], where: 'running' }),
      { kind: 'dead' },
    ],
  ])('%s counts as it does at any time', (_, error, outcome) => {
    expect(decide(error, { stopping })).toMatchObject(outcome);
  });
});
