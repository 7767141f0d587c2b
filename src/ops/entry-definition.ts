import type { EntryDefinition } from '../engine/core/schedule/entry.ts';
import { describeSchedule } from '../engine/core/schedule/schedule-text.ts';
import { parseStoredSchedule } from '../engine/core/schedule/stored-schedule.ts';
import { type DefinitionDifference, listDifferences } from '../engine/schedule/declared-entry.ts';
import type { ScheduleView } from '../engine/schedule/schedule-view.ts';

/** What an entry that is looked at is defined as; undefined for a job scheduler of plain BullMQ, and for what cannot be read. */
export function definitionOf(view: ScheduleView): EntryDefinition | undefined {
  const { name, task, args, queue, when, overlap, missed, call, description } = view;
  const isWhole = when !== null && task !== null && args !== null && queue !== null;
  if (!isWhole || overlap === null || missed === null || call === null) return undefined;
  return { task, args, queue, schedule: parseStoredSchedule(when, name), overlap, missed, call, description };
}

/** A field in which two definitions of an entry differ, for people: schedules in words, all else as JSON. */
export interface EntryDifference {
  readonly field: string;
  readonly from: string;
  readonly to: string;
}

export function describeDifferences(from: EntryDefinition, to: EntryDefinition): EntryDifference[] {
  return listDifferences(from, to).map((each) => describeDifference(each, { from, to }));
}

function describeDifference(
  { field, code, stored }: DefinitionDifference,
  { from, to }: { readonly from: EntryDefinition; readonly to: EntryDefinition },
): EntryDifference {
  if (field === 'schedule') return { field, from: describeWhen(from), to: describeWhen(to) };
  return { field, from: JSON.stringify(code), to: JSON.stringify(stored) };
}

function describeWhen({ schedule }: EntryDefinition): string {
  const { timezone } = schedule;
  const words = describeSchedule(schedule);
  return words.includes(timezone) ? words : `${words} (${timezone})`;
}
