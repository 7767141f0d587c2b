import { defineCommand, type Values } from '../../command.ts';
import {
  type EntryChoiceOptions,
  entryChoiceArgument,
  entryChoiceOptions,
  readEntryChoice,
} from '../../entry-options.ts';
import { presentChanged } from '../../entry-view.ts';

export const scheduleResume = defineCommand({
  name: 'schedule resume',
  summary: 'Resume paused schedule entries: they fire at the next due time',
  details: 'Entries that are named are resumed at once; what --where or --all takes is shown and asked about first.',
  arguments: [entryChoiceArgument],
  options: entryChoiceOptions,
  examples: [
    { command: "tq schedule resume --where 'report.*' --dry-run", does: 'see which would be resumed' },
    { command: 'tq schedule resume report.nightly', does: 'let it fire again' },
  ],
  json: ['entries'],
  operation: async () => (await import('../../../ops/resume-entries.ts')).resumeEntries,
  toInput: (values: Values<EntryChoiceOptions>) => readEntryChoice('schedule resume', values),
  present: ({ entries }) => presentChanged(entries, { none: 'no entry was resumed', unchanged: 'was not paused' }),
});
