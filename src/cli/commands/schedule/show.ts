import { formatDuration } from '../../../engine/core/duration.ts';
import type { MissedRule } from '../../../engine/core/schedule/entry.ts';
import type { UpcomingRun } from '../../../engine/core/schedule/upcoming-runs.ts';
import type { ShownDifference, ShownEntry } from '../../../ops/show-entry.ts';
import { defineCommand, type Values } from '../../command.ts';
import { entryArgument } from '../../entry-options.ts';
import { describeFiring, dueTable, stateOfEntry } from '../../entry-view.ts';
import { type Block, line, sheet, table } from '../../presentation.ts';

export const scheduleShow = defineCommand({
  name: 'schedule show',
  summary: 'Show everything about one schedule entry',
  details: [
    'Its schedule in words, the next five due times, the job of the firing ahead, the last run and how it ended, and where an',
    'operator has changed what code declares. `when` in the JSON is the schedule as it was given.',
  ].join('\n'),
  arguments: [entryArgument],
  examples: [
    { command: 'tq schedule show report.nightly', does: 'what it does, when it fires, how it went' },
    { command: 'tq schedule show report.nightly --json', does: 'the same as JSON' },
  ],
  json: [
    ...['name', 'description', 'task', 'args', 'queue', 'schedule', 'when', 'timezone', 'enabled', 'source', 'app'],
    ...['overlap', 'missed', 'call', 'nextAt', 'nextId', 'ahead', 'due'],
    ...[
      'lastDueAt',
      'lastAt',
      'lastFinishedAt',
      'lastId',
      'lastState',
      'runs',
      'differences',
      'createdAt',
      'changedAt',
    ],
  ],
  operation: async () => (await import('../../../ops/show-entry.ts')).showEntry,
  toInput: ({ arguments: [name = ''] }: Values) => ({ name }),
  present: ({ entry, firing, now }) => ({
    json: entry,
    blocks: [describeEntry(entry, now), ...describeDue(entry.due), ...describeDifferences(entry.differences)],
    notes: [
      ...(entry.enabled ? [] : [`it is paused: \`tq schedule resume ${entry.name}\` lets it fire`]),
      ...describeFiring([entry], firing, now),
    ],
  }),
});

function describeEntry(entry: ShownEntry, now: number): Block {
  const { missed, call, lastAt, lastDueAt, lastFinishedAt } = entry;
  return sheet([
    { title: 'name', as: 'text', value: entry.name },
    { title: 'description', as: 'text', value: entry.description },
    { title: 'task', as: 'text', value: entry.task },
    { title: 'args', as: 'json', value: entry.args },
    { title: 'queue', as: 'text', value: entry.queue },
    { title: 'fires', as: 'text', value: entry.schedule },
    { title: 'time zone', as: 'text', value: entry.timezone },
    { title: 'status', as: 'text', value: stateOfEntry(entry, now) },
    {
      title: 'source',
      as: 'text',
      value: entry.app === null ? SOURCES[entry.source] : `code: the app "${entry.app}" declares it`,
    },
    { title: 'overlap', as: 'text', value: entry.overlap },
    { title: 'missed', as: 'text', value: missed === null ? null : describeMissed(missed) },
    { title: 'call', as: 'json', value: call === null || Object.keys(call).length === 0 ? null : call },
    { title: 'runs', as: 'number', value: entry.runs },
    { title: 'next', as: 'instant', value: entry.nextAt },
    { title: 'next job', as: 'text', value: entry.nextId },
    { title: 'last', as: 'instant', value: lastAt },
    {
      title: 'started late by',
      as: 'duration',
      value: lastAt === null || lastDueAt === null || lastAt < lastDueAt ? null : lastAt - lastDueAt,
    },
    // Promoted by hand, or by a clock that was ahead.
    {
      title: 'started early by',
      as: 'duration',
      value: lastAt === null || lastDueAt === null || lastAt >= lastDueAt ? null : lastDueAt - lastAt,
    },
    {
      title: 'ran for',
      as: 'duration',
      value: lastAt === null || lastFinishedAt === null ? null : lastFinishedAt - lastAt,
    },
    { title: 'outcome', as: 'state', value: entry.lastState },
    { title: 'last job', as: 'text', value: entry.lastId },
    { title: 'added', as: 'instant', value: entry.createdAt },
    { title: 'changed', as: 'instant', value: entry.changedAt === entry.createdAt ? null : entry.changedAt },
  ]);
}

/** `once`, `all within 2h, 50 at most`. */
function describeMissed({ policy, windowMs, atMost }: MissedRule): string {
  const within = windowMs === null ? '' : ` within ${formatDuration(windowMs)}`;
  return `${policy}${within}${policy === 'all' ? `, ${atMost} at most` : ''}`;
}

const SOURCES = {
  code: 'code: an app declares it',
  operator: 'operator: added by hand or by a program',
  bullmq: 'bullmq: a job scheduler of another BullMQ application',
} as const;

function describeDue(due: readonly UpcomingRun[]): Block[] {
  return due.length === 0 ? [] : [line(''), line('next due times', 'title'), dueTable(due)];
}

function describeDifferences(differences: readonly ShownDifference[]): Block[] {
  if (differences.length === 0) return [];
  return [
    line(''),
    line('an operator has changed what code declares', 'title'),
    table(
      [
        { key: 'field', title: 'FIELD', as: 'text' },
        { key: 'code', title: 'CODE', as: 'text', shrinks: true },
        { key: 'stored', title: 'STORED', as: 'text', shrinks: true },
      ],
      differences,
      '',
    ),
  ];
}
