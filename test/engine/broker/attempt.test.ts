import { describe, expect, test } from 'vitest';
import { attempt } from '../../../src/engine/broker/attempt.ts';
import type { Store } from '../../../src/engine/broker/store.ts';
import { createError, TqError } from '../../../src/engine/core/errors.ts';

/** A clock that jumps by `stepMs` each time it is asked. */
function createStore({ patienceMs = 1000, stepMs = 0 } = {}): Store {
  let now = 0;
  const monotonic = (): number => {
    now += stepMs;
    return now;
  };
  const clock = { now: monotonic, monotonic };
  return { url: 'redis://:***@h', patienceMs, clock, faultBehind: (error: unknown) => error } as unknown as Store;
}

const away = (): Error => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });

/** Fails with these, one after the other, then gives `done`. */
function failing(...errors: unknown[]): () => Promise<string> {
  return async () => {
    const error = errors.shift();
    if (error !== undefined) throw error;
    return 'done';
  };
}

describe('an operation of a producer', () => {
  test('that was cut is done again', async () => {
    expect(await attempt(createStore(), 'sending', failing(away(), away()))).toBe('done');
  });

  test('fails when the patience is spent, and says what was being done', async () => {
    const store = createStore({ patienceMs: 100, stepMs: 60 });
    const error = await attempt(store, 'sending task "a"', failing(away(), away(), away(), away(), away())).catch(
      (e) => e,
    );
    expect(error).toMatchObject({ code: 'BROKER_UNAVAILABLE', exitCode: 69 });
    expect(error.message).toContain('sending task "a"');
    expect(error.message).toContain('redis://:***@h');
  });

  test('without patience fails at the first cut', async () => {
    await expect(attempt(createStore({ patienceMs: 0 }), 'sending', failing(away()))).rejects.toMatchObject({
      code: 'BROKER_UNAVAILABLE',
    });
  });

  test('that waited for longer than any patience still has all of it when the store goes away', async () => {
    const store = createStore({ patienceMs: 100, stepMs: 3_600_000 });
    expect(await attempt(store, 'waiting', failing(away()))).toBe('done');
  });

  test('that the store refuses fails at once with what the store said', async () => {
    const refused = new Error('WRONGTYPE');
    const error = await attempt(createStore(), 'reading', failing(refused, away())).catch((e) => e);
    expect(error).toBeInstanceOf(TqError);
    expect(error).toMatchObject({ code: 'INTERNAL', cause: refused });
    expect(error.message).toBe('reading on redis://:***@h: WRONGTYPE');
  });

  test('that fails with an error of tq passes it on', async () => {
    const own = createError('UNKNOWN_JOB', { id: 'x' });
    await expect(attempt(createStore(), 'reading', failing(own))).rejects.toBe(own);
  });
});
