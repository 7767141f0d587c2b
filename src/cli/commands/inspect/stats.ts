import { defineCommand } from '../../command.ts';
import { sharedOptions } from '../../options.ts';
import { type Row, table } from '../../presentation.ts';
import { presentReplies, REPLY_FIELDS, readAddressed, toRows } from '../../worker-replies.ts';

const MIB = 2 ** 20;

export const inspectStats = defineCommand({
  name: 'inspect stats',
  summary: 'Show what the live workers have done and what they use',
  details:
    'Attempts are counted since the worker started. Memory is that of its own process; --json has its CPU time and its health too.',
  options: [sharedOptions.destination],
  examples: [
    { command: 'tq inspect stats', does: 'of all live workers' },
    { command: 'tq inspect stats -d tq@web-1 --json', does: 'everything about one' },
  ],
  json: [...REPLY_FIELDS],
  operation: async () => (await import('../../../ops/inspect-workers.ts')).inspectWorkers,
  toInput: (values) => ({ command: 'stats' as const, ...readAddressed(values) }),
  present: (replies) =>
    presentReplies(replies, {
      blocks: [
        table(
          [
            { key: 'worker', title: 'WORKER', as: 'text' },
            { key: 'host', title: 'HOST', as: 'text', shrinks: true },
            { key: 'pid', title: 'PID', as: 'number' },
            { key: 'pool', title: 'POOL', as: 'text' },
            { key: 'concurrency', title: 'SLOTS', as: 'number' },
            { key: 'active', title: 'ACTIVE', as: 'number' },
            { key: 'reserved', title: 'RESERVED', as: 'number' },
            { key: 'succeeded', title: 'SUCCEEDED', as: 'number' },
            { key: 'retried', title: 'RETRIED', as: 'number' },
            { key: 'failed', title: 'FAILED', as: 'number' },
            { key: 'rssMib', title: 'RSS MIB', as: 'number' },
            { key: 'uptimeMs', title: 'UPTIME', as: 'duration' },
            { key: 'version', title: 'VERSION', as: 'text' },
          ],
          toRows(replies, flatten),
          'no worker answered',
        ),
      ],
    }),
});

function flatten(stats: Row): Row {
  const { jobs, memory } = stats as { jobs?: Row; memory?: { rssBytes?: number } };
  const rssBytes = memory?.rssBytes;
  return { ...stats, ...jobs, rssMib: rssBytes === undefined ? null : Math.round(rssBytes / MIB) };
}
