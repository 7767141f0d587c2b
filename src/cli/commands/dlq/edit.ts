import { defineCommand, type Values } from '../../command.ts';
import { CHANGE_FIELDS, presentChanges } from '../../job-changes.ts';
import { type ChoiceOptions, choiceArgument, deadChoiceOptions, readChoice } from '../../job-choice.ts';
import { type EditOptions, editOptions, readEdit } from '../../job-edit.ts';
import { sharedOptions } from '../../options.ts';

export const dlqEdit = defineCommand({
  name: 'dlq edit',
  summary: 'Change the arguments or the priority of dead letters',
  details: [
    'They stay dead letters; `tq dlq reprocess --patch` changes them and sends them back to work in one go. New arguments are checked by',
    'the schema of the task when the app is loaded (-A). With --dry-run the differences are shown.',
    'Exit codes: 0 all of them were changed, 1 some were not, 3 no queue holds any of them.',
  ].join('\n'),
  arguments: [choiceArgument],
  options: [...deadChoiceOptions, ...editOptions, sharedOptions.noUndo],
  examples: [
    {
      command: 'tq dlq edit --fingerprint 1f3870be --patch \'{"locale":"en"}\' --dry-run',
      does: 'show what would change',
    },
  ],
  json: CHANGE_FIELDS,
  operation: async () => (await import('../../../ops/edit-dead-letters.ts')).editDeadLetters,
  toInput: (values: Values<ChoiceOptions & EditOptions>) => ({
    ...readChoice('dlq edit', values),
    ...readEdit(values),
  }),
  present: (result) => presentChanges(result, 'changed'),
});
