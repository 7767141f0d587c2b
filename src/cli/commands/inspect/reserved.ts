import { defineCommand } from '../../command.ts';
import { sharedOptions } from '../../options.ts';
import { table } from '../../presentation.ts';
import { listRows, presentReplies, REPLY_FIELDS, readAddressed } from '../../worker-replies.ts';

export const inspectReserved = defineCommand({
  name: 'inspect reserved',
  summary: 'List the jobs that the live workers have taken and not started',
  details: 'A worker reserves at most one job a queue, and gives it back when no slot is free within a second.',
  options: [sharedOptions.destination],
  examples: [{ command: 'tq inspect reserved', does: 'ask all live workers' }],
  json: [...REPLY_FIELDS],
  operation: async () => (await import('../../../ops/inspect-workers.ts')).inspectWorkers,
  toInput: (values) => ({ command: 'reserved' as const, ...readAddressed(values) }),
  present: (replies) =>
    presentReplies(replies, {
      blocks: [
        table(
          [
            { key: 'worker', title: 'WORKER', as: 'text' },
            { key: 'id', title: 'ID', as: 'text' },
            { key: 'task', title: 'TASK', as: 'text', shrinks: true },
            { key: 'queue', title: 'QUEUE', as: 'text', shrinks: true },
            { key: 'attempt', title: 'ATTEMPT', as: 'number' },
          ],
          listRows(replies),
          'no job is reserved',
        ),
      ],
    }),
});
