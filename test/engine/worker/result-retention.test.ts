import { expect, test } from 'vitest';
import type { LeasedChore } from '../../../src/engine/worker/leased-chore.ts';
import { createResultRetention } from '../../../src/engine/worker/result-retention.ts';
import { createFakeState } from '../broker/fake-state.ts';
import { FakeResultStore } from './fake-result-store.ts';
import { createFakeClock, recordLog } from './recorded.ts';

const AT = 1_700_000_000_000;

function setUp(limits: { maxAgeMs?: number; maxCount?: number } = {}) {
  const store = new FakeResultStore();
  const state = createFakeState();
  const log = recordLog();
  const { logger } = log;
  const create = (worker: string): LeasedChore =>
    createResultRetention({ store, state, clock: createFakeClock(AT), logger, worker, everyMs: 1, ...limits });
  /** Resolves with the n-th purge from now. */
  const purged = (count: number): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const until = store.purges.length + count;
    const before = store.onPurge;
    store.onPurge = async (options) => {
      const removed = await before(options);
      if (store.purges.length === until) resolve();
      return removed;
    };
    return promise;
  };
  return { store, state, create, purged, log };
}

test('removes what is too old and too much, batch by batch until little is left', async () => {
  const { store, create, purged } = setUp({ maxAgeMs: 60_000, maxCount: 10 });
  const left = [1000, 1000, 7];
  store.onPurge = () => left.shift() ?? 0;
  const done = purged(3);
  const retention = create('a');
  retention.start();
  await done;
  await retention.stop();
  expect(store.purges.slice(0, 3)).toEqual(Array(3).fill({ finishedBy: AT - 60_000, keep: 10, limit: 1000 }));
});

test('is the work of one worker at a time, and of the next when that one has stopped', async () => {
  const { store, state, create, purged } = setUp();
  const first = create('a');
  const started = purged(1);
  first.start();
  await started;
  const leases: string[] = [];
  const { lease } = state;
  const refused = Promise.withResolvers<void>();
  state.lease = async (key, holder, ttlMs) => {
    const held = await lease(key, holder, ttlMs);
    if (holder.startsWith('b')) {
      leases.push(held.holder);
      refused.resolve();
    }
    return held;
  };
  const second = create('b');
  second.start();
  await refused.promise;
  expect(leases[0]).toMatch(/^a /);
  await first.stop();
  const taken = purged(1);
  await taken;
  expect(leases.at(-1)).toMatch(/^b /);
  await second.stop();
  expect(store.purges.length).toBeGreaterThan(1);
});

test('goes on after a failure, and says it once', async () => {
  const { store, create, log } = setUp();
  let fails = 3;
  store.onPurge = () => {
    fails -= 1;
    if (fails >= 0) throw new Error('away');
    return 0;
  };
  const retention = create('a');
  const { promise, resolve } = Promise.withResolvers<void>();
  const before = store.onPurge;
  store.onPurge = (options) => {
    if (fails < 0) resolve();
    return before(options);
  };
  retention.start();
  await promise;
  await retention.stop();
  expect(log.messages).toEqual(['old results could not be removed; it is tried again']);
});
