import type { SchedulerState } from '../broker/schedule-port.ts';
import type { Clock } from '../core/clock.ts';
import type { ScheduleEntry } from '../core/schedule/entry.ts';
import { missedRuns } from '../core/schedule/missed-runs.ts';
import { nextRun } from '../core/schedule/runs.ts';
import type { EntryStore } from './entry-store.ts';
import { createFiringJob, priorityOf } from './firing-job.ts';
import type { ScheduleBroker } from './schedule-broker.ts';

/** Schedulers that are read in one call. */
const BATCH = 500;

export interface ArmOptions {
  /** The scheduler that it has now, if it has one: that goes on counting its firings. */
  readonly state?: SchedulerState | undefined;
  /** It has been looked for, and has none: as far as the caller knows. */
  readonly isNew?: boolean;
  /** Due times after it that have passed are made up for, by the policy of the entry; epoch ms. Default now: none are. */
  readonly since?: number | undefined;
}

/**
 * How an entry becomes a job scheduler.
 *
 * An entry is what is to fire, its scheduler is what fires, and they are two records. Writers change the entry first, by compare-and-set,
 * and its scheduler after that (`settle`); then they look whether the entry is still what they wrote, and do it again if it is not. So
 * whoever comes last leaves the scheduler as the entry says. A writer that dies in between leaves an entry that a beat arms.
 */
export class Arming {
  readonly #broker: ScheduleBroker;
  readonly #clock: Clock;
  readonly #entries: EntryStore;

  constructor(broker: ScheduleBroker, clock: Clock, entries: EntryStore) {
    this.#broker = broker;
    this.#clock = clock;
    this.#entries = entries;
  }

  /**
   * Makes the scheduler of an entry, or gives it the rule, the job and the next due time that the entry says. A firing that is due already
   * stays.
   *
   * @returns the due time of the firing that is ahead then; undefined when it does not fire any more, and nothing was changed
   * @throws PRIORITIES_OFF, BROKER_UNAVAILABLE
   */
  async arm(
    entry: ScheduleEntry,
    { state, since: given, isNew = false }: ArmOptions = {},
  ): Promise<number | undefined> {
    const { name, definition } = entry;
    const { schedule, missed, overlap } = definition;
    const now = this.#clock.now();
    const runs = countRuns(entry, state, now);
    const since = Math.min(given ?? now, now);
    // A scheduler that is there goes on counting.
    const runsBefore = state?.runsBefore ?? entry.runsBefore;
    const { policy, windowMs, atMost } = missed;
    const late = missedRuns(schedule, { lastDueAt: since, now, policy, windowMs, cap: atMost, runs }).fire[0];
    const queue = this.#broker.queue(definition.queue);
    const job = createFiringJob(name, definition, await priorityOf(queue, definition));
    const rule = { schedule, missed, overlap };
    let dueAt = late ?? nextRun(schedule, Math.max(since, now - 1), runs);
    // A due time that has been fired is not fired again: the next one is.
    while (dueAt !== undefined) {
      if (await queue.schedules.arm({ id: name, dueAt, rule, runsBefore, job, isNew })) return dueAt;
      dueAt = nextRun(schedule, dueAt, runs);
    }
    return undefined;
  }

  /** Removes the scheduler of an entry, and its firing ahead unless that is due. */
  async disarm({ name, definition }: Pick<ScheduleEntry, 'name' | 'definition'>): Promise<boolean> {
    return await this.#broker.queue(definition.queue).schedules.remove(name);
  }

  /**
   * Makes the scheduler of an entry what the entry says, which has just been written. Where that is none, how often it has fired is lost
   * with it: `runsBefore` must say it.
   */
  async settle(written: ScheduleEntry, options: ArmOptions = {}): Promise<void> {
    let [entry, how] = [written, options];
    for (;;) {
      const dueAt = entry.isPaused ? undefined : await this.arm(entry, how);
      if (dueAt === undefined) await this.disarm(entry);
      const stored = await this.#entries.read(entry.name);
      if (stored?.version === entry.version) return;
      if (stored?.definition.queue !== entry.definition.queue) await this.disarm(entry);
      if (stored === undefined) return;
      entry = stored;
      how = { state: await this.readState(stored) };
    }
  }

  /**
   * Arms an entry that was read some time ago, by somebody who found its scheduler missing or old: only as long as the entry is still what
   * was read. One that was removed or paused meanwhile would go on firing otherwise.
   *
   * @returns as `arm`; undefined also when the entry has changed: its scheduler is then as the entry says now
   */
  async rearm(entry: ScheduleEntry, options: ArmOptions = {}): Promise<number | undefined> {
    const { name, version, definition } = entry;
    if ((await this.#entries.read(name))?.version !== version) return undefined;
    const dueAt = await this.arm(entry, options);
    const stored = await this.#entries.read(name);
    if (stored?.version === version) return dueAt;
    if (stored?.definition.queue !== definition.queue) await this.disarm(entry);
    if (stored !== undefined) await this.settle(stored, { state: await this.readState(stored) });
    return undefined;
  }

  /**
   * Disarms an entry that was read some time ago and was not to fire then: not when it has changed since, so that one that was resumed
   * meanwhile goes on firing.
   */
  async disarmUnchanged(entry: ScheduleEntry): Promise<void> {
    const isChanged = (stored: ScheduleEntry | undefined): stored is ScheduleEntry =>
      stored !== undefined && stored.version !== entry.version;
    if (isChanged(await this.#entries.read(entry.name))) return;
    await this.disarm(entry);
    const stored = await this.#entries.read(entry.name);
    if (isChanged(stored)) await this.settle(stored, { state: await this.readState(stored) });
  }

  async readState(entry: Pick<ScheduleEntry, 'name' | 'definition'>): Promise<SchedulerState | undefined> {
    return (await this.readStates([entry])).get(entry.name);
  }

  /** The schedulers of entries by their names: one call for each queue, or for each 500 of it. */
  async readStates(
    entries: readonly Pick<ScheduleEntry, 'name' | 'definition'>[],
  ): Promise<Map<string, SchedulerState>> {
    const states = new Map<string, SchedulerState>();
    for (const [queue, of] of Map.groupBy(entries, ({ definition }) => definition.queue)) {
      for (let from = 0; from < of.length; from += BATCH) {
        const names = of.slice(from, from + BATCH).map(({ name }) => name);
        for (const state of await this.#broker.queue(queue).schedules.read(names)) {
          if (state !== undefined) states.set(state.id, state);
        }
      }
    }
    return states;
  }
}

/** How often an entry has fired: the firing ahead counts once it is due. */
export function countRuns(
  { runsBefore }: Pick<ScheduleEntry, 'runsBefore'>,
  state: SchedulerState | undefined,
  now: number,
): number {
  if (state === undefined) return runsBefore;
  return state.runsBefore + state.made - (state.dueAt > now ? 1 : 0);
}
