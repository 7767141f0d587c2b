import { integer, minValue, number, pipe } from 'valibot';
import { defineWorkerCommand } from './worker-command.ts';

export const growPools = defineWorkerCommand({
  name: 'grow-pools',
  summary: 'Give live workers more slots',
  command: 'pool-grow',
  input: { by: pipe(number(), integer(), minValue(1)) },
  aim: ({ by }) => `to grow by ${by === 1 ? '1 slot' : `${by} slots`}`,
  words: ({ by }) => [String(by)],
});
