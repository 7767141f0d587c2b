import { createError } from '../engine/core/errors.ts';
import type { EntryDefinition } from '../engine/core/schedule/entry.ts';
import { nextRun } from '../engine/core/schedule/runs.ts';
import { describeSchedule } from '../engine/core/schedule/schedule-text.ts';
import { parseEntry } from '../engine/schedule/entry-options.ts';
import type { ScheduleView } from '../engine/schedule/schedule-view.ts';
import { definitionOf, describeDifferences, type EntryDifference } from './entry-definition.ts';
import { type EntryInput, entryInput, formatAddCommand, toEntryOptions } from './entry-input.ts';
import { defineOperation, type Plan } from './operation.ts';
import { openSchedules } from './schedules-of.ts';
import type { Session } from './session.ts';

export interface AddedEntry {
  readonly name: string;
  readonly task: string;
  readonly queue: string;
  /** In words. */
  readonly schedule: string;
  readonly timezone: string;
  readonly enabled: boolean;
  /** Epoch ms; null while it is paused. */
  readonly nextAt: number | null;
  readonly outcome: 'added' | 'changed' | 'unchanged';
  /** An app has the task, and its schema took the arguments. */
  readonly checked: boolean;
}

export const addEntry = defineOperation({
  name: 'add-entry',
  effect: 'write',
  summary: 'Add a schedule entry, or change one',
  input: entryInput,
  async plan(session, given): Promise<Plan> {
    const { name } = given;
    const { definition, before, differences } = await prepare(session, given);
    if (before !== undefined) {
      const what = differences.length === 0 ? 'find schedule entry' : 'change schedule entry';
      const end = differences.length === 0 ? ' as it is, and change nothing' : '';
      return { summary: `would ${what} "${name}"${end}`, count: 0, rows: differences.map((each) => ({ ...each })) };
    }
    const { task, queue, schedule } = definition;
    const next = nextRun(schedule, session.clock.now());
    const rows = [
      { name, task, queue, fires: describeSchedule(schedule), next: next === undefined ? null : toIso(next) },
    ];
    return { summary: `would add schedule entry "${name}"`, count: 0, rows };
  },
  async run(session, given): Promise<AddedEntry> {
    const { definition, before, differences } = await prepare(session, given);
    const { name } = given;
    const added = await store(session, given, definition);
    const isSame = before !== undefined && differences.length === 0;
    return {
      ...{ name, task: definition.task, queue: definition.queue },
      ...{
        schedule: added.schedule,
        timezone: definition.schedule.timezone,
        enabled: added.enabled,
        nextAt: added.nextAt,
      },
      outcome: before === undefined ? 'added' : isSame ? 'unchanged' : 'changed',
      checked: session.isAppNamed === true,
    };
  },
  commandLine: formatAddCommand,
});

/** An app turns priorities on for the queues that it declares with them. */
async function store(session: Session, given: EntryInput, definition: EntryDefinition): Promise<ScheduleView> {
  const { name, paused, replace = false } = given;
  if (session.isAppNamed === true) {
    return await (await session.app()).schedules.add(name, toEntryOptions(given), { replace });
  }
  const isPaused = paused === true ? { isPaused: true } : {};
  return await (await openSchedules(session)).add(name, definition, { replace, ...isPaused });
}

interface Prepared {
  readonly definition: EntryDefinition;
  /** The entry of that name that is there. */
  readonly before: ScheduleView | undefined;
  /** From that one to what was given. */
  readonly differences: readonly EntryDifference[];
}

/** @throws ENTRY_EXISTS with the difference, unless it may be replaced; and what is wrong with what was given */
async function prepare(session: Session, given: EntryInput): Promise<Prepared> {
  const { name, replace, paused } = given;
  const definition = await toDefinition(session, given);
  const before = await readBefore(session, name);
  const stored = before && definitionOf(before);
  if (before === undefined || stored === undefined) return { definition, before: undefined, differences: [] };
  const differences = [
    ...describeDifferences(stored, definition),
    ...(paused === true && before.enabled ? [{ field: 'enabled', from: 'true', to: 'false' }] : []),
  ];
  if (differences.length === 0 || replace === true) return { definition, before, differences };
  const list = differences.map(({ field, from, to }) => `${field}: ${from} → ${to}`);
  throw createError('ENTRY_EXISTS', {
    entry: name,
    by: before.source === 'code' ? 'an entry that an app declares' : 'an entry',
    remedy: `give --replace to change it (${list.join('; ')}), or take another name`,
  });
}

/** A job scheduler of plain BullMQ in another queue takes no name away; one in the same queue is found by the engine. */
async function readBefore(session: Session, name: string): Promise<ScheduleView | undefined> {
  try {
    const found = await (await openSchedules(session)).read(name);
    return found.source === 'bullmq' ? undefined : found;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'UNKNOWN_ENTRY') return undefined;
    throw error;
  }
}

/** Without an app nobody knows which queue the task goes to: then it is `default`. */
async function toDefinition(session: Session, given: EntryInput): Promise<EntryDefinition> {
  const options = toEntryOptions(given);
  if (session.isAppNamed === true) return await (await session.app()).schedules.define(given.name, options);
  return parseEntry(given.name, options, {
    resolve: () => ({ queue: 'default', definition: undefined }),
    assertQueue: () => {},
    payloadLimit: Number.POSITIVE_INFINITY,
    longestResultMs: () => Number.POSITIVE_INFINITY,
  });
}

function toIso(at: number): string {
  return new Date(at).toISOString();
}
