import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openResultStore } from '../../../../src/engine/broker/result-store/open-result-store.ts';
import type { NewResultRow, ResultRow, ResultStore } from '../../../../src/engine/broker/result-store/result-port.ts';
import { readHistory } from '../../../../src/engine/results/result-history.ts';
import { createFakeClock } from '../../worker/recorded.ts';
import { AT, createRow, openMigrated, resultStoresUnderTest } from './result-stores.ts';

describe.each(resultStoresUnderTest())('results in $name', ({ name, createUrl }) => {
  let url: string;
  let store: ResultStore;
  const clock = createFakeClock(AT);
  beforeEach(async () => {
    url = await createUrl();
    store = await openMigrated(url, clock);
  });
  afterEach(() => store.close());

  const collect = async (where?: string, sort?: string): Promise<string[]> => {
    const ids: string[] = [];
    const options = { ...(where !== undefined && { where }), ...(sort !== undefined && { sort }) };
    for await (const row of readHistory(async () => store, clock, options)) ids.push(row.id);
    return ids;
  };

  test('are read as they were written', async () => {
    const error = { name: 'TypeError', message: 'no "such" host', code: 'ENOTFOUND', stack: 'TypeError: no\n  at x' };
    const facts: Partial<NewResultRow> = {
      ...{ state: 'FAILURE', error, reason: 'why', attempts: 3, parentId: 'p', workflowId: 'w', expiresAt: AT + 1 },
    };
    await store.write([createRow({ ...facts, progressJson: '{"done":1}', resultJson: 'null' })]);
    const { argsJson: _a, resultJson: _r, progressJson: _p, ...rest } = createRow(facts);
    const row: ResultRow = { ...rest, args: [{ to: 'a@b.c' }], result: null, progress: { done: 1 } };
    expect(await store.read('job-1')).toEqual([row]);
    expect(await store.read('nope')).toEqual([]);
  });

  test('keep every value that JSON has, and what a text cannot hold is made visible', async () => {
    const values = [null, 0, -1.5e300, '', '\0 and \ud800', '"\\', '日本 🎉', { a: [{}] }, 'x'.repeat(200_000)];
    await store.write(values.map((value, index) => createRow({ id: `v${index}`, resultJson: JSON.stringify(value) })));
    const found = await Promise.all(values.map(async (_, index) => (await store.read(`v${index}`))[0]?.result));
    expect(found).toEqual(values);
    const error = { name: 'E', message: 'a\0b\ud800', code: null, stack: null };
    await store.write([createRow({ id: 'odd', state: 'FAILURE', error })]);
    expect((await store.read('odd'))[0]?.error).toEqual({ ...error, message: 'a\\0b\ufffd' });
  });

  test('take names of any length, cut to what an index can hold', async () => {
    const long = '日'.repeat(5000);
    await store.write([createRow({ id: 'x', queue: long, task: long, requestId: long, rootId: long, worker: long })]);
    const [row] = await store.read('x');
    expect([row?.queue, row?.task, row?.requestId].map((text) => text?.length)).toEqual([300, 800, 800]);
  });

  test('withhold arguments that are not given', async () => {
    await store.write([createRow({ argsJson: null })]);
    expect(await store.read('job-1')).toMatchObject([{ args: null, result: { sent: 1 } }]);
  });

  test('change nothing when the same row is written again, and the later attempt wins in any order', async () => {
    const first = createRow({ startedAt: AT - 900, attempts: 1, resultJson: '1' });
    await store.write([first]);
    await store.write([{ ...first, resultJson: '"again"' }]);
    expect(await store.read('job-1')).toMatchObject([{ result: 1 }]);
    await store.write([createRow({ startedAt: AT - 100, attempts: 2, resultJson: '2' })]);
    await store.write([{ ...first, resultJson: '"late"' }]);
    expect(await store.read('job-1')).toMatchObject([{ attempts: 2, result: 2 }]);
  });

  test('of one id in two queues are two rows', async () => {
    await store.write([createRow({ id: '7', queue: 'a' }), createRow({ id: '7', queue: 'b' })]);
    expect((await store.read('7')).map(({ queue }) => queue)).toEqual(['a', 'b']);
    expect(await store.read('7', 'b')).toMatchObject([{ queue: 'b' }]);
    expect(await store.remove('7', 'a')).toBe(1);
    expect(await store.remove('7')).toBe(1);
    expect(await store.read('7')).toEqual([]);
  });

  test('are not seen when their time is over, and are then removed', async () => {
    await store.write([createRow({ id: 'brief', expiresAt: AT + 1000 }), createRow({ id: 'lasting' })]);
    expect(await collect()).toHaveLength(2);
    const later = await openResultStore(url, { clock: createFakeClock(AT + 1000) });
    expect(await later.read('brief')).toEqual([]);
    expect(await later.purge({ limit: 10 })).toBe(1);
    await later.close();
    expect(await collect()).toEqual(['lasting']);
  });

  test('are removed by age and by count, the oldest first, no more than asked for at once', async () => {
    await store.write(Array.from({ length: 20 }, (_, index) => createRow({ id: `r${index}`, finishedAt: AT + index })));
    expect(await store.purge({ finishedBy: AT + 4, limit: 3 })).toBe(3);
    expect(await store.purge({ finishedBy: AT + 4, limit: 10 })).toBe(2);
    expect(await store.purge({ finishedBy: AT + 4, limit: 10 })).toBe(0);
    expect(await store.purge({ keep: 4, limit: 100 })).toBe(11);
    expect(await store.purge({ keep: 4, limit: 100 })).toBe(0);
    expect(await collect()).toEqual(['r19', 'r18', 'r17', 'r16']);
  });

  test('are listed page by page in every order, none twice and none left out', async () => {
    const rows = Array.from({ length: 1203 }, (_, index) =>
      createRow({
        id: `r${String(index).padStart(4, '0')}`,
        // Many have ended in the same millisecond.
        ...{ finishedAt: AT + Math.floor(index / 100), createdAt: AT - index, durationMs: index % 7 },
      }),
    );
    await store.write(rows);
    const ids = rows.map(({ id }) => id);
    expect(await collect()).toEqual(ids.toReversed());
    expect(await collect(undefined, 'finished')).toEqual(ids);
    expect(await collect(undefined, 'created')).toEqual(ids.toReversed());
    expect((await collect(undefined, '-duration')).toSorted()).toEqual(ids);
    expect(await collect('attempts>1')).toEqual([]);
  });

  describe('are found by', () => {
    const error = { name: 'FetchError', message: 'Time_Out of 100%', code: null, stack: null };
    beforeEach(() =>
      store.write([
        createRow({ id: 'a', task: 'email.send', queue: 'high', finishedAt: AT - 60_000, rootId: 'r', requestId: 'q' }),
        createRow({ id: 'b', task: 'email.list', state: 'FAILURE', error, attempts: 3, durationMs: 5000, rootId: 'r' }),
        createRow({ id: 'c', task: 'Email.send', state: 'REVOKED', reason: 'expired', parentId: 'a', workflowId: 'w' }),
        createRow({ id: 'd', task: 'image[1].a%b_c', queue: 'low', worker: 'w2', finishedAt: AT - 3_600_000 }),
        createRow({ id: 'e', task: 'é.task', error: { ...error, message: 'ÉCHEC' }, state: 'FAILURE' }),
      ]),
    );

    test.each([
      ['state:failure', ['e', 'b']],
      ['state:*e*', ['e', 'c', 'b', 'a', 'd']],
      ['state:s*', ['a', 'd']],
      ['-state:success', ['e', 'c', 'b']],
      ['task:email.*', ['b', 'a']],
      ['task:"email.*"', []],
      ['task:image[1].*', ['d']],
      ['task:*a%b?c', ['d']],
      ['task:*a_b?c', []],
      ['task~SEND', ['c', 'a']],
      ['task:?mail.send', ['c', 'a']],
      ['error~time_out', ['b']],
      ['error~"100%"', ['b']],
      ['error~timexout', []],
      ['error~échec', ['e']],
      ['-error~échec', ['c', 'b', 'a', 'd']],
      ['error:*', ['e', 'b']],
      ['-error:*', ['c', 'a', 'd']],
      ['-error~fetch', ['c', 'a', 'd']],
      ['queue:high OR queue:low', ['a', 'd']],
      ['error~échec OR queue:low', ['e', 'd']],
      ['attempts>=3', ['b']],
      ['attempts:1 duration<2s', ['e', 'c', 'a', 'd']],
      ['duration>=5s', ['b']],
      ['age<2m', ['e', 'c', 'b', 'a']],
      ['age>=1h', ['d']],
      ['requestId:q', ['a']],
      ['rootId:r', ['b', 'a']],
      ['parentId:a', ['c']],
      ['workflowId:w', ['c']],
      ['-workflowId:w', ['e', 'b', 'a', 'd']],
      ['reason~EXP', ['c']],
      ['worker:w2', ['d']],
      ['id:a', ['a']],
      ['-(task:email.* OR queue:low)', ['e', 'c']],
      ["task:x' id:a", []],
    ])('%s', async (where, ids) => {
      expect(await collect(where)).toEqual(ids);
    });
  });

  test('that are damaged in the making are not half there', async () => {
    await expect(store.write([createRow({ id: 'x' }), createRow({ id: 'y', task: null as never })])).rejects.toThrow();
    expect(await collect()).toEqual([]);
  });

  test('say what they are kept in', async () => {
    expect(await store.describe()).toMatch(name === 'postgres' ? /^PostgreSQL \d+/ : /^SQLite 3\./);
    expect(store.url).not.toContain('tq-test');
  });
});
