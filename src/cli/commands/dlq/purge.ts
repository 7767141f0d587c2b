import { defineCommand, type Values } from '../../command.ts';
import { CHANGE_FIELDS, presentChanges } from '../../job-changes.ts';
import { type ChoiceOptions, choiceArgument, deadChoiceOptions, readChoice } from '../../job-choice.ts';
import { sharedOptions } from '../../options.ts';

export const dlqPurge = defineCommand({
  name: 'dlq purge',
  summary: 'Remove dead letters',
  details: [
    'They are removed after a copy of them was kept for `tq undo`. Parts of workflows stay: they go with the whole.',
    'Exit codes: 0 all of them were removed, 1 some were not, 3 no queue holds any of them.',
  ].join('\n'),
  arguments: [choiceArgument],
  options: [...deadChoiceOptions, sharedOptions.noUndo],
  examples: [
    { command: "tq dlq purge --where 'age>30d' --dry-run", does: 'only count what would be removed' },
    { command: 'tq dlq purge --fingerprint 1f3870be', does: 'remove all that failed with one error' },
  ],
  json: CHANGE_FIELDS,
  operation: async () => (await import('../../../ops/purge-dead-letters.ts')).purgeDeadLetters,
  toInput: (values: Values<ChoiceOptions>) => readChoice('dlq purge', values),
  present: (result) => presentChanges(result, 'removed'),
});
