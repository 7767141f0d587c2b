import { createError } from '../../../engine/core/errors.ts';
import { defineCommand, type Values } from '../../command.ts';
import { CHANGE_FIELDS, presentChanges } from '../../job-changes.ts';
import { type ChoiceOptions, choiceArgument, choiceOptions, readChoice } from '../../job-choice.ts';
import { readText } from '../../option-values.ts';
import { sharedOptions } from '../../options.ts';

export const jobsMove = defineCommand({
  name: 'jobs move',
  summary: 'Put jobs that do not run into another queue',
  details: [
    'Jobs that wait, that are scheduled or dead stay what they are, with their ids, in the other queue. Parts of workflows stay where they',
    'are, for the others know them there. The queue is made if it is not there yet.',
    'Exit codes: 0 all of them were moved, 1 some were not, 3 no queue holds any of them.',
  ].join('\n'),
  arguments: [choiceArgument],
  options: [
    ...choiceOptions,
    { flags: '--to <queue>', summary: 'the queue that they go to', completion: 'queues' },
    sharedOptions.noUndo,
  ],
  examples: [
    { command: "tq jobs move --where 'task:video.*' --to slow --dry-run", does: 'only count what would be moved' },
    { command: 'tq jobs move -Q default --to repair', does: 'move all of a queue' },
  ],
  json: CHANGE_FIELDS,
  operation: async () => (await import('../../../ops/move-jobs.ts')).moveJobs,
  toInput(values: Values<ChoiceOptions & { to?: string }>) {
    const to = readText(values.options.to, '--to');
    if (to === undefined) {
      throw createError('USAGE', {
        message: 'jobs move was given no queue to move jobs to',
        next: 'name it with --to QUEUE',
      });
    }
    return { ...readChoice('jobs move', values), to };
  },
  present: (result) => presentChanges(result, 'moved'),
});
