import { defineCommand, type Values } from '../../command.ts';
import { CHANGE_FIELDS, presentChanges } from '../../job-changes.ts';
import { type ChoiceOptions, choiceArgument, choiceOptions, readChoice } from '../../job-choice.ts';
import { sharedOptions } from '../../options.ts';

export const jobsCancel = defineCommand({
  name: 'jobs cancel',
  summary: 'Remove jobs that have not started',
  details: [
    'Jobs that wait, that are scheduled or that are due for a retry are removed, after a copy of them was kept for `tq undo`. Running',
    'ones are told to stop by `tq control revoke ID --terminate`, dead letters go with `tq dlq purge`. Parts of workflows stay, for',
    'what waits for them would go on without them: `tq control revoke` cancels the whole.',
    'Exit codes: 0 all of them were removed, 1 some were not, 3 no queue holds any of them.',
  ].join('\n'),
  arguments: [choiceArgument],
  options: [...choiceOptions, sharedOptions.noUndo],
  examples: [
    { command: "tq jobs cancel --where 'task:report.* age>1d' --dry-run", does: 'only count what would be removed' },
    { command: 'tq jobs cancel 0198f6a2-7c1e-7000-8000-3f2a9c51d7e4', does: 'remove one job' },
    {
      command: "tq jobs cancel --where 'queue:mail args.0.to=*@example.com'",
      does: 'remove by what is in the arguments',
    },
  ],
  json: CHANGE_FIELDS,
  operation: async () => (await import('../../../ops/cancel-jobs.ts')).cancelJobs,
  toInput: (values: Values<ChoiceOptions>) => readChoice('jobs cancel', values),
  present: (result) => presentChanges(result, 'removed'),
});
