import { integer, minValue, number, pipe } from 'valibot';
import { defineWorkerCommand } from './worker-command.ts';

export const shrinkPools = defineWorkerCommand({
  name: 'shrink-pools',
  summary: 'Take slots from live workers',
  command: 'pool-shrink',
  input: { by: pipe(number(), integer(), minValue(1)) },
  aim: ({ by }) => `to shrink by ${by === 1 ? '1 slot' : `${by} slots`}`,
  words: ({ by }) => [String(by)],
});
