import type { Query } from '../transaction.ts';

/** What a transaction says of a queue: its events, and to workers that there is something to look at. */

export interface Told {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const NOW_MS = '(extract(epoch FROM clock_timestamp()) * 1000)::bigint';

const ADD_EVENTS = `WITH told AS (
    INSERT INTO event (queue, event, data, created_at_ms)
    SELECT $1, given.event, given.data, ${NOW_MS} FROM jsonb_to_recordset($2::jsonb) AS given(event text, data jsonb)
    RETURNING id)
  SELECT min(id) AS first, max(id) AS last, pg_notify('bullmq_events', $1) FROM told`;

/**
 * BullMQ drops events with every 256th that its own function adds. A million of these would be left to a worker, and all at once; so they
 * are dropped here too, but not with every page.
 */
const TRIMMED_EVERY = 4096;
const TRIM = `WITH mine AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(hashtext('bullmq:evtrim:' || $1)) AS got)
  DELETE FROM event USING mine WHERE mine.got AND event.queue = $1 AND event.id <= $2::bigint
    - (SELECT COALESCE((SELECT NULLIF(value::integer, 0) FROM meta WHERE queue = $1 AND field = 'opts.maxLenEvents'), 10000))`;

export async function tellEvents(query: Query, queue: string, told: readonly Told[]): Promise<void> {
  if (told.length === 0) return;
  const [row] = await query<{ first: string; last: string }>(ADD_EVENTS, [queue, JSON.stringify(told)]);
  const [first = 0, last = 0] = [row?.first, row?.last].map((id) => Math.floor(Number(id) / TRIMMED_EVERY));
  if (first < last) await query(TRIM, [queue, row?.last]);
}

export async function wakeWorkers(query: Query, queue: string): Promise<void> {
  await query("SELECT pg_notify('bullmq_jobs', $1)", [queue]);
}

/** What is said of a job that has come to a place where it is to run one day; of one that has ended nothing is. */
export function toldOfPlace(id: string, state: string, dueAt: number | null): Told[] {
  if (state === 'failed' || state === 'completed') return [];
  if (state === 'delayed') return [{ event: 'delayed', data: { jobId: id, delay: dueAt } }];
  return [{ event: state, data: { jobId: id } }];
}
