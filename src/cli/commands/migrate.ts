import type { BrokerMigration } from '../../ops/migrate-broker.ts';
import { defineCommand } from '../command.ts';
import { line } from '../presentation.ts';

export const migrate = defineCommand({
  name: 'migrate',
  summary: 'Create or upgrade the schema of the broker',
  details:
    'PostgreSQL keeps jobs in tables of a schema; workers that find it missing or old say so and exit. SQLite makes and\nupgrades its tables by itself, Redis has none: there is nothing to do there.',
  examples: [
    { command: 'tq migrate --dry-run', does: 'see what would happen' },
    { command: 'tq migrate --broker postgres://localhost/jobs', does: 'create or upgrade the schema' },
  ],
  json: ['from', 'to'],
  operation: async () => (await import('../../ops/migrate-broker.ts')).migrateBroker,
  toInput: () => ({}),
  present: ({ kind, from, to }) => ({
    json: { from, to },
    blocks: [line(describe({ from, to }))],
    notes: kind === 'sqlite' ? ['SQLite makes and upgrades its tables by itself, whenever a file is opened'] : [],
  }),
});

function describe({ from, to }: Pick<BrokerMigration, 'from' | 'to'>): string {
  if (to === null) return 'this broker has no schema; nothing to do';
  if (from === null) return `created the schema, version ${to}`;
  return from === to ? `the schema is current, version ${to}` : `upgraded the schema from version ${from} to ${to}`;
}
