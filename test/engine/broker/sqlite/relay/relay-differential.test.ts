import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testServers } from '../../../../support/brokers.ts';
import { beginLife, type Life, type Operation, observe, operations, perform } from './relay-operations.ts';
import { type RelayStore, relayStoresUnderTest } from './relay-store.ts';
import { openRelayWorkshop } from './relay-workshop.ts';

/** TQ_DIFFERENTIAL_RUNS is how many sequences are drawn; TQ_DIFFERENTIAL_SEED repeats a draw. */
const RUNS = Number(process.env['TQ_DIFFERENTIAL_RUNS'] ?? 40);
const SEED = process.env['TQ_DIFFERENTIAL_SEED'];

/** The longest a run of one sequence may take on a machine that is busy with other things. */
const RUN_CEILING_MS = 20_000;

async function openStores(): Promise<Record<'redis' | 'sqlite', RelayStore>> {
  const open = (name: string) =>
    relayStoresUnderTest()
      .find((store) => store.name === name)
      ?.open();
  const [redis, sqlite] = await Promise.all([open('redis'), open('sqlite')]);
  if (redis === undefined || sqlite === undefined) throw new Error('both stores are needed');
  return { redis, sqlite };
}

/** Runs a sequence on both stores, one operation at a time, and fails at the first that makes a difference. */
async function compare(stores: Record<'redis' | 'sqlite', RelayStore>, sequence: readonly Operation[]): Promise<void> {
  const [redis, sqlite] = await Promise.all([openRelayWorkshop(stores.redis), openRelayWorkshop(stores.sqlite)]);
  try {
    const lives: [Life, Life] = [beginLife(redis), beginLife(sqlite)];
    for (const [index, operation] of sequence.entries()) {
      const [expected, got] = await Promise.all(
        lives.map(async (life) => ({ gave: await perform(life, operation), seen: await observe(life) })),
      );
      expect(got, `after operation ${index}, ${JSON.stringify(operation)}`).toEqual(expected);
    }
  } finally {
    await Promise.all([redis.close(), sqlite.close()]);
  }
}

describe.skipIf(testServers().redisUrl === null)('against Redis', () => {
  let stores: Record<'redis' | 'sqlite', RelayStore>;
  let keepOpen: (() => Promise<void>) | undefined;
  beforeAll(async () => {
    stores = await openStores();
    // So that the file is not opened anew for each sequence.
    const keeper = stores.sqlite.createBackend({ namespace: 'keeper' });
    await keeper.waitUntilReady();
    keepOpen = () => keeper.close();
  });
  afterAll(() => keepOpen?.());

  test(
    'whatever is done to a relay, SQLite gives and shows what Redis does',
    async () => {
      const property = fc.asyncProperty(
        fc.array(operations, { minLength: 5, maxLength: 40, size: 'max' }),
        (sequence) => compare(stores, sequence),
      );
      await fc.assert(property, { numRuns: RUNS, ...(SEED !== undefined && { seed: Number(SEED) }) });
    },
    RUNS * RUN_CEILING_MS,
  );
});
