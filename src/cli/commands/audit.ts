import { parseAuditQuery } from '../../ops/list-audit.ts';
import { defineCommand, type Values } from '../command.ts';
import { readInteger, readText } from '../option-values.ts';
import { table } from '../presentation.ts';

const DEFAULT_LIMIT = 50;

export const audit = defineCommand({
  name: 'audit',
  summary: 'List who changed what, the last first',
  details: [
    'Every run of a command that changed something, also one that failed or was stopped; calls are not among them. It is kept with the',
    'broker, for 90 days and at most 10,000 runs. A run that has no end is under way, or its process died.',
  ].join('\n'),
  options: [
    {
      flags: '--where <query>',
      summary: "only those that a query takes: 'operation:purge-* age<1d' (docs/operations.md)",
    },
    { flags: '--limit <number>', summary: `runs to list, ${DEFAULT_LIMIT} without it` },
  ],
  examples: [
    { command: 'tq audit', does: 'what was done last' },
    { command: "tq audit --where 'user:ada age<1d -end:done'", does: 'what did not go through for somebody today' },
    { command: 'tq audit --limit 1000 --json', does: 'as JSON' },
  ],
  json: [
    ...['id', 'operation', 'command', 'user', 'host', 'profile', 'at', 'endedAt', 'end', 'planned', 'changed', 'error'],
    ...['undoneBy', 'undo'],
  ],
  operation: async () => (await import('../../ops/list-audit.ts')).listAudit,
  toInput({ options }: Values<{ where?: string; limit?: string }>) {
    const where = readText(options.where, '--where');
    // Mistakes are found here, before anything is opened.
    if (where !== undefined) parseAuditQuery(where);
    return { where, limit: readInteger(options.limit, '--limit', { min: 1, max: 10_000 }) ?? DEFAULT_LIMIT };
  },
  present: (rows) => ({
    json: rows,
    blocks: [
      table(
        [
          { key: 'at', title: 'WHEN', as: 'instant' },
          { key: 'id', title: 'ID', as: 'text' },
          { key: 'user', title: 'USER', as: 'text' },
          { key: 'host', title: 'HOST', as: 'text' },
          { key: 'profile', title: 'PROFILE', as: 'text' },
          { key: 'command', title: 'COMMAND', as: 'text', shrinks: true },
          { key: 'end', title: 'END', as: 'text' },
          { key: 'changed', title: 'CHANGED', as: 'number' },
          { key: 'undo', title: 'UNDO', as: 'text' },
          { key: 'undoneBy', title: 'UNDONE BY', as: 'text' },
        ],
        rows,
        'nothing was changed yet, or the audit is of another broker',
      ),
    ],
  }),
});
