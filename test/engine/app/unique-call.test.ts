import { describe, expect, test } from 'vitest';
import type { TaskOptions } from '../../../src/engine/task/definition.ts';
import { setUp } from './setup.ts';

/** The key of a call as it is sent, for a task with this option. */
async function keyOf(
  args: readonly unknown[],
  unique: TaskOptions['unique'],
  call?: boolean | string | number,
): Promise<string | undefined> {
  const { app, broker } = setUp();
  const options: TaskOptions = unique === undefined ? {} : { unique };
  app.task('sync', options, (..._: unknown[]) => undefined);
  await app.send('sync', args, call === undefined ? {} : { unique: call });
  return broker.sent[0]?.unique?.key;
}

describe('the key of a call', () => {
  test('is none without the option, and with unique: false', async () => {
    expect(await keyOf([1], undefined)).toBeUndefined();
    expect(await keyOf([1], true, false)).toBeUndefined();
  });

  test('is made of the arguments, whatever the order of their properties', async () => {
    expect(await keyOf([1, 'a'], true)).toBe('sync [1,"a"]');
    expect(await keyOf([{ b: [{ d: 1, c: 2 }], a: null }], true)).toBe('sync [{"a":null,"b":[{"c":2,"d":1}]}]');
    expect(await keyOf([], true)).toBe('sync []');
  });

  test('is what the key function of the task gives', async () => {
    expect(await keyOf([{ id: 7 }], { key: (({ id }: { id: number }) => id) as never })).toBe('sync 7');
    expect(await keyOf(['a', 2], { key: (...args: unknown[]) => args as never })).toBe('sync ["a",2]');
    expect(await keyOf(['a'], { key: (text: string) => text })).toBe('sync a');
  });

  test('is that of the call, if it has one', async () => {
    expect(await keyOf([1], { key: () => 'of the task' }, 'mine')).toBe('sync mine');
    expect(await keyOf([1], { key: () => 'of the task' }, true)).toBe('sync of the task');
    expect(await keyOf([1], undefined, 42)).toBe('sync 42');
    expect(await keyOf([1], undefined, true)).toBe('sync [1]');
  });

  test('is a hash when it is long or cannot be printed, the same one each time', async () => {
    const long = await keyOf(['x'.repeat(300)], true);
    expect(long).toMatch(/^sync sha256:[\da-f]{64}$/);
    expect(await keyOf(['x'.repeat(300)], true)).toBe(long);
    expect(await keyOf(['x'.repeat(301)], true)).not.toBe(long);
    expect(await keyOf([1], true, 'a\u0007b')).toMatch(/^sync sha256:/);
  });

  test.each([[undefined], [null], ['']])('must not be %j', async (key) => {
    await expect(keyOf([1], { key: () => key as never })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  });

  test('must be JSON', async () => {
    await expect(keyOf([1], { key: () => new Date() as never })).rejects.toMatchObject({ code: 'NOT_JSON' });
    await expect(keyOf([1], { key: () => Number.NaN })).rejects.toMatchObject({ code: 'NOT_JSON' });
  });

  test('must be a text, a number, true or false in the options of a call', async () => {
    await expect(keyOf([1], undefined, {} as never)).rejects.toThrow(
      'unique of a call of task "sync" must be true, false or a key, got {}',
    );
  });

  test('what the key function throws is thrown at the caller, and nothing is sent', async () => {
    const { app, broker } = setUp();
    const unique = { key: () => [].at(0) ?? fail('no id') };
    const task = app.task('sync', { unique }, () => undefined);
    await expect(task.delay()).rejects.toThrow('no id');
    expect(broker.sent).toEqual([]);
  });
});

function fail(message: string): never {
  throw new Error(message);
}

test('a call of a task that may be started only once cannot ask for retries', async () => {
  const { app, broker } = setUp();
  const task = app.task('pay', { delivery: 'at-most-once' }, () => undefined);
  await expect(task.apply([], { retry: { max: 2 } })).rejects.toThrow(
    'retry of a call of task "pay" must be left out with delivery "at-most-once", got a policy of 2 retries',
  );
  await task.apply([], { retry: false });
  expect(broker.sent).toHaveLength(1);
});

describe('who gives the key back', () => {
  const metaOf = async (unique: TaskOptions['unique']): Promise<unknown> => {
    const { app, broker } = setUp();
    await app.task('sync', { ...(unique !== undefined && { unique }) }, () => undefined).delay();
    return [broker.sent[0]?.meta, broker.sent[0]?.unique];
  };

  test('is the store, unless the key has a time or is held until the start: then the worker is told', async () => {
    const key = 'sync []';
    expect(await metaOf(undefined)).toEqual([{}, undefined]);
    expect(await metaOf(true)).toEqual([{}, { key }]);
    expect(await metaOf({ ttl: '1s' })).toEqual([{ uniqueUntil: 'finished' }, { key, ttlMs: 1000 }]);
    expect(await metaOf({ until: 'started' })).toEqual([{ uniqueUntil: 'started' }, { key }]);
    expect(await metaOf({ until: 'started', ttl: 5 })).toEqual([{ uniqueUntil: 'started' }, { key, ttlMs: 5 }]);
  });
});
