import { defineCommand, type Values } from '../../command.ts';
import { JOB_FIELDS, presentJob } from '../../job-details.ts';
import { readText } from '../../option-values.ts';
import { sharedOptions } from '../../options.ts';

export const jobsShow = defineCommand({
  name: 'jobs show',
  summary: 'Show everything about one job',
  details: [
    'Of each attempt: when it began, how long it took, its worker, its error and its stack. The last ten that failed are kept;',
    'those before a reprocessing stand above it. Numbers of arguments are shown as they are stored, however long.',
  ].join('\n'),
  arguments: [{ name: '<id>', summary: 'id of the job', completion: 'ids' }],
  options: [sharedOptions.queue],
  examples: [
    { command: 'tq jobs show 0198f6a2-7c1e-7000-8000-3f2a9c51d7e4', does: 'its arguments, attempts, log and stacks' },
    { command: 'tq jobs show 0198f6a2-7c1e-7000-8000-3f2a9c51d7e4 --json', does: 'the same as JSON' },
    { command: 'tq jobs show 17 --queue mail', does: 'a job that BullMQ numbered: each queue has its own 17' },
  ],
  json: JOB_FIELDS,
  operation: async () => (await import('../../../ops/show-job.ts')).showJob,
  toInput: ({ arguments: [id = ''], options }: Values<{ queue?: string }>) => ({
    id,
    queue: readText(options.queue, '--queue'),
  }),
  present: presentJob,
});
