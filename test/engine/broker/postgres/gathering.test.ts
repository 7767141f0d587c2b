import { expect, test } from 'vitest';
import { gather } from '../../../../src/engine/broker/postgres/gathering.ts';
import { testServers } from '../../../support/brokers.ts';
import { createPostgresDatabase } from '../../../support/postgres-database.ts';
import { createStore, openWorkshop } from '../workshop.ts';

/** Doubles numbers; those below 0 are refused, with all that are asked for together with them. */
function createWork(failure: unknown = Object.assign(new Error('refused'), { code: '22P05' })): {
  double: (item: number) => Promise<number>;
  statements: number[][];
} {
  const statements: number[][] = [];
  const run = async (items: readonly number[]): Promise<number[]> => {
    statements.push([...items]);
    if (items.some((item) => item < 0)) throw failure;
    return items.map((item) => 2 * item);
  };
  const one = async (item: number): Promise<number> => (await run([item]))[0] as number;
  return { double: gather({ one, all: run }), statements };
}

test('what is asked for in one turn is one statement, and each gets its own answer', async () => {
  const { double, statements } = createWork();
  expect(await Promise.all([1, 2, 3].map(double))).toEqual([2, 4, 6]);
  expect(await double(4)).toBe(8);
  expect(statements).toEqual([[1, 2, 3], [4]]);
});

test('what is asked for while two statements are under way goes together into the next one', async () => {
  const gates = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
  const begun = gates.map(() => Promise.withResolvers<void>());
  const statements: number[][] = [];
  const run = async (items: readonly number[]): Promise<number[]> => {
    const at = statements.push([...items]) - 1;
    begun[at]?.resolve();
    await gates[at]?.promise;
    return [...items];
  };
  const give = gather<number, number>({ one: async (item) => (await run([item]))[0] as number, all: run });
  const given = [give(1)];
  await begun[0]?.promise;
  given.push(give(2));
  await begun[1]?.promise;
  given.push(give(3), give(4), give(5));
  gates[0]?.resolve();
  await begun[2]?.promise;
  for (const gate of gates) gate.resolve();
  expect(await Promise.all(given)).toEqual([1, 2, 3, 4, 5]);
  expect(statements).toEqual([[1], [2], [3, 4, 5]]);
});

test('very many are several statements', async () => {
  const { double, statements } = createWork();
  const items = Array.from({ length: 250 }, (_, index) => index);
  expect(await Promise.all(items.map(double))).toEqual(items.map((item) => 2 * item));
  expect(statements.map(({ length }) => length)).toEqual([100, 100, 50]);
});

test('one that is refused fails alone', async () => {
  const { double, statements } = createWork();
  const ends = await Promise.allSettled([1, -2, 3].map(double));
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(statements).toEqual([[1, -2, 3], [1], [-2], [3]]);
});

test('a lost connection fails all of them, and nothing is done a second time', async () => {
  for (const code of ['ECONNRESET', '57P01', '08006', undefined]) {
    const { double, statements } = createWork(Object.assign(new Error('lost'), { code }));
    const ends = await Promise.allSettled([1, -2, 3].map(double));
    expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(statements).toHaveLength(1);
  }
});

test.skipIf(!testServers().canStartPostgres)(
  'of several that add one thing in one turn one does, and what cannot be stored fails alone',
  async () => {
    const { postgresUrl } = testServers();
    const database = await createPostgresDatabase(postgresUrl as string);
    const url = await createStore({ name: 'postgres', createUrl: async () => database.url });
    const { broker, close } = await openWorkshop('postgres', url);
    try {
      const add = (key: string, value: string) => broker.state.write(key, value, { expected: null });
      const [first, second, other, bad] = await Promise.allSettled([
        add('a', 'first'),
        add('a', 'second'),
        add('b', 'other'),
        add('c', 'bad\0'),
      ]);
      const versions = [first, second].map((end) => end.status === 'fulfilled' && end.value);
      expect(versions.filter((version) => version === undefined)).toHaveLength(1);
      expect(other).toMatchObject({ status: 'fulfilled', value: expect.any(String) });
      expect(bad).toMatchObject({ status: 'rejected' });
      expect((await broker.state.list('')).map(({ key }) => key)).toEqual(['a', 'b']);
    } finally {
      await close();
      await database.drop();
    }
  },
);
