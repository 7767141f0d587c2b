import { defineQueuePause } from './queue-pause.ts';

export const resumeQueues = defineQueuePause({
  verb: 'resume',
  summary: 'Resume queues that are paused',
});
