import { randomUUID } from 'node:crypto';
import { Beat } from '../../../src/engine/beat/beat.ts';
import type { BeatTiming } from '../../../src/engine/beat/beat-timing.ts';
import type { Broker } from '../../../src/engine/broker/port.ts';
import type { StateStore } from '../../../src/engine/broker/state-port.ts';
import { createError } from '../../../src/engine/core/errors.ts';
import type { EntryDefinition, ScheduleEntry } from '../../../src/engine/core/schedule/entry.ts';
import { parseSchedule, type ScheduleOptions } from '../../../src/engine/core/schedule/schedule-options.ts';
import { Arming } from '../../../src/engine/schedule/arming.ts';
import { EntryStore } from '../../../src/engine/schedule/entry-store.ts';
import { createFakeState } from '../broker/fake-state.ts';
import { recordLog } from '../worker/recorded.ts';
import { createFakeSchedules } from './fake-schedules.ts';
import { SimulatedTime, type TimerOwner } from './simulated-time.ts';

const QUEUE = 'reports';

/** A definition of the schedule, with what the test does not care for. */
export function defined(schedule: ScheduleOptions, rest: Partial<EntryDefinition> = {}): EntryDefinition {
  return {
    task: 'report',
    args: [],
    queue: QUEUE,
    schedule: parseSchedule(schedule, 'nightly'),
    overlap: 'allow',
    missed: { policy: 'once', windowMs: null, atMost: 100 },
    call: {},
    description: null,
    ...rest,
  };
}

/** An entry that an operator has added. */
export function stored(name: string, definition: EntryDefinition, now: number): Omit<ScheduleEntry, 'version'> {
  const facts = { isPaused: false, source: 'operator', app: null, declared: null, runsBefore: 0 } as const;
  return { name, definition, ...facts, createdAt: now, changedAt: now };
}

/** Beats on a broker in memory, in simulated time. */
export function setUp(from: string, timing: Partial<BeatTiming> = {}) {
  const time = new SimulatedTime(Date.parse(from));
  let failure: Error | undefined;
  const state = failing(
    createFakeState(() => time.clock.monotonic()),
    () => failure,
  );
  const schedules = createFakeSchedules(QUEUE, () => time.clock.now());
  const entries = new EntryStore(state);
  const log = recordLog();
  const setAway = (isAway: boolean): void => {
    const gone = { url: 'redis://memory', doing: 'asking', reason: 'gone', causes: '' };
    failure = isAway ? createError('BROKER_UNAVAILABLE', gone) : undefined;
    schedules.failure = failure;
  };
  const queueStatus = { paused: false, consumers: 1 };
  const broker = {
    state,
    queue: () => ({
      schedules,
      hasPriorities: async () => false,
      listBriefs: async (ids: readonly string[]) => schedules.listBriefs(ids),
      status: async () => queueStatus,
    }),
  } as unknown as Broker;

  const arming = new Arming(broker, time.clock, entries);
  const createBeat = (process: TimerOwner = time.createOwner()) =>
    new Beat({
      broker,
      arm: (entry, how) => arming.rearm(entry, how),
      disarm: (entry) => arming.disarmUnchanged(entry),
      clock: time.clock,
      logger: log.logger,
      identity: { id: randomUUID(), name: 'beat@test', host: 'test', pid: 1, version: '0.0.0' },
      timing,
      setTimer: process.setTimer,
    });

  /** Writes an entry, in place of the one of its name. */
  const put = async (name: string, definition: EntryDefinition, change: Partial<ScheduleEntry> = {}): Promise<void> => {
    const before = await entries.read(name);
    const entry = { ...stored(name, definition, time.clock.now()), ...change };
    await entries.write(entry, before?.version ?? null);
  };
  return { time, state, setAway, schedules, entries, log, queueStatus, createBeat, put };
}

/** The same state, whose calls fail while there is a failure. */
function failing(state: StateStore, failure: () => Error | undefined): StateStore {
  return new Proxy(state, {
    get: (target, key: keyof StateStore) => {
      const call = target[key] as (...args: unknown[]) => Promise<unknown>;
      return async (...args: unknown[]) => {
        const error = failure();
        if (error !== undefined) throw error;
        return call(...args);
      };
    },
  });
}
