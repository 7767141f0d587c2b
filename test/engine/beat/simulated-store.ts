import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { vi } from 'vitest';
import { Beat } from '../../../src/engine/beat/beat.ts';
import type { BeatTiming } from '../../../src/engine/beat/beat-timing.ts';
import { openBroker } from '../../../src/engine/broker/open-broker.ts';
import type { ScheduleOptions } from '../../../src/engine/core/schedule/schedule-options.ts';
import { PLACES } from '../../../src/engine/jobs/job-place.ts';
import { Schedules } from '../../../src/engine/schedule/schedules.ts';
import { createFakeState } from '../broker/fake-state.ts';
import { queueName } from '../broker/workshop.ts';
import { defined } from './setup.ts';
import { SimulatedTime, type TimerOwner } from './simulated-time.ts';

const DAY_MS = 86_400_000;

/** A beat that looks seldom, so that months are a matter of what is due in them. */
const SELDOM: Partial<BeatTiming> = {
  leaseMs: 30 * DAY_MS,
  renewMs: 10 * DAY_MS,
  pulseMs: 5 * DAY_MS,
  lookMs: 10 * DAY_MS,
  settleMs: 0,
};

/** A beat that does everything so seldom that an hour is a matter of a few looks. */
export const UNHURRIED: Partial<BeatTiming> = { leaseMs: 900_000, renewMs: 300_000, pulseMs: 60_000, lookMs: 600_000 };

/**
 * Beats on a store in simulated time: the clock of the broker is that of the simulation, and BullMQ's `Date` follows it. Leases, which
 * stores measure by their own time, are kept beside the store.
 */
export async function simulateOn(url: string, from: string) {
  vi.useFakeTimers({ toFake: ['Date'] });
  const time = new SimulatedTime(Date.parse(from), (wall) => vi.setSystemTime(wall));
  const real = await openBroker(url, { clock: time.clock });
  const { lease, release } = createFakeState(() => time.clock.monotonic());
  const state = { ...real.state, lease, release };
  const broker = { queue: (name: string) => real.queue(name), listQueues: () => real.listQueues(), state };
  const schedules = new Schedules({ broker, clock: time.clock });
  const queue = queueName();

  const createBeat = (timing: Partial<BeatTiming> = SELDOM, process: TimerOwner = time.createOwner()): Beat =>
    new Beat({
      broker,
      arm: (entry, how) => schedules.rearm(entry, how),
      disarm: (entry) => schedules.disarmUnchanged(entry),
      clock: time.clock,
      logger: pino({ enabled: false }),
      identity: { id: randomUUID(), name: 'beat@test', host: 'test', pid: 1, version: '0.0.0' },
      timing,
      setTimer: process.setTimer,
    });
  const add = async (name: string, schedule: ScheduleOptions, rest: Parameters<typeof defined>[1] = {}) => {
    await schedules.add(name, defined(schedule, { queue, ...rest }));
  };
  /** Due times of the firings that are jobs of the queue and have come due, by entry. */
  const listFirings = async (): Promise<Map<string, number[]>> => {
    const firings = new Map<string, number[]>();
    for await (const ids of real.queue(queue).bulk.scanIds({ places: PLACES })) {
      for (const id of ids) {
        const [, entry = '', dueAt = ''] = /^repeat:(.+):(\d+)$/.exec(id) ?? [];
        if (Number(dueAt) <= time.clock.now()) firings.set(entry, [...(firings.get(entry) ?? []), Number(dueAt)]);
      }
    }
    for (const due of firings.values()) due.sort((a, b) => a - b);
    return firings;
  };
  /** Leaves nothing behind for the next one on this store. */
  const close = async (): Promise<void> => {
    for (const { name } of await schedules.entries.list()) await schedules.remove(name);
    vi.useRealTimers();
    await real.close();
  };
  return { time, schedules, queue, createBeat, add, listFirings, broker: real, close };
}
