import { type ChangedEntries, changeEntries, planChange } from './entry-changes.ts';
import { choiceFlags, entryChoice } from './entry-choice.ts';
import { defineOperation } from './operation.ts';

export const resumeEntries = defineOperation({
  name: 'resume-entries',
  effect: 'write',
  summary: 'Resume paused schedule entries: they fire at the next due time',
  input: entryChoice,
  plan: async (session, choice) =>
    await planChange(session, choice, { verb: 'resume', isDue: ({ enabled }) => !enabled }),
  run: async (session, choice, { progress }): Promise<ChangedEntries> =>
    await changeEntries(session, choice, {
      isDue: ({ enabled }) => !enabled,
      change: (schedules, name) => schedules.resume(name),
      progress,
    }),
  commandLine: (choice) => ['schedule', 'resume', ...choiceFlags(choice)],
});
