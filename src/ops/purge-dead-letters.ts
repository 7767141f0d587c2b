import { defineRemoval } from './job-removal.ts';

export const purgeDeadLetters = defineRemoval({
  name: 'purge-dead-letters',
  command: ['dlq', 'purge'],
  summary: 'Remove dead letters',
  places: ['dead'],
});
