import { createHash } from 'node:crypto';
import type pg from 'pg';
import type { NewResultRow } from './result-port.ts';
import { COLUMN_NAMES, COLUMNS, REPLACED, toRecord } from './result-tables.ts';

/** The connection knows no statement of this name, or one that it was not told of: a pooler stands in between. */
const NOT_PREPARED = new Set<unknown>(['26000', '42P05']);

/**
 * Writes rows with one statement for any number of them, which each connection parses and plans once: for few rows that is half
 * of what PostgreSQL has to do. A pooler that gives each transaction another connection may not know it; from the first refusal
 * on, the statement is sent whole.
 *
 * @returns rejects with what the driver throws
 */
export function createInsert(
  pool: Pick<pg.Pool, 'query'>,
  schema: string,
): (rows: readonly NewResultRow[]) => Promise<void> {
  const text = createStatement(schema);
  // Behind a pooler another program may have prepared a statement of this name: then it is the same one.
  const name = `tq_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
  let isPrepared = true;
  return async (rows) => {
    const records = rows.map(toRecord);
    const values = COLUMN_NAMES.map((column) => records.map((record) => record[column]));
    if (isPrepared) {
      try {
        await pool.query({ name, text, values });
        return;
      } catch (error) {
        if (!NOT_PREPARED.has((error as { code?: unknown }).code)) throw error;
        isPrepared = false;
      }
    }
    await pool.query({ text, values });
  };
}

/**
 * The rows come as one array a column, which PostgreSQL reads at less cost than JSON. What is JSON comes as text and is stored as it
 * was written.
 */
function createStatement(schema: string): string {
  const arrays = COLUMN_NAMES.map(
    (name, index) => `$${index + 1}::${COLUMNS[name].startsWith('number') ? 'bigint' : 'text'}[]`,
  );
  const selected = COLUMN_NAMES.map((name) => (COLUMNS[name] === 'json?' ? `${name}::json` : name));
  const names = COLUMN_NAMES.join(', ');
  return `INSERT INTO "${schema}".results AS results (${names})
    SELECT ${selected.join(', ')} FROM unnest(${arrays.join(', ')}) AS given(${names})
    ON CONFLICT (id, queue) DO UPDATE SET ${REPLACED} WHERE excluded.started_at_ms > results.started_at_ms`;
}
