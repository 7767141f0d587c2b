import { MARK_PREFIX } from '../../core/revocation.ts';
import type { MarkRecord } from '../store.ts';

type Query = <Row>(text: string, values: unknown[]) => Promise<Row[]>;

/** Rows are locked in the order of their ids, so that two who mark the same jobs do not wait for each other. */
const MARK = `UPDATE job SET deferred_failure = $3
  WHERE queue = $1 AND id IN (
    SELECT id FROM job WHERE queue = $1 AND id = ANY($2) AND state NOT IN ('completed', 'failed')
      AND (deferred_failure IS NULL OR NOT starts_with(deferred_failure, $4)) ORDER BY id FOR UPDATE)`;

const LIST =
  'SELECT id, name, state, attempts_made, processed_by, deferred_failure, scheduler_id, dedup_id FROM job WHERE queue = $1 AND id = ANY($2)';

interface Row {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly attempts_made: number;
  readonly processed_by: string | null;
  readonly deferred_failure: string | null;
  readonly scheduler_id: string | null;
  readonly dedup_id: string | null;
}

/** Marks first and reads then, each on its own: what is read as not active was marked before any later take. */
export async function listMarks(
  query: Query,
  queue: string,
  ids: readonly string[],
  mark?: string,
): Promise<(MarkRecord | null)[]> {
  // PostgreSQL stores no text with a NUL, so no job has such an id.
  const possible = ids.filter((id) => !id.includes('\0'));
  if (mark !== undefined) await query(MARK, [queue, possible, mark, MARK_PREFIX]);
  const rows = await query<Row>(LIST, [queue, possible]);
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => {
    const row = byId.get(id);
    if (row === undefined) return null;
    const { name, state, attempts_made: attemptsMade, processed_by: processedBy, deferred_failure: failure } = row;
    const { scheduler_id: schedulerId, dedup_id: deduplicationId } = row;
    return { name, state, attemptsMade, processedBy, deferredFailure: failure, schedulerId, deduplicationId };
  });
}
