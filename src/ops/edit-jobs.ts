import { defineJobEdit } from './job-edit.ts';

export const editJobs = defineJobEdit({
  name: 'edit-jobs',
  command: ['jobs', 'edit'],
  summary: 'Change the arguments, the priority or the time of jobs that do not run',
  places: ['waiting', 'scheduled', 'dead'],
});
