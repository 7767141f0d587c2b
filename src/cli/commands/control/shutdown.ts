import { defineCommand } from '../../command.ts';
import { sharedOptions } from '../../options.ts';
import { table } from '../../presentation.ts';
import { presentReplies, REPLY_FIELDS, readAddressed, toRows } from '../../worker-replies.ts';

export const controlShutdown = defineCommand({
  name: 'control shutdown',
  summary: 'Stop live workers as their first SIGTERM does',
  details: [
    'Each worker sends its receipt and then stops: no new jobs, running ones may end within its --shutdown-timeout, the rest',
    'goes back to the queue. Exit codes: 0 all that are live will stop, 4 some did not answer, 69 none did.',
  ].join('\n'),
  options: [sharedOptions.destination],
  examples: [
    { command: 'tq control shutdown --dry-run', does: 'only list whom it would stop' },
    { command: 'tq control shutdown -d tq@web-1', does: 'stop one worker' },
    { command: 'tq control shutdown', does: 'stop all live workers' },
  ],
  json: [...REPLY_FIELDS],
  operation: async () => (await import('../../../ops/shutdown-workers.ts')).shutdownWorkers,
  toInput: readAddressed,
  present: (replies) =>
    presentReplies(replies, {
      mustAnswer: true,
      blocks: [
        table(
          [
            { key: 'worker', title: 'WORKER', as: 'text' },
            { key: 'stopping', title: 'STOPPING', as: 'flag' },
            { key: 'active', title: 'ACTIVE', as: 'number' },
          ],
          toRows(replies, (receipt) => receipt),
          'no worker has done it',
        ),
      ],
    }),
});
