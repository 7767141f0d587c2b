import { FRAMES_BEGIN } from '../../core/fingerprint.ts';
import { FRAMES_HEAD, MAX_MARKER, MESSAGE_HEAD, STACK_HEAD } from '../job-summary.ts';
import type { SummaryRecord } from '../store.ts';

type Query = <Row>(text: string, values: unknown[]) => Promise<Row[]>;

/** A result, which may be megabytes, is looked at in the server and not sent. */
const LIST = `SELECT id, name, state, attempts_made, processed_by, deferred_failure, added_at_ms, process_at_ms, processed_at_ms,
    finished_at_ms, progress::text AS progress, left(failed_reason, ${MESSAGE_HEAD}) AS failed_reason,
    left(stack, CASE WHEN frames = 0 THEN ${STACK_HEAD} ELSE least(frames - 1, ${STACK_HEAD}) END)
      || CASE WHEN frames = 0 THEN '' ELSE substr(stack, frames, ${FRAMES_HEAD}) END AS stack_head,
    CASE WHEN jsonb_typeof(return_value) = 'object' AND return_value ? '$tq' AND pg_column_size(return_value) <= ${MAX_MARKER}
      THEN return_value::text END AS marker
  FROM job
    CROSS JOIN LATERAL (SELECT CASE WHEN jsonb_typeof(stacktrace) = 'array' THEN stacktrace->>-1 END AS stack) AS last
    CROSS JOIN LATERAL (SELECT strpos(stack, '${FRAMES_BEGIN}') AS frames) AS found
  WHERE queue = $1 AND id = ANY($2)`;

interface Row {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly attempts_made: number;
  readonly processed_by: string | null;
  readonly deferred_failure: string | null;
  /** The driver gives a bigint as text. */
  readonly added_at_ms: string;
  readonly process_at_ms: string | null;
  readonly processed_at_ms: string | null;
  readonly finished_at_ms: string | null;
  readonly progress: string | null;
  readonly failed_reason: string | null;
  readonly stack_head: string | null;
  readonly marker: string | null;
}

export async function listSummaries(
  query: Query,
  queue: string,
  ids: readonly string[],
): Promise<(SummaryRecord | null)[]> {
  // PostgreSQL stores no text with a NUL, so no job has such an id.
  const rows = await query<Row>(LIST, [queue, ids.filter((id) => !id.includes('\0'))]);
  const byId = new Map(rows.map((row) => [row.id, toRecord(row)]));
  return ids.map((id) => byId.get(id) ?? null);
}

function toRecord(row: Row): SummaryRecord {
  const { name, state, process_at_ms: dueAt, processed_at_ms: processedOn, finished_at_ms: finishedOn } = row;
  return {
    state,
    dueAt: state === 'delayed' && dueAt !== null ? Number(dueAt) : null,
    name,
    timestamp: Number(row.added_at_ms),
    attemptsMade: row.attempts_made,
    ...(processedOn !== null && { processedOn: Number(processedOn) }),
    ...(finishedOn !== null && { finishedOn: Number(finishedOn) }),
    ...(row.processed_by !== null && { processedBy: row.processed_by }),
    ...(row.deferred_failure !== null && { deferredFailure: row.deferred_failure }),
    ...(row.failed_reason !== null && { failedReason: row.failed_reason }),
    ...(row.stack_head !== null && { stackHead: row.stack_head }),
    progress: row.progress === null ? undefined : JSON.parse(row.progress),
    ...(row.marker !== null && { returnvalue: row.marker }),
  };
}
