import { defineQueuePause } from '../../queue-pause-command.ts';

export const queueResume = defineQueuePause({
  verb: 'resume',
  summary: 'Resume queues that are paused',
  details: 'The workers of the queue go on with the jobs that wait in it.',
  examples: [
    { command: 'tq queue resume emails --dry-run', does: 'only look' },
    { command: 'tq queue resume emails reports', does: 'let two queues run again' },
  ],
  operation: async () => (await import('../../../ops/resume-queues.ts')).resumeQueues,
  unchanged: 'was not paused',
});
