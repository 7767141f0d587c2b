import type { ScheduleView } from '../engine/schedule/schedule-view.ts';
import { type ChangedEntries, changeEntries, planChange } from './entry-changes.ts';
import { choiceFlags, entryChoice } from './entry-choice.ts';
import { defineOperation } from './operation.ts';

/** One that cannot be read has nothing that could be changed. */
const isDue = ({ enabled, error }: ScheduleView): boolean => !enabled && error === null;

export const resumeEntries = defineOperation({
  name: 'resume-entries',
  effect: 'write',
  summary: 'Resume paused schedule entries: they fire at the next due time',
  input: entryChoice,
  plan: async (session, choice) => await planChange(session, choice, { verb: 'resume', isDue }),
  run: async (session, choice, { progress }): Promise<ChangedEntries> =>
    await changeEntries(session, choice, {
      isDue,
      change: (schedules, name) => schedules.resume(name),
      progress,
    }),
  commandLine: (choice) => ['schedule', 'resume', ...choiceFlags(choice)],
});
