import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRedisUrl, testServers } from '../../../support/brokers.ts';
import { fakeDate, releaseDate } from './differential/clock.ts';
import { compare, type Pair } from './differential/comparison.ts';
import { COUNTEREXAMPLES } from './differential/counterexamples.ts';
import { formatDifferences } from './differential/difference.ts';
import { createRedisStore } from './differential/redis-store.ts';
import { describeCounterexample, findDisagreement } from './differential/search.ts';
import { createSqliteStore } from './differential/sqlite-store.ts';
import type { Store } from './differential/store.ts';

/**
 * The measure of the SQLite backend is BullMQ's own behaviour: fast-check draws sequences of calls of BullMQ's classes, each
 * is run on Redis and on SQLite with one clock, and all that can be seen of both must be the same after each call: results,
 * errors, states, orders, counts, jobs and events.
 *
 * Every run of the tests draws 150 sequences of up to 60 calls. The long run:
 *
 *     TQ_DIFFERENTIAL_RUNS=2000 TQ_DIFFERENTIAL_SEED=2000 npx vitest run test/engine/broker/sqlite/differential.test.ts
 *
 * A difference is cut down and printed as a literal, which goes into counterexamples.ts with a name of its own.
 * What is not compared, and why, stands at the head of observation.ts.
 */
const RUNS = Number(process.env['TQ_DIFFERENTIAL_RUNS'] ?? 150);
const SEED = Number(process.env['TQ_DIFFERENTIAL_SEED'] ?? 60);
const MAX_LENGTH = 60;

describe.skipIf(!testServers().redisUrl)('SQLite and Redis', () => {
  const stores: Store[] = [];
  let prefix = '';
  let runs = 0;

  function pairOf(subject: Store): Pair {
    const [reference] = stores as [Store];
    return { reference, subject, createPrefix: () => `${prefix}-${runs++}` };
  }

  function createRedis(name: string): Store {
    const url = new URL(createRedisUrl());
    prefix = url.searchParams.get('prefix') ?? '';
    url.search = '';
    const store = createRedisStore(name, url.href);
    stores.push(store);
    return store;
  }

  beforeAll(() => {
    fakeDate();
    createRedis('redis');
  });

  afterAll(async () => {
    releaseDate();
    await Promise.all(stores.map((store) => store.close()));
  });

  test(`agree on ${RUNS} sequences of up to ${MAX_LENGTH} calls`, { timeout: 60_000 + RUNS * 1000 }, async () => {
    const pair = pairOf(createSqliteStore());
    const found = await findDisagreement(pair, { runs: RUNS, seed: SEED, maxLength: MAX_LENGTH });
    expect.assert(!found, found && describeCounterexample(pair, found));
  });

  test.each(COUNTEREXAMPLES)('agree: $title', async ({ operations }) => {
    const found = await compare(pairOf(createSqliteStore()), operations, { thorough: true });
    expect.assert(
      !found,
      found && `after ${found.operation.op}:\n${formatDifferences(found.differences, 'redis', 'sqlite')}`,
    );
  });

  describe('the comparison', () => {
    test('finds no difference between Redis and itself', async () => {
      const pair = pairOf(createRedis('redis again'));
      expect(await findDisagreement(pair, { runs: 20, seed: SEED, maxLength: MAX_LENGTH })).toBeUndefined();
    });

    test('finds a fault and cuts the sequence down to it', async () => {
      const pair = pairOf(withoutFetchNext(createRedis('faulty redis')));
      const found = await findDisagreement(pair, { runs: 200, seed: SEED, maxLength: MAX_LENGTH, shrinkMs: 0 });
      expect(found?.operations.length).toBeLessThanOrEqual(4);
      expect(found && describeCounterexample(pair, found)).toMatch(
        /fetchNext: true[\s\S]*\n {2}outcome[\s\S]*faulty redis/,
      );
    });
  });
});

/** A store whose workers get no next job with the end of one. */
function withoutFetchNext(store: Store): Store {
  return {
    ...store,
    createBackend: (...args) => {
      const backend = store.createBackend(...args);
      const { moveToCompleted } = backend;
      backend.moveToCompleted = (job, value, keep, token) =>
        moveToCompleted.call(backend, job, value, keep, token, false) as never;
      return backend;
    },
  };
}
