import { nonEmpty, pipe, string } from 'valibot';
import { defineWorkerCommand } from './worker-command.ts';

export const addConsumers = defineWorkerCommand({
  name: 'add-consumers',
  summary: 'Have live workers serve a further queue',
  command: 'add-consumer',
  input: { queue: pipe(string(), nonEmpty()) },
  aim: ({ queue }) => `to serve the queue ${queue}`,
  words: ({ queue }) => [queue],
});
