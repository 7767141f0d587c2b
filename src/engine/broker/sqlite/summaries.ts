import { cutStack, MARKER_BEGIN, MAX_MARKER, MESSAGE_HEAD, parseField } from '../job-summary.ts';
import type { SummaryRecord } from '../store.ts';
import type { Database } from './database.ts';
import { dueAtOf } from './job-place.ts';
import { STATE_NAMES } from './schema.ts';

/** A result, which may be megabytes, is looked at and not handed out. The last stack is cut here: each look at it there reads them all. */
const LIST = `SELECT id, name, state, attempts_made, processed_by, deferred_failure, timestamp, rank, processed_on, finished_on,
    progress, substr(failed_reason, 1, ${MESSAGE_HEAD}),
    CASE WHEN json_valid(stacktrace) THEN json_extract(stacktrace, '$[#-1]') END,
    CASE WHEN substr(return_value, 1, ${MARKER_BEGIN.length}) = '${MARKER_BEGIN}' AND length(return_value) <= ${MAX_MARKER}
      THEN return_value END
  FROM job WHERE queue_id = (SELECT queue_id FROM queue WHERE prefix = ?1 AND name = ?2)
    AND id IN (SELECT value FROM json_each(?3))`;

export async function listSummaries(
  database: Database,
  { prefix, queue, ids }: { prefix: string; queue: string; ids: readonly string[] },
): Promise<(SummaryRecord | null)[]> {
  const rows = await database.readAlone(({ connection }) => connection.all(LIST, prefix, queue, JSON.stringify(ids)));
  const records = new Map(rows.map((row) => [row[0] as string, toRecord(row)]));
  return ids.map((id) => records.get(id) ?? null);
}

function toRecord(row: readonly unknown[]): SummaryRecord {
  const [, name, code, attemptsMade, processedBy, deferredFailure, timestamp, rank, processedOn, finishedOn] = row;
  const [progress, failedReason, stack, marker] = row.slice(10) as (string | null)[];
  const state = STATE_NAMES.get(code) ?? '';
  return {
    state,
    dueAt: state === 'delayed' ? dueAtOf(rank as number) : null,
    name: name as string,
    timestamp: timestamp as number,
    attemptsMade: attemptsMade as number,
    ...(typeof processedOn === 'number' && { processedOn }),
    ...(typeof finishedOn === 'number' && { finishedOn }),
    ...(typeof processedBy === 'string' && { processedBy }),
    ...(typeof deferredFailure === 'string' && { deferredFailure }),
    ...(typeof failedReason === 'string' && { failedReason }),
    ...(typeof stack === 'string' && { stackHead: cutStack(stack) }),
    progress: parseField(progress),
    ...(typeof marker === 'string' && { returnvalue: marker }),
  };
}
