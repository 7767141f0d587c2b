import { createError } from '../../engine/core/errors.ts';
import { defineCommand, type Values } from '../command.ts';
import { readNames } from '../option-values.ts';
import { sharedOptions } from '../options.ts';
import { table } from '../presentation.ts';

export const purge = defineCommand({
  name: 'purge',
  summary: 'Remove the waiting and scheduled jobs of queues',
  details: [
    'Running jobs, results and the jobs of schedule entries stay, and jobs that are added while it runs. Dead letters stay too, unless',
    '-Q dead_letter asks for those of all queues. What is removed is kept: `tq undo` puts it back (docs/operations.md).',
  ].join('\n'),
  options: [sharedOptions.queues, { flags: '--all', summary: 'every queue of the broker' }, sharedOptions.noUndo],
  examples: [
    { command: 'tq purge --all --dry-run', does: 'only count' },
    { command: 'tq purge -Q emails,reports', does: 'show what would be removed from two queues, and ask' },
    { command: 'tq purge -Q dead_letter', does: 'remove the dead letters of all queues' },
    { command: 'tq purge --all --yes --json', does: 'empty every queue without asking' },
  ],
  json: ['purged', 'total', 'undo'],
  operation: async () => (await import('../../ops/purge-queues.ts')).purgeQueues,
  toInput({ options }: Values<{ queues?: readonly string[]; all?: boolean }>) {
    const queues = readNames(options.queues, '--queues');
    if ((queues === undefined) === (options.all === undefined)) {
      throw createError('USAGE', {
        message: `purge was given ${queues === undefined ? 'neither --queues nor --all' : 'both --queues and --all'}`,
        next: 'name the queues with -Q emails,reports, or give --all for every queue',
      });
    }
    return queues === undefined ? { all: true as const } : { queues };
  },
  present: (purged) => ({
    json: purged,
    blocks: [
      table(
        [
          { key: 'queue', title: 'QUEUE', as: 'text' },
          { key: 'removed', title: 'REMOVED', as: 'number' },
        ],
        Object.entries(purged.purged).map(([queue, removed]) => ({ queue, removed })),
        'there are no queues on this broker',
      ),
    ],
    notes: [purged.total === 1 ? 'removed 1 job' : `removed ${purged.total} jobs`],
  }),
});
