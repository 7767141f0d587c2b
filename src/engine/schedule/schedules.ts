import type { SchedulerState } from '../broker/schedule-port.ts';
import type { Clock } from '../core/clock.ts';
import { createError } from '../core/errors.ts';
import type { EntryDefinition, ScheduleEntry } from '../core/schedule/entry.ts';
import { assertEntryName } from '../core/schedule/entry-name.ts';
import { nextRun } from '../core/schedule/runs.ts';
import { listUpcoming, type UpcomingRun } from '../core/schedule/upcoming-runs.ts';
import { Arming, type ArmOptions, countRuns } from './arming.ts';
import type { DeclaredEntry } from './declared-entry.ts';
import { EntryStore } from './entry-store.ts';
import { createFiringByHand, priorityOf } from './firing-job.ts';
import { assertFree, getForeign } from './foreign-schedulers.ts';
import { type ReconcileReport, reconcile, type Take } from './reconciliation.ts';
import { RunRecords } from './run-record.ts';
import type { ScheduleBroker } from './schedule-broker.ts';
import { type PageOptions, type PageSources, readPage, type SchedulePage } from './schedule-pages.ts';
import { createEntryView, createForeignView, type ScheduleView } from './schedule-view.ts';
import { formatDefinition } from './stored-entry.ts';

export interface AddOptions {
  /** Default operator. */
  readonly source?: ScheduleEntry['source'];
  /** Of an entry of code: what it declares (`formatDeclared`). */
  readonly declared?: string | null;
  /** It does not fire until it is resumed. Default false, or with `replace` what it was. */
  readonly isPaused?: boolean;
  /** An entry that is there takes this definition; its source and its runs stay. Default false: it is an error. */
  readonly replace?: boolean;
}

/** A firing by hand. */
export interface HandFiring {
  readonly id: string;
  readonly queue: string;
  readonly dueAt: number;
}

/**
 * The schedule entries of a broker: what they are, and that they fire. An entry that is added here fires without a beat too, as long as
 * workers take its firings. Every change is compare-and-set: of two at once, one is refused with ENTRY_CHANGED and has changed nothing.
 */
export class Schedules {
  readonly entries: EntryStore;
  readonly records: RunRecords;
  readonly #broker: ScheduleBroker;
  readonly #clock: Clock;
  readonly #arming: Arming;

  constructor({ broker, clock }: { readonly broker: ScheduleBroker; readonly clock: Clock }) {
    this.#broker = broker;
    this.#clock = clock;
    this.entries = new EntryStore(broker.state);
    this.records = new RunRecords(broker.state);
    this.#arming = new Arming(broker, clock, this.entries);
  }

  /**
   * Writes an entry and arms it. Adding what is there already, with the same definition, changes nothing.
   *
   * @throws INVALID_ENTRY_NAME, ENTRY_EXISTS, ENTRY_CHANGED, PRIORITIES_OFF, ENTRY_UNREADABLE
   */
  async add(name: string, definition: EntryDefinition, options: AddOptions = {}): Promise<ScheduleView> {
    assertEntryName(name);
    await priorityOf(this.#broker.queue(definition.queue), definition);
    const before = await this.entries.read(name);
    const { source = 'operator', declared = null, replace = false } = options;
    if (before === undefined) {
      assertFree(name, definition.queue, await this.#arming.readState({ name, definition }));
      const now = this.#clock.now();
      const isPaused = options.isPaused ?? false;
      const entry = { name, definition, isPaused, source, app: null, declared, runsBefore: 0 };
      await this.#arming.settle(await this.#write({ ...entry, createdAt: now, changedAt: now }, null));
      return await this.read(name);
    }
    const isPaused = options.isPaused ?? before.isPaused;
    const isSame = formatDefinition(before.definition) === formatDefinition(definition) && before.isPaused === isPaused;
    if (!isSame && !replace) {
      throw createError('ENTRY_EXISTS', {
        entry: name,
        by: before.source === 'code' ? 'an entry that an app declares' : 'an entry',
        remedy: 'take another name, or replace it',
      });
    }
    if (!isSame) await this.replace(before, { definition, isPaused });
    else await this.#ensureArmed(before);
    return await this.read(name);
  }

  /**
   * Removes an entry, its firing ahead and its last run. A firing that is due stays, and runs.
   *
   * @param options.queue of a job scheduler of plain BullMQ, where several queues have one of this name
   * @throws UNKNOWN_ENTRY, ENTRY_CHANGED
   */
  async remove(name: string, { queue }: { readonly queue?: string } = {}): Promise<void> {
    const entry = queue === undefined ? await this.#readToRemove(name) : undefined;
    if (entry === 'unreadable') return await this.#removeUnreadable(name);
    if (entry === undefined) {
      const foreign = await getForeign(this.#sources, name, queue);
      await this.#broker.queue(foreign.queue).schedules.remove(name);
      return;
    }
    await this.removeEntry(entry);
    await this.entries.announce();
  }

  /**
   * Removes an entry as it was read, and tells nobody. It is paused first: a beat that looks at it meanwhile does not arm it again, and
   * when this is broken off, it can be done again.
   *
   * @throws ENTRY_CHANGED
   */
  async removeEntry(entry: ScheduleEntry): Promise<void> {
    const paused = entry.isPaused ? entry : await this.#write({ ...entry, isPaused: true }, entry.version, true);
    await this.#arming.disarm(paused);
    if (!(await this.entries.remove(entry.name, paused.version, { isQuiet: true }))) {
      throw createError('ENTRY_CHANGED', { entry: entry.name });
    }
    await this.records.remove(entry.name);
  }

  /**
   * An entry that is paused does not fire until it is resumed; its firing that is due already runs.
   *
   * @throws UNKNOWN_ENTRY, FOREIGN_ENTRY, ENTRY_CHANGED, ENTRY_UNREADABLE
   */
  async pause(name: string): Promise<ScheduleView> {
    const entry = await this.#get(name, 'pause');
    // One that was broken off has a scheduler still.
    if (!entry.isPaused || (await this.readState(entry)) !== undefined) await this.replace(entry, { isPaused: true });
    return await this.read(name);
  }

  /** Lets a paused entry fire again, at its next due time: those that passed meanwhile are let go. Throws as `pause` does. */
  async resume(name: string): Promise<ScheduleView> {
    const entry = await this.#get(name, 'resume');
    if (entry.isPaused) await this.replace(entry, { isPaused: false });
    else await this.#ensureArmed(entry);
    return await this.read(name);
  }

  /**
   * Fires an entry now, also one that is paused or has ended. It is no run of the entry's own: due times and `maxRuns` are as before.
   *
   * @throws UNKNOWN_ENTRY, FOREIGN_ENTRY, PRIORITIES_OFF, ENTRY_UNREADABLE
   */
  async run(name: string): Promise<HandFiring> {
    const { definition } = await this.#get(name, 'run');
    const queue = this.#broker.queue(definition.queue);
    const priority = await priorityOf(queue, definition);
    const now = this.#clock.now();
    const id = await queue.add(createFiringByHand(name, definition, { priority, now }));
    return { id, queue: queue.name, dueAt: now };
  }

  /** @throws UNKNOWN_ENTRY with near names, ENTRY_UNREADABLE */
  async read(name: string): Promise<ScheduleView> {
    const entry = await this.entries.read(name);
    if (entry === undefined) {
      const { queue, state } = await getForeign(this.#sources, name);
      return createForeignView(queue, state);
    }
    const [state, [record]] = await Promise.all([this.readState(entry), this.records.read([name])]);
    return createEntryView(entry, { state, record, now: this.#clock.now() });
  }

  /** The entries by name in pages, and after them the job schedulers that plain BullMQ made. */
  list(options?: PageOptions): Promise<SchedulePage> {
    return readPage(this.#sources, options);
  }

  /**
   * The due times that are ahead, and what changes of the clock do to them. A paused entry is shown as if it were resumed now.
   *
   * @param entry its name, or what one would be
   * @throws UNKNOWN_ENTRY, FOREIGN_ENTRY, ENTRY_UNREADABLE
   */
  async next(entry: string | Pick<EntryDefinition, 'schedule'>, count: number): Promise<readonly UpcomingRun[]> {
    const now = this.#clock.now();
    if (typeof entry !== 'string') return listUpcoming(entry.schedule, { after: now, count });
    const found = await this.#get(entry, 'look ahead for');
    const runs = countRuns(found, await this.readState(found), now);
    return listUpcoming(found.definition.schedule, { after: now, count, runs });
  }

  /**
   * Makes the stored entries those that code declares: see `reconcile` in reconciliation.ts.
   *
   * @param options.app the name of the app that declares them; null when it has none
   * @throws BROKER_UNAVAILABLE; what is wrong with one entry is in the report
   */
  reconcile(
    declared: readonly DeclaredEntry[],
    { app = null, take }: { readonly app?: string | null; readonly take?: Take | undefined } = {},
  ): Promise<ReconcileReport> {
    return reconcile(declared, { app, take }, { ...this.#sources, schedules: this });
  }

  /** As `Arming.rearm`: for a beat that finds the scheduler of an entry missing. */
  rearm(entry: ScheduleEntry, options?: ArmOptions): Promise<number | undefined> {
    return this.#arming.rearm(entry, options);
  }

  /** As `Arming.disarmUnchanged`: for a beat that finds the scheduler of an entry that is not to fire. */
  disarmUnchanged(entry: ScheduleEntry): Promise<void> {
    return this.#arming.disarmUnchanged(entry);
  }

  /**
   * Gives an entry another definition, source or pause, and arms it anew. What it has fired stays counted.
   *
   * @throws ENTRY_CHANGED, PRIORITIES_OFF, and then nothing was changed
   */
  async replace(
    before: ScheduleEntry,
    change: Partial<Pick<ScheduleEntry, 'definition' | 'isPaused' | 'source' | 'app' | 'declared'>>,
    isQuiet = false,
  ): Promise<ScheduleEntry> {
    const now = this.#clock.now();
    const state = await this.readState(before);
    const runs = countRuns(before, state, now);
    const after = { ...before, ...change, changedAt: now };
    const { queue, schedule } = after.definition;
    await priorityOf(this.#broker.queue(queue), after.definition);
    const moves = queue !== before.definition.queue;
    const keeps = !moves && !after.isPaused && !before.isPaused && nextRun(schedule, now, runs) !== undefined;
    // A queue that it leaves must not go on firing it, also when this is broken off: a beat arms what is missing, but removes nothing.
    if (moves) await this.#arming.disarm(before);
    const entry = { ...after, runsBefore: keeps ? before.runsBefore : runs };
    const version = await this.entries.write(entry, before.version, { isQuiet });
    if (version === undefined) {
      const other = moves ? await this.entries.read(before.name) : undefined;
      if (other !== undefined) await this.#ensureArmed(other);
      throw createError('ENTRY_CHANGED', { entry: before.name });
    }
    // One that has no firing ahead any more, or had been paused, begins with a new scheduler.
    if (!keeps && !moves && state !== undefined) await this.#arming.disarm(before);
    await this.#arming.settle({ ...entry, version }, keeps ? { state } : {});
    return { ...entry, version };
  }

  async #ensureArmed(entry: ScheduleEntry): Promise<void> {
    if (!entry.isPaused && (await this.readState(entry)) === undefined) await this.#arming.settle(entry);
  }

  async #write(
    entry: Omit<ScheduleEntry, 'version'>,
    expected: string | null,
    isQuiet = false,
  ): Promise<ScheduleEntry> {
    const version = await this.entries.write(entry, expected, { isQuiet });
    if (version === undefined) throw createError('ENTRY_CHANGED', { entry: entry.name });
    return { ...entry, version };
  }

  async #get(name: string, doing: string): Promise<ScheduleEntry> {
    const entry = await this.entries.read(name);
    if (entry !== undefined) return entry;
    const { queue } = await getForeign(this.#sources, name);
    throw createError('FOREIGN_ENTRY', { doing, entry: name, queue });
  }

  async #readToRemove(name: string): Promise<ScheduleEntry | 'unreadable' | undefined> {
    try {
      return await this.entries.read(name);
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ENTRY_UNREADABLE') return 'unreadable';
      throw error;
    }
  }

  /** Its queue is not known, so its scheduler is looked for in all of them. */
  async #removeUnreadable(name: string): Promise<void> {
    for (const queue of await this.#broker.listQueues()) {
      const { schedules } = this.#broker.queue(queue);
      const [state] = await schedules.read([name]);
      if (state?.rule !== undefined) await schedules.remove(name);
    }
    await this.entries.remove(name);
    await this.records.remove(name);
  }

  /** The scheduler of an entry, if it has one. */
  readState(entry: ScheduleEntry): Promise<SchedulerState | undefined> {
    return this.#arming.readState(entry);
  }

  get #sources(): PageSources {
    const [broker, clock, arming] = [this.#broker, this.#clock, this.#arming];
    return { broker, clock, entries: this.entries, arming, records: this.records };
  }
}
