import { isRecord } from '../core/envelope.ts';
import { createError, messageOf } from '../core/errors.ts';
import type { EntryCall, EntryDefinition, MissedRule, Overlap, ScheduleEntry } from '../core/schedule/entry.ts';
import { formatStoredSchedule, parseStoredSchedule } from '../core/schedule/stored-schedule.ts';

/** The JSON of an entry. What is added needs no new version; a reader of an older tq leaves it out. */
interface StoredEntry {
  readonly v: 1;
  readonly task: string;
  readonly args: readonly unknown[];
  readonly queue: string;
  readonly schedule: unknown;
  readonly overlap: Overlap;
  readonly missed: MissedRule;
  readonly call: EntryCall;
  readonly description: string | null;
  readonly isPaused: boolean;
  readonly source: ScheduleEntry['source'];
  readonly app: string | null;
  readonly declared: string | null;
  readonly runsBefore: number;
  readonly createdAt: number;
  readonly changedAt: number;
}

export function formatStoredEntry(entry: Omit<ScheduleEntry, 'version'>): string {
  const { name: _, definition, ...kept } = entry;
  const stored: StoredEntry = { v: 1, ...definition, schedule: formatStoredSchedule(definition.schedule), ...kept };
  return JSON.stringify(stored);
}

/** @throws ENTRY_UNREADABLE for what another version or another hand wrote */
export function parseStoredEntry(name: string, value: string, version: string): ScheduleEntry {
  try {
    const stored: unknown = JSON.parse(value);
    if (!isRecord(stored) || stored.v !== 1) throw new Error('its version is not known');
    const {
      v: _,
      schedule,
      task,
      args,
      queue,
      overlap,
      missed,
      call,
      description,
      ...kept
    } = stored as unknown as StoredEntry;
    const definition = { task, args, queue, schedule: parseStoredSchedule(schedule, name), overlap, missed, call };
    return { name, definition: { ...definition, description }, ...kept, version };
  } catch (error) {
    throw createError('ENTRY_UNREADABLE', { entry: name, reason: messageOf(error) }, error);
  }
}

/** The definition as text: two entries say the same when their texts are equal. */
export function formatDefinition({ schedule, ...definition }: EntryDefinition): string {
  return JSON.stringify(sortKeys({ ...definition, schedule: formatStoredSchedule(schedule) }));
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isRecord(value)) return value;
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, sortKeys(value[key])]));
}
