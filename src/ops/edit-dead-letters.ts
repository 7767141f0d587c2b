import { defineJobEdit } from './job-edit.ts';

export const editDeadLetters = defineJobEdit({
  name: 'edit-dead-letters',
  command: ['dlq', 'edit'],
  summary: 'Change the arguments or the priority of dead letters',
  places: ['dead'],
});
