import { exactOptional, integer, maxValue, minValue, number, pipe, strictObject, string } from 'valibot';
import { parseQuery, type QueryFields } from '../engine/core/query/query.ts';
import { AuditLog, type AuditRecord } from './audit-log.ts';
import { defineOperation } from './operation.ts';

/** One run of an operation that changed something, flat. Instants are epoch ms. */
export interface AuditRow extends Omit<AuditRecord, 'bundle'> {
  /** The id to undo it with; null when nothing was kept. */
  readonly undo: string | null;
}

/** What `--where` may ask for. */
const FIELDS: QueryFields = {
  id: { kind: 'text' },
  operation: { kind: 'text' },
  command: { kind: 'text' },
  user: { kind: 'text' },
  host: { kind: 'text' },
  profile: { kind: 'text' },
  end: { kind: 'choice', choices: ['running', 'done', 'failed', 'stopped'] },
  age: { kind: 'age', key: 'at' },
  planned: { kind: 'number' },
  changed: { kind: 'number' },
  error: { kind: 'text' },
  undo: { kind: 'text' },
  undoneBy: { kind: 'text' },
};

/** @throws INVALID_QUERY */
export const parseAuditQuery = (text: string) => parseQuery(text, FIELDS);

export const listAudit = defineOperation({
  name: 'list-audit',
  effect: 'read',
  summary: 'List who changed what, the last first',
  input: strictObject({
    where: exactOptional(string()),
    limit: pipe(number(), integer(), minValue(1), maxValue(10_000)),
  }),
  async run(session, { where, limit }): Promise<readonly AuditRow[]> {
    const matches = where === undefined ? () => true : parseAuditQuery(where);
    const now = session.clock.now();
    const rows: AuditRow[] = [];
    for await (const { bundle, ...record } of new AuditLog((await session.broker()).state).list()) {
      const row = { ...record, undo: bundle === null ? null : record.id };
      if (matches(row, now)) rows.push(row);
      if (rows.length === limit) break;
    }
    return rows;
  },
  commandLine: ({ where, limit }) => [
    'audit',
    ...(where === undefined ? [] : ['--where', where]),
    ...['--limit', String(limit)],
  ],
});
