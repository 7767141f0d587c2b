import { defineCommand, type Values } from '../../command.ts';
import { readInteger, readNames } from '../../option-values.ts';
import { sharedOptions } from '../../options.ts';
import { table } from '../../presentation.ts';

const DEFAULT_LIMIT = 100;

export const inspectScheduled = defineCommand({
  name: 'inspect scheduled',
  summary: 'List the jobs that wait for their time, the next due first',
  details:
    'A job that a pause or a limit of its task holds back is listed with what holds it (pause, concurrency, rate): it is let go\nbefore it is due.',
  options: [sharedOptions.queues, { flags: '--limit <number>', summary: `jobs to list, ${DEFAULT_LIMIT} without it` }],
  examples: [
    { command: 'tq inspect scheduled', does: 'what is due next' },
    {
      command: 'tq inspect scheduled -Q emails,reports --limit 10 --json',
      does: 'the next ten of two queues, as JSON',
    },
  ],
  json: ['id', 'task', 'queue', 'dueAt', 'priority', 'held'],
  operation: async () => (await import('../../../ops/list-scheduled.ts')).listScheduled,
  toInput({ options }: Values<{ queues?: readonly string[]; limit?: string }>) {
    return {
      queues: readNames(options.queues, '--queues'),
      limit: readInteger(options.limit, '--limit', { min: 1, max: 10_000 }) ?? DEFAULT_LIMIT,
    };
  },
  present: ({ jobs, total }) => ({
    json: jobs,
    blocks: [
      table(
        [
          { key: 'id', title: 'ID', as: 'text' },
          { key: 'task', title: 'TASK', as: 'text', shrinks: true },
          { key: 'queue', title: 'QUEUE', as: 'text', shrinks: true },
          { key: 'dueAt', title: 'DUE', as: 'instant' },
          { key: 'priority', title: 'PRIORITY', as: 'number' },
          { key: 'held', title: 'HELD BY', as: 'text' },
        ],
        jobs,
        'no job is scheduled',
      ),
    ],
    notes: total > jobs.length ? [`${total - jobs.length} more; --limit ${total} lists them all`] : [],
  }),
});
