import { defineCommand, type Values } from '../../command.ts';
import { entryArgument } from '../../entry-options.ts';
import { presentResult } from '../../job-result.ts';
import { sharedOptions } from '../../options.ts';
import { line } from '../../presentation.ts';

export const scheduleRun = defineCommand({
  name: 'schedule run',
  summary: 'Fire a schedule entry now, by hand',
  details: [
    'Prints the id of the job. It is a job of its own: the next due time stays, RUNS does not count it, and a paused entry fires too.',
    'With --wait it prints what `tq result` prints, and its exit code is that of the result.',
  ].join('\n'),
  arguments: [entryArgument],
  options: [sharedOptions.wait],
  examples: [
    { command: 'tq schedule run report.nightly --dry-run', does: 'see which task it would call' },
    { command: 'tq schedule run report.nightly', does: 'do not wait for 03:00' },
    { command: 'tq schedule run report.nightly --wait --timeout 5m', does: 'wait for the result' },
  ],
  json: ['id', 'entry', 'task', 'queue', 'state'],
  operation: async () => (await import('../../../ops/run-entry.ts')).runEntry,
  toInput: ({ arguments: [name = ''], options, timeoutMs }: Values<{ wait?: boolean }>) => ({
    ...{ name, wait: options.wait, timeoutMs },
  }),
  present: (fired) => ('attempts' in fired ? presentResult(fired) : { json: fired, blocks: [line(fired.id)] }),
});
