import { defineCommand, type Values } from '../../command.ts';
import { table } from '../../presentation.ts';

export const queueResume = defineCommand({
  name: 'queue resume',
  summary: 'Resume queues that are paused',
  details: 'The workers of the queue go on with the jobs that wait in it.',
  arguments: [{ name: '<queues...>', summary: 'queues to resume', completion: 'queues' }],
  examples: [
    { command: 'tq queue resume emails --dry-run', does: 'only look' },
    { command: 'tq queue resume emails reports', does: 'let two queues run again' },
  ],
  json: ['queues'],
  operation: async () => (await import('../../../ops/resume-queues.ts')).resumeQueues,
  toInput: ({ arguments: queues }: Values) => ({ queues: queues.filter((name) => name !== undefined) }),
  present: ({ queues }) => ({
    json: { queues },
    blocks: [
      table(
        [
          { key: 'queue', title: 'QUEUE', as: 'text' },
          { key: 'paused', title: 'PAUSED', as: 'flag' },
        ],
        queues,
        'no queue was resumed',
      ),
    ],
    notes: queues.filter(({ changed }) => !changed).map(({ queue }) => `queue "${queue}" was not paused`),
  }),
});
