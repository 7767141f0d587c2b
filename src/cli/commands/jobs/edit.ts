import { defineCommand, type Values } from '../../command.ts';
import { CHANGE_FIELDS, presentChanges } from '../../job-changes.ts';
import { type ChoiceOptions, choiceArgument, choiceOptions, readChoice } from '../../job-choice.ts';
import { type EditOptions, editOptions, etaOption, readEdit } from '../../job-edit.ts';
import { sharedOptions } from '../../options.ts';

export const jobsEdit = defineCommand({
  name: 'jobs edit',
  summary: 'Change the arguments, the priority or the time of jobs that do not run',
  details: [
    'Jobs that wait, that are scheduled or dead are changed, after a copy of them was kept for `tq undo`; they stay where they are. New',
    'arguments are checked by the schema of the task when the app is loaded (-A); numbers that JavaScript cannot hold stay as they',
    'were written, outside the patch. With --dry-run the differences are shown.',
    'Exit codes: 0 all of them were changed, 1 some were not, 3 no queue holds any of them.',
  ].join('\n'),
  arguments: [choiceArgument],
  options: [...choiceOptions, ...editOptions, etaOption, sharedOptions.noUndo],
  examples: [
    {
      command: 'tq jobs edit 0198f6a2-7c1e-7000-8000-3f2a9c51d7e4 --patch \'{"to":"ada@example.com"}\' --dry-run',
      does: 'show what a patch would change',
    },
    { command: "tq jobs edit --where 'task:report.*' --priority 0", does: 'let other jobs go first' },
  ],
  json: CHANGE_FIELDS,
  operation: async () => (await import('../../../ops/edit-jobs.ts')).editJobs,
  toInput: (values: Values<ChoiceOptions & EditOptions>) => ({
    ...readChoice('jobs edit', values),
    ...readEdit(values),
  }),
  present: (result) => presentChanges(result, 'changed'),
});
