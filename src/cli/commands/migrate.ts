import type { BrokerMigration } from '../../ops/migrate-broker.ts';
import { defineCommand } from '../command.ts';
import { sharedOptions } from '../options.ts';
import { line } from '../presentation.ts';

export const migrate = defineCommand({
  name: 'migrate',
  summary: 'Create or upgrade the schemas of the broker and of the result store',
  details:
    'PostgreSQL keeps jobs in tables of a schema; workers that find it missing or old say so and exit. SQLite makes and\nupgrades its tables by itself, Redis has none: there is nothing to do there. The same holds for a result store.',
  options: [sharedOptions.results],
  examples: [
    { command: 'tq migrate --dry-run', does: 'see what would happen' },
    { command: 'tq migrate --broker postgres://localhost/jobs', does: 'create or upgrade the schema' },
  ],
  json: ['from', 'to', 'results'],
  operation: async () => (await import('../../ops/migrate-broker.ts')).migrateBroker,
  toInput: () => ({}),
  present: ({ kind, from, to, results }) => ({
    json: { from, to, results },
    blocks: [line(describe({ from, to })), ...(results === null ? [] : [line(`results: ${describe(results)}`)])],
    notes: kind === 'sqlite' ? ['SQLite makes and upgrades its tables by itself, whenever a file is opened'] : [],
  }),
});

function describe({ from, to }: Pick<BrokerMigration, 'from' | 'to'>): string {
  if (to === null) return 'this broker has no schema; nothing to do';
  if (from === null) return `created the schema, version ${to}`;
  return from === to ? `the schema is current, version ${to}` : `upgraded the schema from version ${from} to ${to}`;
}
