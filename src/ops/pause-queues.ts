import { defineQueuePause } from './queue-pause.ts';

export const pauseQueues = defineQueuePause({
  verb: 'pause',
  summary: 'Pause queues: no worker takes jobs of them',
});
