import { afterEach, expect, test } from 'vitest';
import type { LeasedChore } from '../../../src/engine/worker/leased-chore.ts';
import { createQueueNameWalk } from '../../../src/engine/worker/queue-name-walk.ts';
import { waitFor } from '../../support/wait-for.ts';
import { createFakeState } from '../broker/fake-state.ts';
import { createFakeClock, recordLog } from './recorded.ts';

const chores: LeasedChore[] = [];
afterEach(async () => {
  await Promise.all(chores.splice(0).map((chore) => chore.stop()));
});

/** A broker whose keys are walked in so many steps; a walk that ends makes the next one not due. */
function setUp({ steps = 3, onStep = async () => {} }: { steps?: number; onStep?: () => Promise<void> } = {}) {
  const state = createFakeState();
  const clock = createFakeClock();
  const log = recordLog();
  const seen = { looks: 0, begun: 0, steps: 0, ended: 0, isDue: true };
  const names = {
    async isWalkDue() {
      seen.looks += 1;
      return seen.isDue;
    },
    async *walk() {
      seen.begun += 1;
      for (let step = 0; step < steps; step += 1) {
        await onStep();
        seen.steps += 1;
        yield 0;
      }
      seen.ended += 1;
      seen.isDue = false;
    },
  };
  const start = (worker = 'a'): LeasedChore => {
    const chore = createQueueNameWalk({ broker: { state }, names, clock, logger: log.logger, worker, everyMs: 1 });
    chores.push(chore);
    chore.start();
    return chore;
  };
  return { state, clock, log, seen, names, start };
}

test('walks step by step when a walk is due, and then no more', async () => {
  const { seen, start, log } = setUp();
  start();
  await waitFor('the walk', () => seen.ended === 1);
  const { looks } = seen;
  await waitFor('three more looks', () => seen.looks > looks + 3);
  expect(seen).toMatchObject({ begun: 1, steps: 3, ended: 1 });
  expect(log.messages).toEqual(['the queues of the broker were looked for']);
});

test('is the work of one worker of many', async () => {
  const first = Promise.withResolvers<void>();
  const { seen, start } = setUp({ onStep: () => first.promise });
  start('a');
  start('b');
  await waitFor('several looks', () => seen.looks > 5);
  expect(seen.begun).toBe(1);
  first.resolve();
  await waitFor('the walk', () => seen.ended === 1);
});

test('is not begun when another worker has ended its walk just before', async () => {
  const { state, seen, start } = setUp();
  const { lease } = state;
  state.lease = (...given) => {
    seen.isDue = false;
    return lease(...given);
  };
  start();
  await waitFor('several looks', () => seen.looks > 3);
  expect(seen.begun).toBe(0);
});

test('ends in the middle when the worker stops', async () => {
  const { seen, start } = setUp({ steps: 1_000_000 });
  const chore = start();
  await waitFor('the walk to begin', () => seen.steps > 1);
  await chore.stop();
  expect(seen).toMatchObject({ begun: 1, ended: 0 });
});

test('renews its lease, and ends in the middle once another worker has it', async () => {
  const { state, clock, seen, start } = setUp({ steps: 1_000_000, onStep: async () => clock.advance(20_000) });
  const { lease } = state;
  let leases = 0;
  state.lease = async (key, holder, ttlMs) => {
    leases += 1;
    if (leases === 3) seen.isDue = false;
    return leases < 3 ? await lease(key, holder, ttlMs) : { holder: 'another', leftMs: 1000 };
  };
  start();
  await waitFor('the walk to end', () => leases === 3);
  const { looks } = seen;
  await waitFor('another look', () => seen.looks > looks);
  expect(seen).toMatchObject({ begun: 1, ended: 0, steps: 4 });
});

test('says once that it failed, and tries again', async () => {
  const { seen, names, start, log } = setUp();
  const { isWalkDue } = names;
  let failures = 3;
  names.isWalkDue = async () => {
    failures -= 1;
    if (failures >= 0) throw new Error('no');
    return await isWalkDue();
  };
  start();
  await waitFor('the walk', () => seen.ended === 1);
  expect(log.messages.filter((message) => message.includes('could not be looked for'))).toHaveLength(1);
});
