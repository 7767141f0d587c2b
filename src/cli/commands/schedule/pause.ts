import { defineCommand, type Values } from '../../command.ts';
import {
  type EntryChoiceOptions,
  entryChoiceArgument,
  entryChoiceOptions,
  readEntryChoice,
} from '../../entry-options.ts';
import { presentChanged } from '../../entry-view.ts';

export const schedulePause = defineCommand({
  name: 'schedule pause',
  summary: 'Pause schedule entries: they do not fire until they are resumed',
  details: [
    'A firing that is due already stays in its queue. Due times that pass meanwhile are not made up for. A deploy leaves a pause as it is.',
    'Entries that are named are paused at once; what --where or --all takes is shown and asked about first.',
  ].join('\n'),
  arguments: [entryChoiceArgument],
  options: entryChoiceOptions,
  examples: [
    { command: "tq schedule pause --where 'report.*' --dry-run", does: 'see which would be paused' },
    { command: 'tq schedule pause report.nightly report.weekly', does: 'pause two' },
    { command: 'tq schedule pause --all', does: 'pause every entry, after asking' },
  ],
  json: ['entries'],
  operation: async () => (await import('../../../ops/pause-entries.ts')).pauseEntries,
  toInput: (values: Values<EntryChoiceOptions>) => readEntryChoice('schedule pause', values),
  present: ({ entries }) => presentChanged(entries, { none: 'no entry was paused', unchanged: 'was paused already' }),
});
