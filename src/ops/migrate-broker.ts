import { strictObject } from 'valibot';
import type { Migration } from '../engine/broker/port.ts';
import { defineOperation } from './operation.ts';

export const migrateBroker = defineOperation({
  name: 'migrate-broker',
  effect: 'write',
  summary: 'Create or upgrade the schema of the broker',
  input: strictObject({}),
  async plan(session) {
    const { kind, url } = await session.broker({ skipSchema: true });
    const summary =
      kind === 'redis'
        ? `would change nothing: Redis has no schema (${url})`
        : `would create the schema of ${url}, or upgrade it if it is older than this version needs`;
    return { summary, count: 0, rows: [] };
  },
  async run(session): Promise<Migration> {
    const { from, to } = await (await session.broker({ skipSchema: true })).migrate();
    return { from, to };
  },
  commandLine: () => ['migrate'],
});
