import { defineCommand, type Values } from '../../command.ts';
import { table } from '../../presentation.ts';

export const queuePause = defineCommand({
  name: 'queue pause',
  summary: 'Pause queues: no worker takes jobs of them',
  details:
    'Running jobs end, new ones are stored and wait. The pause is that of BullMQ: all of its clients obey, until it is resumed.',
  arguments: [{ name: '<queues...>', summary: 'queues to pause', completion: 'queues' }],
  examples: [
    { command: 'tq queue pause emails --dry-run', does: 'only look' },
    { command: 'tq queue pause emails reports', does: 'stop two queues' },
  ],
  json: ['queues'],
  operation: async () => (await import('../../../ops/pause-queues.ts')).pauseQueues,
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
        'no queue was paused',
      ),
    ],
    notes: queues.filter(({ changed }) => !changed).map(({ queue }) => `queue "${queue}" was paused already`),
  }),
});
