import { describe, expect, test } from 'vitest';
import { goOnByRule, walkChain } from '../../../src/engine/broker/chain-step.ts';
import { toFiringOptions, toTemplate } from '../../../src/engine/broker/firing-options.ts';
import type { NextFiring, ScheduleStore } from '../../../src/engine/broker/schedule-store.ts';
import type { Store } from '../../../src/engine/broker/store.ts';
import type { ChainRule } from '../../../src/engine/core/schedule/chain.ts';
import { made } from '../core/schedule/made.ts';
import { createFakeBackend } from './fake-backend.ts';

const ALL: ChainRule['missed'] = { policy: 'all', windowMs: null, atMost: 100 };

/** In thousands of milliseconds. */
const S = 1000;

/** An entry of every ten seconds since the epoch, and a store that takes what the test says. */
function setup({ maxRuns, runsBefore = 0 }: { maxRuns?: number; runsBefore?: number } = {}) {
  const schedule = made({ every: '10s', ...(maxRuns !== undefined && { maxRuns }) });
  const template = toTemplate({ rule: { schedule, missed: ALL, overlap: 'allow' }, runsBefore }, { priority: 9 });
  const steps: string[] = [];
  const options: unknown[] = [];
  const taken = new Set<number>();
  let failure: Error | undefined;
  let moves = Infinity;
  const schedules: ScheduleStore = {
    read: async () => [],
    remove: async () => false,
    async put(queue, { id, from, to, made: count, opts, priority }: NextFiring) {
      if (failure !== undefined) throw failure;
      if (taken.has(to / S)) return 'taken';
      if (steps.length >= moves) return 'moved';
      steps.push(`${queue} ${id} ${Number(from) / S} -> ${to / S} #${count} p${priority}`);
      options.push(opts);
      return 'put';
    },
  };
  const place = { queue: 'mail', id: 'tick', dueAt: 100 * S, made: 3, template };
  return {
    ...{ steps, options, taken, schedules, place, template },
    fail: (error: Error) => {
      failure = error;
    },
    moveAfter: (count: number) => {
      moves = count;
    },
  };
}

describe('going on from a firing', () => {
  test('each step has the one before it as the firing that must be ahead', async () => {
    const { steps, schedules, place, options } = setup();
    await walkChain(schedules, place, 125 * S);
    expect(steps).toEqual(['mail tick 100 -> 110 #4 p1', 'mail tick 110 -> 120 #5 p1', 'mail tick 120 -> 130 #6 p1']);
    expect(options.at(-1)).toMatchObject({
      ...{
        jobId: 'repeat:tick:130000',
        delay: 5 * S,
        timestamp: 125 * S,
        prevMillis: 130 * S,
        repeatJobKey: 'tick',
        priority: 1,
      },
      repeat: { count: 6 },
    });
  });

  test('it ends where another one is ahead', async () => {
    const { steps, schedules, place, moveAfter } = setup();
    moveAfter(1);
    await walkChain(schedules, place, 125 * S);
    expect(steps).toHaveLength(1);
  });

  test('due times that have a job already are passed over, and count as no run', async () => {
    const { steps, schedules, place, taken } = setup({ maxRuns: 5, runsBefore: 1 });
    for (const at of [110, 120, 130]) taken.add(at);
    await walkChain(schedules, place, 101 * S);
    expect(steps).toEqual(['mail tick 100 -> 140 #4 p1']);
  });

  test('what was made before its scheduler counts for the end', async () => {
    const { steps, schedules, place } = setup({ maxRuns: 10, runsBefore: 7 });
    await walkChain(schedules, place, 125 * S);
    expect(steps).toEqual([]);
  });
});

describe('the backend of a consumer', () => {
  function consume(store: ScheduleStore) {
    const faults: string[] = [];
    const fake = createFakeBackend(['updateJobSchedulerNextMillis']);
    fake.answers.set('updateJobSchedulerNextMillis', ['the next of BullMQ']);
    const clock = { now: () => 101 * S };
    goOnByRule(fake.backend, {
      queue: 'mail',
      store: { schedules: store, clock } as unknown as Store,
      onFault: ({ message }) => faults.push(message),
    });
    const ask = (options: unknown, producer = 'repeat:tick:100000') =>
      fake.backend.updateJobSchedulerNextMillis('tick', 111 * S, '{}', options as never, producer);
    return { faults, ask, fake };
  }
  /** As BullMQ hands them over: it has counted the next one. */
  const asked = ({ template }: ReturnType<typeof setup>) =>
    toFiringOptions(template, { id: 'tick', dueAt: 111 * S, made: 4, now: 101 * S });

  test('goes on with a scheduler of tq by its rule', async () => {
    const given = setup();
    const { ask, fake } = consume(given.schedules);
    expect(await ask(asked(given))).toBeUndefined();
    expect(given.steps).toEqual(['mail tick 100 -> 110 #4 p1']);
    expect(fake.asked).toEqual([]);
  });

  test('leaves those of plain BullMQ to BullMQ', async () => {
    const given = setup();
    const { ask } = consume(given.schedules);
    expect(await ask({ repeat: { pattern: '* * * * *' } })).toBe('the next of BullMQ');
    expect(given.steps).toEqual([]);
  });

  test('goes on from no job that is not a firing', async () => {
    const given = setup();
    const { ask } = consume(given.schedules);
    expect(await ask(asked(given), 'by-hand')).toBeUndefined();
    expect(given.steps).toEqual([]);
  });

  test('lets a store that is away be waited for, and runs the firing in spite of any other fault', async () => {
    const given = setup();
    const { ask, faults } = consume(given.schedules);
    given.fail(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));
    await expect(ask(asked(given))).rejects.toThrow('ECONNREFUSED');
    given.fail(new Error('no memory'));
    expect(await ask(asked(given))).toBeUndefined();
    const newer = { ...asked(given), repeat: { pattern: 'x', tz: 'UTC', tq: '{"v":2}', count: 4 } };
    expect(await ask(newer)).toBeUndefined();
    expect(faults).toEqual(['no memory', 'the rule was stored by a newer tq']);
  });
});
