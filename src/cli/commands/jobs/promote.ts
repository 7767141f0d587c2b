import { defineCommand, type Values } from '../../command.ts';
import { CHANGE_FIELDS, presentChanges } from '../../job-changes.ts';
import { type ChoiceOptions, choiceArgument, choiceOptions, readChoice } from '../../job-choice.ts';
import { sharedOptions } from '../../options.ts';

export const jobsPromote = defineCommand({
  name: 'jobs promote',
  summary: 'Let scheduled jobs start now',
  details: [
    'Jobs that wait for their time, or for their next attempt, go into their queue at once.',
    'Exit codes: 0 all of them went, 1 some did not, 3 no queue holds any of them.',
  ].join('\n'),
  arguments: [choiceArgument],
  options: [...choiceOptions, sharedOptions.noUndo],
  examples: [
    {
      command: "tq jobs promote --where 'state:retry task:email.*' --dry-run",
      does: 'only count what waits for a retry',
    },
    { command: 'tq jobs promote 0198f6a2-7c1e-7000-8000-3f2a9c51d7e4', does: 'start a scheduled job now' },
  ],
  json: CHANGE_FIELDS,
  operation: async () => (await import('../../../ops/promote-jobs.ts')).promoteJobs,
  toInput: (values: Values<ChoiceOptions>) => readChoice('jobs promote', values),
  present: (result) => presentChanges(result, 'promoted'),
});
