import { defineCommand, type Values } from '../../command.ts';
import { describeFiring, stateOfEntry } from '../../entry-view.ts';
import { readChoice, readInteger, readText } from '../../option-values.ts';
import { table } from '../../presentation.ts';

const DEFAULT_LIMIT = 100;
const ORDERS = ['name', 'next'] as const;

interface Options {
  readonly where?: string;
  readonly sort?: string;
  readonly limit?: string;
}

export const scheduleList = defineCommand({
  name: 'schedule list',
  summary: 'List schedule entries: when they fire next, when they fired last and how it ended',
  details: [
    'LAST and OUTCOME are those of the latest firing that a worker has started, RUNS counts the firings of the schedule alone.',
    'An entry is overdue when its next firing was due over a minute ago and nobody went on from it. Job schedulers that another BullMQ',
    'application made are listed too, as source bullmq.',
  ].join('\n'),
  options: [
    { flags: '--where <pattern>', summary: "those whose name fits a pattern, 'report.*', or begins so, 'report.'" },
    { flags: '--sort <order>', summary: 'name, or next: the next due first; name without it', choices: ORDERS },
    { flags: '--limit <number>', summary: `entries to list, ${DEFAULT_LIMIT} without it` },
  ],
  examples: [
    { command: 'tq schedule list', does: 'the first hundred entries by name' },
    { command: 'tq schedule list --sort next --limit 10', does: 'what fires next' },
    { command: "tq schedule list --where 'report.*' --json", does: 'some of them, as JSON' },
  ],
  json: [
    ...['name', 'task', 'queue', 'schedule', 'timezone', 'enabled', 'source', 'nextAt', 'lastAt', 'runs'],
    'lastState',
  ],
  operation: async () => (await import('../../../ops/list-entries.ts')).listEntries,
  toInput: ({ options }: Values<Options>) => ({
    where: readText(options.where, '--where'),
    sort: readChoice(options.sort, '--sort', ORDERS),
    limit: readInteger(options.limit, '--limit', { min: 1, max: 10_000 }) ?? DEFAULT_LIMIT,
  }),
  present: ({ entries, isFull, firing, now }) => ({
    json: entries.map(
      ({ name, task, queue, schedule, timezone, enabled, source, nextAt, lastAt, runs, lastState }) => ({
        ...{ name, task, queue, schedule, timezone, enabled, source, nextAt, lastAt, runs, lastState },
      }),
    ),
    blocks: [
      table(
        [
          { key: 'name', title: 'NAME', as: 'text', shrinks: true },
          { key: 'task', title: 'TASK', as: 'text', shrinks: true },
          { key: 'queue', title: 'QUEUE', as: 'text', leaves: true },
          { key: 'schedule', title: 'FIRES', as: 'text', shrinks: true },
          { key: 'status', title: 'STATUS', as: 'text' },
          { key: 'nextAt', title: 'NEXT', as: 'instant' },
          { key: 'lastAt', title: 'LAST', as: 'instant', leaves: true },
          { key: 'lastState', title: 'OUTCOME', as: 'state' },
          { key: 'runs', title: 'RUNS', as: 'number' },
        ],
        entries.map((entry) => ({ ...entry, status: stateOfEntry(entry, now) })),
        'there are no schedule entries; `tq schedule add` adds one',
      ),
    ],
    notes: [
      ...(isFull ? ['there may be more; --limit lists more of them'] : []),
      ...entries.flatMap(({ error }) => (error === null ? [] : [error])),
      ...describeFiring(entries, firing, now),
    ],
  }),
});
