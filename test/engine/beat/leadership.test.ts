import { expect, test } from 'vitest';
import { Leadership } from '../../../src/engine/beat/leadership.ts';
import { createFakeState } from '../broker/fake-state.ts';
import { SimulatedTime } from './simulated-time.ts';

const LEASE_MS = 15_000;
const RENEW_MS = 5000;

function setUp() {
  const time = new SimulatedTime(Date.parse('2026-03-01T12:00Z'));
  const state = createFakeState(() => time.clock.now());
  let isAway = false;
  let answerMs = 0;
  const reachable = {
    lease: async (...args: Parameters<typeof state.lease>) => {
      if (isAway) throw new Error('away');
      const answer = await state.lease(...args);
      time.jump(answerMs);
      return answer;
    },
    release: state.release,
  };
  const create = (holder: string) => {
    const events: string[] = [];
    const process = time.createOwner();
    const leadership = new Leadership({
      state: reachable,
      clock: time.clock,
      holder,
      leaseMs: LEASE_MS,
      renewMs: RENEW_MS,
      retryMs: 1000,
      setTimer: process.setTimer,
      onWon: () => events.push('won'),
      onLost: (leader) => events.push(`lost to ${leader}`),
      onAnswer: () => {},
      onTrouble: () => events.push('trouble'),
    });
    return { leadership, process, events };
  };
  const setAway = (away: boolean): void => {
    isAway = away;
  };
  const slowDown = (ms: number): void => {
    answerMs = ms;
  };
  return { time, state, create, setAway, slowDown };
}

test('of several beats one leads, as long as it renews its lease', async () => {
  const { time, create } = setUp();
  const [one, other] = [create('one'), create('other')];
  await one.leadership.start();
  await other.leadership.start();
  for (let minute = 0; minute < 60; minute += 1) {
    await time.runFor(60_000);
    expect([one.leadership.leads(), other.leadership.leads()]).toEqual([true, false]);
  }
  expect(other.leadership.leader).toBe('one');
});

test('a standby leads as soon as the lease of a leader that died has run out', async () => {
  const { time, create } = setUp();
  const [one, other] = [create('one'), create('other')];
  await one.leadership.start();
  await other.leadership.start();
  await time.runFor(RENEW_MS);
  one.process.kill();
  await time.runFor(LEASE_MS - 1);
  expect(other.leadership.leads()).toBe(false);
  await time.runFor(100);
  expect(other.leadership.leads()).toBe(true);
});

test('a leader that stops gives its lease back, and the standby leads when it asks next', async () => {
  const { time, create } = setUp();
  const [one, other] = [create('one'), create('other')];
  await one.leadership.start();
  await other.leadership.start();
  await one.leadership.stop();
  expect(one.leadership.leads()).toBe(false);
  await time.runFor(RENEW_MS);
  expect(other.leadership.leads()).toBe(true);
});

test('a leader that was suspended for longer than its lease does not lead when it wakes, and stands by when it has asked', async () => {
  const { time, create } = setUp();
  const [one, other] = [create('one'), create('other')];
  await one.leadership.start();
  await other.leadership.start();
  one.process.suspend();
  await time.runFor(60_000);
  one.process.wake();
  expect(one.leadership.leads()).toBe(false);
  await time.runFor(1);
  expect(one.leadership.leads()).toBe(false);
  expect(one.events).toEqual(['won', 'lost to undefined']);
  expect(other.leadership.leads()).toBe(true);
});

test('a leader whose machine slept, so that only the wall clock went on, does not lead until it has asked', async () => {
  const { time, create } = setUp();
  const { leadership, events } = create('one');
  await leadership.start();
  time.jump(LEASE_MS);
  expect(leadership.leads()).toBe(false);
  await time.runFor(RENEW_MS);
  expect(leadership.leads()).toBe(true);
  expect(events).toEqual(['won', 'lost to undefined', 'won']);
});

test('a clock that is set back takes no lease and gives none', async () => {
  const { time, state, create } = setUp();
  const { leadership, events } = create('one');
  await leadership.start();
  await state.release('schedule/leader', 'one');
  time.jump(-3_600_000);
  expect(leadership.leads()).toBe(true);
  await state.lease('schedule/leader', 'other', LEASE_MS);
  await time.runFor(RENEW_MS);
  expect(leadership.leads()).toBe(false);
  expect(events).toEqual(['won', 'lost to other']);
});

test('while the broker is away trust ends before the lease does, and one leads when the broker is back', async () => {
  const { time, create, setAway } = setUp();
  const [one, other] = [create('one'), create('other')];
  await one.leadership.start();
  await other.leadership.start();
  setAway(true);
  await time.runFor(LEASE_MS - 1);
  expect(one.leadership.leads()).toBe(false);
  await time.runFor(60_000);
  expect([one.leadership.leads(), other.leadership.leads()]).toEqual([false, false]);
  setAway(false);
  await time.runFor(2 * RENEW_MS);
  expect([one.leadership.leads(), other.leadership.leads()].filter(Boolean)).toHaveLength(1);
});

test('an answer that took longer than the lease is no word to lead by, and it is asked for anew', async () => {
  const { time, create, slowDown } = setUp();
  const { leadership, events } = create('one');
  slowDown(LEASE_MS);
  await leadership.start();
  expect(leadership.leads()).toBe(false);
  expect(events).toEqual([]);
  slowDown(0);
  await time.runFor(1);
  expect(leadership.leads()).toBe(true);
});

test('a leader that stops does not lead from then on, whatever the store answers', async () => {
  const { time, create, setAway } = setUp();
  const { leadership } = create('one');
  await leadership.start();
  setAway(true);
  const stopping = leadership.stop();
  expect(leadership.leads()).toBe(false);
  await stopping;
  await time.runFor(60_000);
  expect(leadership.leads()).toBe(false);
});

test('a beat that stops while it asks gives back the lease that it gets', async () => {
  const { time, create } = setUp();
  const [one, other] = [create('one'), create('other')];
  const starting = one.leadership.start();
  await Promise.all([one.leadership.stop(), starting]);
  await one.leadership.start();
  await other.leadership.start();
  expect(other.leadership.leads()).toBe(true);
  await time.runFor(LEASE_MS);
  expect(one.events).toEqual([]);
});
