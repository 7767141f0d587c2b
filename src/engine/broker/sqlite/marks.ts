import { MARK_PREFIX } from '../../core/revocation.ts';
import type { MarkRecord } from '../store.ts';
import type { Connection } from './connection.ts';
import type { Database } from './database.ts';
import { STATE_CODES, STATE_NAMES } from './schema.ts';

const QUEUE = '(SELECT queue_id FROM queue WHERE prefix = ?1 AND name = ?2)';

const MARK = `UPDATE job SET deferred_failure = ?4 WHERE queue_id = ${QUEUE}
  AND id IN (SELECT value FROM json_each(?3)) AND state NOT IN (${STATE_CODES.completed}, ${STATE_CODES.failed})
  AND (deferred_failure IS NULL OR substr(deferred_failure, 1, ${MARK_PREFIX.length}) <> '${MARK_PREFIX}')`;

const LIST = `SELECT id, name, state, attempts_made, processed_by, deferred_failure, scheduler_id, deduplication_id FROM job
  WHERE queue_id = ${QUEUE} AND id IN (SELECT value FROM json_each(?3))`;

/** @param mark without it nothing is written, and nobody who writes is waited for */
export async function listMarks(
  database: Database,
  { prefix, queue, ids, mark }: { prefix: string; queue: string; ids: readonly string[]; mark: string | undefined },
): Promise<(MarkRecord | null)[]> {
  const wanted = JSON.stringify(ids);
  const list = (connection: Connection) => connection.all(LIST, prefix, queue, wanted);
  const rows =
    mark === undefined
      ? await database.read(({ connection }) => list(connection))
      : await database.write(({ connection }) => {
          connection.run(MARK, prefix, queue, wanted, mark);
          return list(connection);
        });
  const records = new Map(
    rows.map(([id, name, state, attemptsMade, processedBy, deferredFailure, schedulerId, deduplicationId]) => [
      id as string,
      {
        name,
        state: STATE_NAMES.get(state) ?? '',
        attemptsMade,
        processedBy,
        deferredFailure,
        schedulerId,
        deduplicationId,
      } as MarkRecord,
    ]),
  );
  return ids.map((id) => records.get(id) ?? null);
}
