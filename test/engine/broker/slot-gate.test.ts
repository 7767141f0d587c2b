import { describe, expect, test } from 'vitest';
import { createSlotGate, type SlotGate } from '../../../src/engine/broker/slot-gate.ts';
import { createSlots, type Slots } from '../../../src/engine/broker/slots.ts';
import { createFakeBackend, type FakeBackend, gives, NO_JOB } from './fake-backend.ts';

interface Setup {
  readonly gate: SlotGate;
  readonly slots: Slots;
  readonly store: FakeBackend;
  /** Asks for a job as BullMQ's loop does; the id of what came. */
  fetch(): Promise<string | null>;
  /** Waits as BullMQ's loop does; true for "look now". */
  wait(): Promise<boolean>;
}

function setup({ slots: total = 1, isLate = false } = {}): Setup {
  const slots = createSlots(total, 'strict', [
    { name: 'high', weight: 1 },
    { name: 'mine', weight: 1 },
  ]);
  const store = createFakeBackend(['moveToActive', 'waitForJob', 'disconnectBlocking', 'reconnectBlocking', 'close']);
  const gate = createSlotGate(store.backend, 'mine', slots, isLate);
  return {
    gate,
    slots,
    store,
    async fetch() {
      const [job, id] = await gate.backend.moveToActive('token', 'worker');
      return job === null ? null : String(id);
    },
    wait: async () => (await gate.backend.waitForJob(5)) !== null,
  };
}

describe('the gate of one queue', () => {
  test('asks the store with a slot in hand, and leaves the slot to the job', async () => {
    const { fetch, slots, store, gate } = setup();
    store.answers.set('moveToActive', [gives('1')]);
    expect(await fetch()).toBe('1');
    expect(slots.free).toBe(0);
    expect(gate.takeReservation('1')).toBe(false);
  });

  test('gives the slot back when the store has no job', async () => {
    const { fetch, slots, store } = setup();
    store.answers.set('moveToActive', [NO_JOB]);
    expect(await fetch()).toBeNull();
    expect(slots.free).toBe(1);
  });

  test('gives the slot back when the store fails', async () => {
    const { fetch, slots, store } = setup();
    store.answers.set('moveToActive', [new Error('away')]);
    await expect(fetch()).rejects.toThrow('away');
    expect(slots.free).toBe(1);
  });

  test('does not ask the store while all slots are used, and then waits for a slot and not for a job', async () => {
    const { fetch, wait, slots, store } = setup();
    slots.tryTake('high');
    expect(await fetch()).toBeNull();
    const waiting = wait();
    slots.release('high');
    expect(await waiting).toBe(true);
    expect(slots.free).toBe(0);
    store.answers.set('moveToActive', [gives('1')]);
    expect(await fetch()).toBe('1');
    expect(slots.free).toBe(0);
    expect(store.asked).toEqual(['moveToActive']);
  });

  test('waits in the store when the store itself had no job', async () => {
    const { fetch, wait, store } = setup();
    store.answers.set('moveToActive', [NO_JOB]);
    await fetch();
    store.answers.set('waitForJob', [null]);
    expect(await wait()).toBe(false);
    expect(store.asked).toEqual(['moveToActive', 'waitForJob']);
  });

  test('stands in line after a job, because its queue may hold more', async () => {
    const { fetch, wait, slots, store } = setup();
    store.answers.set('moveToActive', [gives('1'), gives('2')]);
    await fetch();
    slots.release('mine');
    expect(await wait()).toBe(true);
    expect(await fetch()).toBe('2');
    expect(store.asked).toEqual(['moveToActive', 'moveToActive']);
  });

  test('lets one job through without a slot when it has consumed the wake-up, and says that it is reserved', async () => {
    const { fetch, wait, slots, store, gate } = setup();
    store.answers.set('moveToActive', [NO_JOB, gives('7'), gives('8')]);
    store.answers.set('waitForJob', [
      () => {
        slots.tryTake('high');
        return { member: '0', score: 0 };
      },
    ]);
    await fetch();
    expect(await wait()).toBe(true);
    expect(slots.free).toBe(0);
    expect(await fetch()).toBe('7');
    expect(gate.takeReservation('7')).toBe(true);
    expect(gate.takeReservation('7')).toBe(false);
    expect(await fetch()).toBeNull();
    expect(store.asked).toEqual(['moveToActive', 'waitForJob', 'moveToActive']);
  });

  test('a wake-up for a job that is gone takes no slot', async () => {
    const { fetch, wait, slots, store } = setup();
    store.answers.set('moveToActive', [NO_JOB, NO_JOB]);
    store.answers.set('waitForJob', [{ member: '0', score: 0 }]);
    await fetch();
    await wait();
    expect(await fetch()).toBeNull();
    expect(slots.free).toBe(1);
  });

  test('stops waiting for a slot when the worker stops, and takes none', async () => {
    const { fetch, wait, slots, gate } = setup();
    slots.tryTake('high');
    await fetch();
    const waiting = wait();
    await gate.backend.disconnectBlocking();
    expect(await waiting).toBe(false);
    slots.release('high');
    expect(slots.free).toBe(1);
  });

  test('waits for slots again after a reconnect', async () => {
    const { fetch, wait, slots, gate } = setup();
    slots.tryTake('high');
    await fetch();
    await gate.backend.disconnectBlocking();
    await gate.backend.reconnectBlocking();
    const waiting = wait();
    slots.release('high');
    expect(await waiting).toBe(true);
  });

  test('gives back a slot that was granted and not used when it closes', async () => {
    const { fetch, wait, slots, gate } = setup();
    slots.tryTake('high');
    await fetch();
    const waiting = wait();
    slots.release('high');
    await waiting;
    expect(slots.free).toBe(0);
    await gate.backend.close();
    expect(slots.free).toBe(1);
  });
});

describe('a gate that comes while its queue is served', () => {
  test('knows that a job which did not pass it has no slot', async () => {
    const { fetch, gate, slots, store } = setup({ isLate: true });
    expect(gate.takeReservation('fetched before')).toBe(true);
    store.answers.set('moveToActive', [gives('1')]);
    await fetch();
    expect([gate.takeReservation('1'), slots.free]).toEqual([false, 0]);
  });

  test('lets one job through for a marker that may have been consumed before it came', async () => {
    const { fetch, gate, slots, store } = setup({ isLate: true });
    slots.tryTake('high');
    store.answers.set('moveToActive', [gives('1'), gives('2')]);
    expect(await fetch()).toBe('1');
    expect(gate.takeReservation('1')).toBe(true);
    expect(await fetch()).toBeNull();
  });
});
