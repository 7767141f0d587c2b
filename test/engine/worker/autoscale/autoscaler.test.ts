import { describe, expect, test } from 'vitest';
import { Autoscaler } from '../../../../src/engine/worker/autoscale/autoscaler.ts';
import { KEEP_MS } from '../../../../src/engine/worker/autoscale/decision.ts';

function setUp({ busy = 0, slots = 2 } = {}) {
  const state = { slots, busy, waiting: 0, now: 1000, asked: 0, ended: false, failure: undefined as Error | undefined };
  const troubles: unknown[] = [];
  let look = async (): Promise<void> => {};
  const autoscaler = new Autoscaler({
    bounds: { max: 8, min: 2 },
    clock: { now: () => 0, monotonic: () => state.now },
    readSlots: () => ({ slots: state.slots, busy: state.busy }),
    async countWaiting() {
      state.asked += 1;
      if (state.failure !== undefined) throw state.failure;
      return state.waiting;
    },
    resize(wanted) {
      state.slots = wanted;
    },
    onTrouble: (error) => troubles.push(error),
    repeat(given, everyMs) {
      expect(everyMs).toBe(1000);
      look = given;
      return () => {
        state.ended = true;
      };
    },
  });
  autoscaler.start();
  const pass = async (ms: number): Promise<void> => {
    state.now += ms;
    await look();
  };
  return { state, autoscaler, troubles, pass };
}

describe('autoscale', () => {
  test('grows as soon as all slots are busy and jobs wait, and shrinks after a calm time', async () => {
    const { state, pass } = setUp({ busy: 2 });
    state.waiting = 3;
    await pass(1000);
    expect(state.slots).toBe(5);
    Object.assign(state, { busy: 1, waiting: 0 });
    await pass(KEEP_MS - 1);
    expect(state.slots).toBe(5);
    await pass(1);
    expect(state.slots).toBe(2);
  });

  test('counts the calm time from the last moment at which all slots were busy', async () => {
    const { state, pass } = setUp({ slots: 4, busy: 1 });
    await pass(KEEP_MS - 1);
    state.busy = 4;
    await pass(1000);
    state.busy = 1;
    await pass(KEEP_MS - 1);
    expect(state.slots).toBe(4);
    await pass(1);
    expect(state.slots).toBe(2);
  });

  test('asks the store only while no slot is free and more are allowed', async () => {
    const { state, pass } = setUp({ slots: 4, busy: 3 });
    await pass(1000);
    expect(state.asked).toBe(0);
    state.busy = 4;
    await pass(1000);
    expect(state.asked).toBe(1);
    Object.assign(state, { slots: 8, busy: 8 });
    await pass(1000);
    expect(state.asked).toBe(1);
  });

  test('looks again after the store could not be asked', async () => {
    const { state, pass, troubles } = setUp({ busy: 2 });
    Object.assign(state, { waiting: 1, failure: new Error('away') });
    await pass(1000);
    expect({ slots: state.slots, troubles }).toEqual({ slots: 2, troubles: [state.failure] });
    state.failure = undefined;
    await pass(1000);
    expect(state.slots).toBe(3);
  });

  test('takes new bounds at once', () => {
    const { state, autoscaler } = setUp({ slots: 6, busy: 6 });
    autoscaler.setBounds({ max: 4, min: 1 });
    expect(state.slots).toBe(4);
    expect(autoscaler.bounds).toEqual({ max: 4, min: 1 });
    autoscaler.setBounds({ max: 9, min: 7 });
    expect(state.slots).toBe(7);
  });

  test('ends when it is stopped, and does not begin after that', () => {
    const { state, autoscaler } = setUp();
    autoscaler.stop();
    expect(state.ended).toBe(true);
    autoscaler.stop();
    autoscaler.start();
  });
});
