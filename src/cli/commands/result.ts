import { defineCommand, type Values } from '../command.ts';
import { presentResult, RESULT_FIELDS } from '../job-result.ts';
import { readText } from '../option-values.ts';
import { sharedOptions } from '../options.ts';

export const result = defineCommand({
  name: 'result',
  summary: 'Show the state and the result of a job',
  details:
    'Looks into the broker, and then into the result store if there is one (docs/results.md).\nExit codes: 0 SUCCESS and IGNORED, 1 FAILURE and REVOKED, 3 UNKNOWN, 4 not finished (in time).',
  arguments: [{ name: '<id>', summary: 'id of the job', completion: 'ids' }],
  options: [sharedOptions.queue, sharedOptions.wait, sharedOptions.results],
  examples: [
    { command: 'tq result 0198f6a2-7c1e-7000-8000-3f2a9c51d7e4', does: 'look now' },
    {
      command: 'tq result 0198f6a2-7c1e-7000-8000-3f2a9c51d7e4 --wait --timeout 30s',
      does: 'wait for the end of the job',
    },
  ],
  json: RESULT_FIELDS,
  operation: async () => (await import('../../ops/read-result.ts')).readResult,
  toInput({ arguments: [id = ''], options, timeoutMs }: Values<{ queue?: string; wait?: boolean }>) {
    return { id, queue: readText(options.queue, '--queue'), wait: options.wait, timeoutMs };
  },
  present: presentResult,
});
