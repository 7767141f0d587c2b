import type { ScheduleView } from '../engine/schedule/schedule-view.ts';
import { type ChangedEntries, changeEntries, planChange } from './entry-changes.ts';
import { choiceFlags, entryChoice } from './entry-choice.ts';
import { defineOperation } from './operation.ts';

/** One that cannot be read has nothing that could be changed. */
const isDue = ({ enabled, error }: ScheduleView): boolean => enabled && error === null;

export const pauseEntries = defineOperation({
  name: 'pause-entries',
  effect: 'write',
  summary: 'Pause schedule entries: they do not fire until they are resumed',
  input: entryChoice,
  plan: async (session, choice) => await planChange(session, choice, { verb: 'pause', isDue }),
  run: async (session, choice, { progress }): Promise<ChangedEntries> =>
    await changeEntries(session, choice, {
      isDue,
      change: (schedules, name) => schedules.pause(name),
      progress,
    }),
  commandLine: (choice) => ['schedule', 'pause', ...choiceFlags(choice)],
});
