import type { ActiveJobs, OrphanedJob } from '../../../engine/control/active-jobs.ts';
import { defineCommand } from '../../command.ts';
import { sharedOptions } from '../../options.ts';
import { type Column, table } from '../../presentation.ts';
import { listRows, presentReplies, REPLY_FIELDS, readAddressed } from '../../worker-replies.ts';

export const inspectActive = defineCommand({
  name: 'inspect active',
  summary: 'List the jobs that the live workers run, and those that no live worker claims',
  details: [
    'A job that is active on the broker and that no live worker claims is orphaned: its worker died, or is silent. It is run',
    'again when its lock has run out, at the latest at the time given; without a time, no live worker serves its queue.',
    'With --destination, orphans are not looked for.',
  ].join('\n'),
  options: [sharedOptions.destination],
  examples: [
    { command: 'tq inspect active', does: 'ask all live workers' },
    { command: 'tq inspect active -d tq@web-1 --json', does: 'what one runs, as JSON' },
  ],
  json: [...REPLY_FIELDS, 'orphaned'],
  operation: async () => (await import('../../../ops/list-active.ts')).listActive,
  toInput: readAddressed,
  present(active) {
    const { orphaned } = active;
    const rows = [...listRows(active), ...(orphaned ?? []).map(toRow)];
    const presentation = presentReplies(active, { blocks: [], json: { orphaned }, notes: describeOrphans(active) });
    // Orphans are shown also when no worker is left to say anything.
    const isKnown = active.answers.size > 0 || rows.length > 0;
    return { ...presentation, blocks: isKnown ? [table(COLUMNS, rows, 'no job is active')] : [] };
  },
});

const COLUMNS: readonly Column[] = [
  { key: 'worker', title: 'WORKER', as: 'text' },
  { key: 'id', title: 'ID', as: 'text' },
  { key: 'task', title: 'TASK', as: 'text', shrinks: true },
  { key: 'queue', title: 'QUEUE', as: 'text', shrinks: true },
  { key: 'attempt', title: 'ATTEMPT', as: 'number' },
  { key: 'runningMs', title: 'RUNNING', as: 'duration' },
  { key: 'pid', title: 'PID', as: 'number' },
  { key: 'requestId', title: 'REQUEST', as: 'text', shrinks: true },
  { key: 'progress', title: 'PROGRESS', as: 'progress' },
  { key: 'orphaned', title: 'ORPHANED', as: 'flag', alarms: true },
  { key: 'recoverAt', title: 'RECOVERED', as: 'instant' },
];

function toRow(job: OrphanedJob): object {
  return { ...job, orphaned: true };
}

function describeOrphans({ orphaned }: ActiveJobs): string[] {
  if (orphaned === null || orphaned.length === 0) return [];
  const forsaken = [...new Set(orphaned.filter(({ recoverAt }) => recoverAt === null).map(({ queue }) => queue))];
  return [
    `${orphaned.length === 1 ? '1 job is' : `${orphaned.length} jobs are`} orphaned: no live worker claims what it runs`,
    ...(forsaken.length === 0 ? [] : [`no live worker serves ${forsaken.join(', ')}, so nobody recovers jobs there`]),
  ];
}
