import { countOf } from '../../engine/core/counted.ts';
import type { BeatStatus } from '../../ops/show-status.ts';
import { defineCommand } from '../command.ts';
import { sharedOptions } from '../options.ts';
import { type Column, table } from '../presentation.ts';
import { describeGaps, exitCodeOf, REPLY_FIELDS, readAddressed } from '../worker-replies.ts';

const PAUSED_TASKS: readonly Column[] = [
  { key: 'task', title: 'PAUSED TASK', as: 'text', shrinks: true },
  { key: 'since', title: 'SINCE', as: 'instant' },
  { key: 'held', title: 'HELD', as: 'number' },
];

export const status = defineCommand({
  name: 'status',
  summary: 'Show the live workers, the queues and who leads the beat in one view',
  details:
    'Exit code 69 when no worker is live; who leads the beat is said on stderr. `tq inspect queues --json` has the queues as JSON.',
  options: [sharedOptions.destination],
  examples: [
    { command: 'tq status', does: 'look at everything' },
    { command: 'tq status --json', does: 'the live workers, as JSON' },
  ],
  json: [...REPLY_FIELDS, 'pausedTasks', 'beat'],
  operation: async () => (await import('../../ops/show-status.ts')).showStatus,
  toInput: readAddressed,
  present: ({ replies, workers, queues, pausedTasks, beat }) => ({
    json: { workers, silent: replies.silent, pausedTasks, beat },
    blocks: [
      table(
        [
          { key: 'name', title: 'WORKER', as: 'text' },
          { key: 'host', title: 'HOST', as: 'text', shrinks: true },
          { key: 'pid', title: 'PID', as: 'number' },
          { key: 'pool', title: 'POOL', as: 'text' },
          { key: 'concurrency', title: 'SLOTS', as: 'number' },
          { key: 'active', title: 'ACTIVE', as: 'number' },
          { key: 'queueNames', title: 'QUEUES', as: 'text', shrinks: true },
          { key: 'uptimeMs', title: 'UPTIME', as: 'duration' },
          { key: 'version', title: 'VERSION', as: 'text' },
        ],
        workers.map((worker) => ({ ...worker, queueNames: worker.queues.join(',') })),
        'no worker says what it is',
      ),
      table(
        [
          { key: 'queue', title: 'QUEUE', as: 'text', shrinks: true },
          { key: 'waiting', title: 'WAITING', as: 'number' },
          { key: 'active', title: 'ACTIVE', as: 'number' },
          { key: 'scheduled', title: 'SCHEDULED', as: 'number' },
          { key: 'held', title: 'HELD', as: 'number' },
          { key: 'dead', title: 'DEAD', as: 'number', alarms: true },
          { key: 'paused', title: 'PAUSED', as: 'flag', alarms: true },
          { key: 'consumers', title: 'CONSUMERS', as: 'number' },
          { key: 'oldestWaitingMs', title: 'OLDEST', as: 'duration' },
        ],
        queues,
        'there are no queues on this broker',
      ),
      ...(pausedTasks.length === 0 ? [] : [table(PAUSED_TASKS, pausedTasks, '')]),
    ],
    notes: describeBeat(beat),
    problems: describeGaps(replies),
    exitCode: exitCodeOf(replies),
  }),
});

/** Beside the tables, whose lines a pipe reads. Where nothing is scheduled, nobody need lead. */
function describeBeat({ leader, standby, entries }: BeatStatus): string[] {
  if (leader === null && entries === 0) return [];
  const kept = countOf(entries, 'schedule entry', 'schedule entries');
  const others = standby.length === 0 ? '' : `, ${standby.length} on standby`;
  return [leader === null ? `no beat leads; ${kept}${others}` : `beat: ${leader} leads, ${kept}${others}`];
}
