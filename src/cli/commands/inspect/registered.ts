import { defineCommand } from '../../command.ts';
import { sharedOptions } from '../../options.ts';
import { table } from '../../presentation.ts';
import { listRows, presentReplies, REPLY_FIELDS, readAddressed } from '../../worker-replies.ts';

export const inspectRegistered = defineCommand({
  name: 'inspect registered',
  summary: 'List the tasks that the live workers register',
  options: [sharedOptions.destination],
  examples: [
    { command: 'tq inspect registered', does: 'of all live workers' },
    { command: 'tq inspect registered -d tq@web-1,tq@web-2 --json', does: 'of two, as JSON' },
  ],
  json: [...REPLY_FIELDS],
  operation: async () => (await import('../../../ops/inspect-workers.ts')).inspectWorkers,
  toInput: (values) => ({ command: 'registered' as const, ...readAddressed(values) }),
  present: (replies) =>
    presentReplies(replies, {
      blocks: [
        table(
          [
            { key: 'worker', title: 'WORKER', as: 'text' },
            { key: 'task', title: 'TASK', as: 'text' },
            { key: 'queue', title: 'QUEUE', as: 'text' },
            { key: 'retries', title: 'RETRIES', as: 'number' },
            { key: 'softTimeLimitMs', title: 'SOFT LIMIT', as: 'duration' },
            { key: 'timeLimitMs', title: 'TIME LIMIT', as: 'duration' },
            { key: 'rateLimit', title: 'RATE', as: 'text' },
            { key: 'concurrency', title: 'AT ONCE', as: 'number' },
            { key: 'description', title: 'DESCRIPTION', as: 'text', shrinks: true },
          ],
          listRows(replies),
          'no task is registered',
        ),
      ],
    }),
});
