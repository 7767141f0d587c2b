import { nonEmpty, pipe, string } from 'valibot';
import { defineWorkerCommand } from './worker-command.ts';

export const cancelConsumers = defineWorkerCommand({
  name: 'cancel-consumers',
  summary: 'Have live workers serve a queue no more',
  command: 'cancel-consumer',
  input: { queue: pipe(string(), nonEmpty()) },
  aim: ({ queue }) => `to serve the queue ${queue} no more`,
  words: ({ queue }) => [queue],
});
