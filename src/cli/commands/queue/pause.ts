import { defineQueuePause } from '../../queue-pause-command.ts';

export const queuePause = defineQueuePause({
  verb: 'pause',
  summary: 'Pause queues: no worker takes jobs of them',
  details:
    'Running jobs end, new ones are stored and wait. The pause is that of BullMQ: all of its clients obey, until it is resumed.',
  examples: [
    { command: 'tq queue pause emails --dry-run', does: 'only look' },
    { command: 'tq queue pause emails reports', does: 'stop two queues' },
  ],
  operation: async () => (await import('../../../ops/pause-queues.ts')).pauseQueues,
  unchanged: 'was paused already',
});
