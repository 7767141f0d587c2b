import { integer, minValue, number, pipe } from 'valibot';
import { defineWorkerCommand } from './worker-command.ts';

export const autoscaleWorkers = defineWorkerCommand({
  name: 'autoscale-workers',
  summary: 'Change the bounds of the slots of live workers that change them by need',
  command: 'autoscale',
  input: { max: pipe(number(), integer(), minValue(1)), min: pipe(number(), integer(), minValue(1)) },
  aim: ({ max, min }) => `to have ${min} to ${max} slots`,
  words: ({ max, min }) => [String(max), String(min)],
});
