import type { Clock } from '../core/clock.ts';
import { isRecord } from '../core/envelope.ts';
import { createError } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import { assertKnownOptions } from '../core/known-options.ts';
import type { EntryDefinition } from '../core/schedule/entry.ts';
import type { UpcomingRun } from '../core/schedule/upcoming-runs.ts';
import type { AsyncResult } from '../results/async-result.ts';
import type { DeclaredEntry } from '../schedule/declared-entry.ts';
import { type EntryFacts, type EntryOptions, parseEntry } from '../schedule/entry-options.ts';
import { assertTake, type ReconcileReport, type Take } from '../schedule/reconciliation.ts';
import type { ScheduleBroker } from '../schedule/schedule-broker.ts';
import type { PageOptions, SchedulePage } from '../schedule/schedule-pages.ts';
import type { ScheduleView } from '../schedule/schedule-view.ts';
import { Schedules } from '../schedule/schedules.ts';
import { hasSchema, parseArguments } from '../task/arguments.ts';
import type { TaskDefinition } from '../task/definition.ts';

export interface AddEntryOptions {
  /** An entry that is there takes these options; how often it has fired stays counted. Default false: it is an error. */
  readonly replace?: boolean;
  /** The task need not be registered in this app. Default false. */
  readonly anyTask?: boolean;
}

export interface ReconcileOptions {
  /**
   * Whose word counts where an operator has changed what code declares. Default: code for the entry, the operator for whether it is
   * paused.
   */
  readonly take?: Take;
}

/** The schedule entries of the broker: those that apps declare, and those that were added by hand or by a program. */
export interface AppSchedules {
  /**
   * Adds an entry, which fires from then on, with a beat or without one. Adding the same again changes nothing.
   *
   * @throws ENTRY_EXISTS, ENTRY_CHANGED, PRIORITIES_OFF, InvalidArguments, and what `app.schedule` throws
   */
  add(name: string, entry: EntryOptions, options?: AddEntryOptions): Promise<ScheduleView>;
  /**
   * What an entry would be, checked as `add` checks it, all but the priorities of its queue. Nothing is stored, and no broker is asked.
   *
   * @throws InvalidArguments, and what `app.schedule` throws
   */
  define(name: string, entry: EntryOptions, options?: Pick<AddEntryOptions, 'anyTask'>): Promise<EntryDefinition>;
  /**
   * Removes an entry. A firing that is due already runs.
   *
   * @param options.queue of a job scheduler that plain BullMQ made, where several queues have one of this name
   * @throws UNKNOWN_ENTRY, ENTRY_CHANGED
   */
  remove(name: string, options?: { readonly queue?: string }): Promise<void>;
  /**
   * The entry does not fire until it is resumed, also after a deploy.
   *
   * @throws UNKNOWN_ENTRY, FOREIGN_ENTRY, ENTRY_CHANGED
   */
  pause(name: string): Promise<ScheduleView>;
  /** Lets it fire again, at its next due time; those that passed are let go. Throws as `pause` does. */
  resume(name: string): Promise<ScheduleView>;
  /**
   * Fires it now, once more than it says; also one that is paused.
   *
   * @throws UNKNOWN_ENTRY, FOREIGN_ENTRY, PRIORITIES_OFF
   */
  run<Result = unknown>(name: string): Promise<AsyncResult<Result>>;
  /** @throws UNKNOWN_ENTRY with near names, ENTRY_UNREADABLE */
  read(name: string): Promise<ScheduleView>;
  /** Entries by name, in pages; after them the job schedulers that plain BullMQ made. */
  list(options?: PageOptions): Promise<SchedulePage>;
  /**
   * The due times that are ahead, with the offset of the clock and what its changes do to them.
   *
   * @param entry the name of one, or what one would be
   * @param count how many, 1 to 1000. Default 10
   * @throws UNKNOWN_ENTRY, FOREIGN_ENTRY, INVALID_SCHEDULE, INVALID_OPTION
   */
  next(entry: string | EntryOptions, count?: number): Promise<readonly UpcomingRun[]>;
  /**
   * Makes the stored entries those that this app declares, as a deploy does: `tq beat` does it when it starts. Entries that it declared
   * and does not any more are removed; those of apps with another name stay. One that never called `schedule` changes nothing, so that
   * the last entry goes with `app.schedule({})`.
   *
   * @throws InvalidArguments, PRIORITIES_OFF before anything is changed; what is wrong with one stored entry is in the report
   */
  reconcile(options?: ReconcileOptions): Promise<ReconcileReport>;
}

/** What schedules need of their app. */
export interface SchedulesParts {
  /** The name of the app; null when it has none. */
  readonly app: string | null;
  readonly clock: Clock;
  readonly facts: EntryFacts;
  readonly tasks: ReadonlyMap<string, TaskDefinition>;
  openBroker(): Promise<ScheduleBroker>;
  /** Turns priorities on where the app declares them. */
  checkPriority(queue: string, wish: { task: string; wanted: number | undefined }): Promise<unknown>;
  resultOf(id: string, queue: string): AsyncResult<unknown>;
}

/** The entries that an app declares, and the operations on all of its broker. */
export class AppEntries {
  readonly declared: DeclaredEntry[] = [];
  readonly operations: AppSchedules;
  readonly #parts: SchedulesParts;
  readonly #names = new Set<string>();
  #hasDeclared = false;

  constructor(parts: SchedulesParts) {
    this.#parts = parts;
    this.operations = createOperations(parts, () => (this.#hasDeclared ? this.declared : undefined));
  }

  /** All of these entries or none. @throws ENTRY_EXISTS, and what `parseEntry` throws */
  declare(entries: Readonly<Record<string, EntryOptions>>): void {
    const given: unknown = entries;
    if (!isRecord(given)) {
      const what = 'what app.schedule() is given';
      throw createError('INVALID_OPTION', {
        what,
        expected: 'an object of entries by name',
        given: formatGiven(given),
      });
    }
    const { facts, tasks } = this.#parts;
    const parsed = Object.entries(entries).map(([name, options]) => {
      if (this.#names.has(name)) {
        const remedy = 'give each entry a name of its own';
        throw createError('ENTRY_EXISTS', { entry: name, by: 'an entry that this app has declared', remedy });
      }
      const definition = parseEntry(name, options, { ...facts, taskNames: tasks.keys() });
      return { name, definition, enabled: options.enabled !== false };
    });
    for (const entry of parsed) {
      this.#names.add(entry.name);
      this.declared.push(entry);
    }
    this.#hasDeclared = true;
  }
}

/** @param readDeclared undefined for an app that has never said what its entries are */
function createOperations(
  parts: SchedulesParts,
  readDeclared: () => readonly DeclaredEntry[] | undefined,
): AppSchedules {
  const { app, clock, facts, tasks, checkPriority } = parts;
  let opened: Promise<Schedules> | undefined;
  const open = (): Promise<Schedules> => {
    opened ??= parts.openBroker().then(
      (broker) => new Schedules({ broker, clock }),
      (error) => {
        opened = undefined;
        throw error;
      },
    );
    return opened;
  };
  const checkArguments = async ({ task, args }: EntryDefinition): Promise<void> => {
    const definition = tasks.get(task);
    if (definition !== undefined && hasSchema(definition)) await parseArguments(definition, args, 'calling');
  };
  const parse = (name: string, options: EntryOptions, anyTask = false): EntryDefinition =>
    parseEntry(name, options, { ...facts, taskNames: anyTask ? undefined : tasks.keys() });
  const define: AppSchedules['define'] = async (name, options, { anyTask = false, ...others } = {}) => {
    assertKnownOptions(others, ['anyTask'], 'app.schedules.define()');
    const definition = parse(name, options, anyTask);
    await checkArguments(definition);
    return definition;
  };

  return {
    define,
    async add(name, options, { replace = false, anyTask = false, ...others } = {}) {
      assertKnownOptions(others, ['replace', 'anyTask'], 'app.schedules.add()');
      const definition = await define(name, options, { anyTask });
      const { queue, task, call } = definition;
      await checkPriority(queue, { task, wanted: call.priority });
      const isPaused = options.enabled === undefined ? {} : { isPaused: !options.enabled };
      return await (await open()).add(name, definition, { replace, ...isPaused });
    },
    remove: async (name, options) => (await open()).remove(name, options),
    pause: async (name) => (await open()).pause(name),
    resume: async (name) => (await open()).resume(name),
    async run<Result>(name: string) {
      const { id, queue } = await (await open()).run(name);
      return parts.resultOf(id, queue) as AsyncResult<Result>;
    },
    read: async (name) => (await open()).read(name),
    async list(options = {}) {
      const { limit, after, ...others } = options;
      assertKnownOptions(others, ['limit', 'after'], 'app.schedules.list()');
      if (limit !== undefined) assertCount(limit, 'limit of app.schedules.list()');
      return await (await open()).list({ limit, after });
    },
    async next(entry, count = 10) {
      assertCount(count, 'the count of app.schedules.next()');
      const wanted = typeof entry === 'string' ? entry : parse('preview', entry, true);
      return await (await open()).next(wanted, count);
    },
    async reconcile({ take, ...others } = {}) {
      assertKnownOptions(others, ['take'], 'app.schedules.reconcile()');
      if (take !== undefined) assertTake(take, 'take of app.schedules.reconcile()');
      const declared = readDeclared();
      if (declared === undefined) return NOTHING_DONE;
      for (const { definition } of declared) await checkArguments(definition);
      const wishes = new Map<string, { task: string; wanted: number | undefined }>();
      for (const { definition } of declared) {
        const { queue, task, call } = definition;
        if (wishes.get(queue)?.wanted === undefined) wishes.set(queue, { task, wanted: call.priority });
      }
      for (const [queue, wish] of wishes) await checkPriority(queue, wish);
      return await (await open()).reconcile(declared, { app, take });
    },
  };
}

const NOTHING_DONE: ReconcileReport = {
  ...{ added: [], updated: [], removed: [], unchanged: 0, differences: [], failed: [] },
};

function assertCount(count: unknown, what: string): void {
  if (Number.isInteger(count) && (count as number) >= 1 && (count as number) <= 1000) return;
  throw createError('INVALID_OPTION', { what, expected: 'a whole number from 1 to 1000', given: formatGiven(count) });
}
