import { defineRemoval } from './job-removal.ts';

/** Running jobs are told to stop by `control revoke`, dead letters go with `dlq purge`. */
export const cancelJobs = defineRemoval({
  name: 'cancel-jobs',
  command: ['jobs', 'cancel'],
  summary: 'Remove jobs that have not started',
  places: ['waiting', 'scheduled', 'blocked'],
});
