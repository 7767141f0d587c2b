import { expect, test } from 'vitest';
import { createLocalLine, createRateGate, SLOT_WAIT_MS } from '../../../../src/engine/worker/admission/rate-gate.ts';
import { createFakeClock, type FakeClock } from '../recorded.ts';

const MINUTE_MS = 60_000;

function setUp(rate = { count: 1, periodMs: MINUTE_MS }) {
  const clock: FakeClock = createFakeClock();
  const gate = createRateGate(rate, { line: createLocalLine(clock), gate: createLocalLine(clock) });
  return { clock, fresh: () => gate.pass(false), returning: () => gate.pass(true) };
}

test('the first job starts, the next ones are held until instants of their own', async () => {
  const { fresh } = setUp();
  expect([await fresh(), await fresh(), await fresh(), await fresh()]).toEqual([
    undefined,
    MINUTE_MS,
    2 * MINUTE_MS,
    3 * MINUTE_MS,
  ]);
});

test('a job that comes back to its instant starts, before one that is new', async () => {
  const { clock, fresh, returning } = setUp();
  await fresh();
  expect(await fresh()).toBe(MINUTE_MS);
  clock.advance(MINUTE_MS);
  expect(await fresh()).toBe(MINUTE_MS);
  expect(await returning()).toBeUndefined();
});

test('a new job goes behind those that are held already', async () => {
  const { clock, fresh, returning } = setUp();
  for (let job = 0; job < 3; job += 1) await fresh();
  clock.advance(MINUTE_MS);
  expect(await fresh()).toBe(2 * MINUTE_MS);
  expect(await returning()).toBeUndefined();
  expect(await returning()).toBe(3 * MINUTE_MS);
});

test('many that come back at once start one by one, each moved once more', async () => {
  const { fresh, returning } = setUp();
  await fresh();
  const holds: (number | undefined)[] = [];
  for (let job = 0; job < 5; job += 1) holds.push(await returning());
  expect(holds).toEqual([1, 2, 3, 4, 5].map((minutes) => minutes * MINUTE_MS));
});

test('a job that comes a little late costs the ones after it nothing', async () => {
  const { clock, fresh, returning } = setUp({ count: 1, periodMs: 1000 });
  for (let job = 0; job < 4; job += 1) await fresh();
  const lateMs = [80, 10, 0];
  let at = 0;
  for (const [index, late] of lateMs.entries()) {
    const arrival = (index + 1) * 1000 + late;
    clock.advance(arrival - at);
    at = arrival;
    expect(await returning()).toBeUndefined();
  }
});

test('a short wait is waited for in the slot', async () => {
  const { fresh } = setUp({ count: 1000, periodMs: 20_000 });
  expect(await fresh()).toBeUndefined();
  expect(await fresh()).toBeUndefined();
  expect(SLOT_WAIT_MS).toBeGreaterThanOrEqual(20);
});

test('starts never come closer than the rate allows, whatever comes when', async () => {
  const { clock, fresh, returning } = setUp({ count: 10, periodMs: 10_000 });
  const starts: number[] = [];
  const due: number[] = [];
  let seed = 1;
  const random = (): number => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  for (let now = 0; now < 200_000; now += 100) {
    const returningNow = due.filter((at) => at <= now && random() < 0.7);
    for (const at of returningNow) due.splice(due.indexOf(at), 1);
    const waits = [];
    for (const _ of returningNow) waits.push(await returning());
    if (random() < 0.15) waits.push(await fresh());
    for (const waitMs of waits) {
      if (waitMs === undefined) starts.push(now);
      else due.push(now + waitMs);
    }
    clock.advance(100);
  }
  expect(starts.length).toBeGreaterThan(100);
  // In any window of n periods there is one start more than n at most.
  for (const [first, from] of starts.entries()) {
    const within = starts.slice(first).filter((at) => at < from + 10_000 - 100).length;
    expect(within).toBeLessThanOrEqual(10);
  }
});
