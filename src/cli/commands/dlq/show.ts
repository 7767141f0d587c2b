import { defineCommand, type Values } from '../../command.ts';
import { JOB_FIELDS, presentJob } from '../../job-details.ts';
import { readText } from '../../option-values.ts';
import { sharedOptions } from '../../options.ts';

export const dlqShow = defineCommand({
  name: 'dlq show',
  summary: 'Show everything about one dead letter',
  details: 'What `tq jobs show` shows; a job that is no dead letter is refused, with its state and exit code 1.',
  arguments: [{ name: '<id>', summary: 'id of the dead letter', completion: 'ids' }],
  options: [sharedOptions.queue],
  examples: [
    {
      command: 'tq dlq show 0198f6a2-7c1e-7000-8000-3f2a9c51d7e4',
      does: 'its error, arguments, log, and every attempt with its stack',
    },
    { command: 'tq dlq show 17 --queue mail --json', does: 'one of a plain BullMQ application, as JSON' },
  ],
  json: JOB_FIELDS,
  operation: async () => (await import('../../../ops/show-dead-letter.ts')).showDeadLetter,
  toInput: ({ arguments: [id = ''], options }: Values<{ queue?: string }>) => ({
    id,
    queue: readText(options.queue, '--queue'),
  }),
  present: presentJob,
});
