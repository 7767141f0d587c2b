import type { RemovedEntry } from '../../../ops/remove-entries.ts';
import { defineCommand, type Values } from '../../command.ts';
import {
  type EntryChoiceOptions,
  entryChoiceArgument,
  entryChoiceOptions,
  readEntryChoice,
} from '../../entry-options.ts';
import { table } from '../../presentation.ts';

export const scheduleRemove = defineCommand({
  name: 'schedule remove',
  summary: 'Remove schedule entries',
  details: [
    'Shows them and asks first. A firing that is due already stays in its queue. What is printed for each is the command that adds it',
    'again: it fires as before, its count of runs begins anew. An entry that code declares comes back with the next deploy: pause it instead.',
  ].join('\n'),
  arguments: [entryChoiceArgument],
  options: entryChoiceOptions,
  examples: [
    { command: "tq schedule remove --where 'report.*' --dry-run", does: 'see which would go' },
    { command: 'tq schedule remove report.weekly', does: 'remove one, after asking' },
    { command: 'tq schedule remove report.weekly --yes --json', does: 'without asking' },
  ],
  json: ['removed'],
  operation: async () => (await import('../../../ops/remove-entries.ts')).removeEntries,
  toInput: (values: Values<EntryChoiceOptions>) => readEntryChoice('schedule remove', values),
  present: ({ removed }) => ({
    json: { removed },
    blocks: [
      table(
        [
          { key: 'name', title: 'REMOVED', as: 'text' },
          { key: 'restore', title: 'TO ADD IT AGAIN', as: 'text' },
        ],
        removed,
        'no entry was removed',
      ),
    ],
    notes: removed.flatMap(describeRemoved),
  }),
});

function describeRemoved({ name, source, lost }: RemovedEntry): string[] {
  return [
    ...(source === 'code'
      ? [
          `code declares "${name}": it comes back with the next deploy; \`tq schedule pause ${name}\` keeps it from firing`,
        ]
      : []),
    ...(source === 'bullmq'
      ? [`"${name}" is a job scheduler of another BullMQ application, which may add it again`]
      : []),
    ...(lost.length === 0 ? [] : [`the command for "${name}" does not bring back ${lost.join(', ')}`]),
  ];
}
