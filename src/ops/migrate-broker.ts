import { strictObject } from 'valibot';
import type { Broker, Migration } from '../engine/broker/port.ts';
import { defineOperation } from './operation.ts';

/** What was migrated, and its schema versions before and after. */
export interface BrokerMigration extends Migration {
  readonly kind: Broker['kind'];
  /** Those of the result store; null when results are in the broker alone. */
  readonly results: Migration | null;
}

export const migrateBroker = defineOperation({
  name: 'migrate-broker',
  effect: 'write',
  // It makes the tables that the audit stands in.
  isAudited: 'late',
  summary: 'Create or upgrade the schemas of the broker and of the result store',
  input: strictObject({}),
  async plan(session) {
    const { kind, url } = await session.broker({ skipSchema: true });
    const results = await session.results({ skipSchema: true });
    const more = results === undefined ? '' : `; would create the table of results of ${results.url}, or upgrade it`;
    return { summary: SUMMARIES[kind](url) + more, count: 0, rows: [] };
  },
  async run(session): Promise<BrokerMigration> {
    const broker = await session.broker({ skipSchema: true });
    const { from, to } = await broker.migrate();
    const results = await session.results({ skipSchema: true });
    return { kind: broker.kind, from, to, results: (await results?.migrate()) ?? null };
  },
  commandLine: () => ['migrate'],
});

const SUMMARIES: Record<Broker['kind'], (url: string) => string> = {
  redis: (url) => `would change nothing: Redis has no schema (${url})`,
  postgres: (url) => `would create the schema of ${url}, or upgrade it if it is older than this version needs`,
  sqlite: (url) => `would create or upgrade the tables of ${url}, as its next use by a call or a worker does`,
};
