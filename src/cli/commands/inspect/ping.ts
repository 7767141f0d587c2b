import { defineCommand } from '../../command.ts';
import { sharedOptions } from '../../options.ts';
import { table } from '../../presentation.ts';
import { presentReplies, REPLY_FIELDS, readAddressed, toRows } from '../../worker-replies.ts';

export const inspectPing = defineCommand({
  name: 'inspect ping',
  summary: 'Ask the live workers whether they answer',
  details: 'Ends as soon as all have answered. Exit code 69 when none does.',
  options: [sharedOptions.destination],
  examples: [
    { command: 'tq inspect ping', does: 'ask all live workers' },
    { command: 'tq inspect ping -d tq@web-1 --timeout 500ms', does: 'ask one, as a probe does' },
  ],
  json: [...REPLY_FIELDS],
  operation: async () => (await import('../../../ops/inspect-workers.ts')).inspectWorkers,
  toInput: (values) => ({ command: 'ping' as const, ...readAddressed(values) }),
  present: (replies) =>
    presentReplies(replies, {
      blocks: [
        table(
          [
            { key: 'worker', title: 'WORKER', as: 'text' },
            { key: 'reply', title: 'REPLY', as: 'text' },
          ],
          toRows(replies, (reply) => ({ reply })),
          'no worker answered',
        ),
      ],
    }),
});
