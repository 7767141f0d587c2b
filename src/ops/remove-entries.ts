import type { ScheduleView } from '../engine/schedule/schedule-view.ts';
import { formatCommandLine } from './command-text.ts';
import { choiceFlags, chooseEntries, countEntries, entryChoice } from './entry-choice.ts';
import { definitionOf } from './entry-definition.ts';
import { formatAddCommand, listUngivable, toEntryInput } from './entry-input.ts';
import { defineOperation } from './operation.ts';
import { openSchedules } from './schedules-of.ts';

export interface RemovedEntry {
  readonly name: string;
  readonly task: string | null;
  readonly queue: string | null;
  readonly source: ScheduleView['source'];
  /** The command line that adds it again; null for a job scheduler of plain BullMQ, and for what could not be read. */
  readonly restore: string | null;
  /** What that command line cannot give it. */
  readonly lost: readonly string[];
}

export interface RemovedEntries {
  readonly removed: readonly RemovedEntry[];
}

export const removeEntries = defineOperation({
  name: 'remove-entries',
  effect: 'destructive',
  summary: 'Remove schedule entries',
  input: entryChoice,
  async plan(session, choice) {
    const chosen = await chooseEntries(await openSchedules(session), choice);
    return {
      summary: `would remove ${countEntries(chosen.length)}`,
      count: chosen.length,
      things: 'schedule entries',
      rows: chosen.map(({ name, task, queue, schedule, source }) => ({ name, task, queue, fires: schedule, source })),
    };
  },
  async run(session, choice, run): Promise<RemovedEntries> {
    const schedules = await openSchedules(session);
    const removed: RemovedEntry[] = [];
    for (const entry of await chooseEntries(schedules, choice)) {
      if (run.signal.aborted) break;
      const { name, queue, source } = entry;
      await schedules.remove(name, source === 'bullmq' && queue !== null ? { queue } : {});
      removed.push(describeRemoved(entry));
      run.progress(removed.length);
    }
    return { removed };
  },
  commandLine: (choice) => ['schedule', 'remove', ...choiceFlags(choice)],
});

function describeRemoved(entry: ScheduleView): RemovedEntry {
  const { name, task, queue, source, enabled } = entry;
  const definition = definitionOf(entry);
  if (definition === undefined) return { name, task, queue, source, restore: null, lost: [] };
  const restore = formatCommandLine(formatAddCommand(toEntryInput(name, definition, !enabled)));
  return { name, task, queue, source, restore, lost: listUngivable(definition) };
}
