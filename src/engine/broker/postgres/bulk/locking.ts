import type { Query } from '../transaction.ts';

/**
 * BullMQ's own locks, in the order in which its functions take them: queues, unique keys, parents; after these the rows of jobs, by id.
 * Two that take many in different orders would wait for each other; PostgreSQL ends one of them, and it is done again.
 */

/** The rows that these jobs have; those that somebody else has just taken or removed are looked at again once that is committed. */
export const LOCKED = 'ORDER BY id FOR UPDATE';

/** A queue that is obliterated takes no job meanwhile. */
export async function lockQueues(query: Query, queues: readonly string[]): Promise<void> {
  const entries = [...new Set(queues)].map((queue) => ({ queue }));
  await query('SELECT lock_producer_queues($1::jsonb)', [JSON.stringify(entries)]);
}

const LOCK = `SELECT pg_advisory_xact_lock(key) FROM (
    SELECT DISTINCT hashtext(name) AS key FROM unnest($1::text[]) AS name ORDER BY 1 OFFSET 0) AS wanted`;

export async function lockUniqueKeys(query: Query, queue: string, keys: readonly string[]): Promise<void> {
  if (keys.length > 0) await query(LOCK, [keys.map((key) => `bullmq:dedup:${queue}:${key}`)]);
}

export interface JobName {
  readonly queue: string;
  readonly id: string;
}

/** Nobody else settles a child of these meanwhile. */
export async function lockParents(query: Query, parents: readonly JobName[]): Promise<void> {
  if (parents.length > 0) await query(LOCK, [parents.map(({ queue, id }) => `bullmq:parent:${queue}:${id}`)]);
}

const PARENTS = `SELECT DISTINCT parent_queue AS queue, parent_id AS id FROM job
  WHERE queue = $1 AND id = ANY($2) AND parent_id IS NOT NULL AND parent_queue IS NOT NULL`;

export async function lockParentsOf(query: Query, queue: string, ids: readonly string[]): Promise<void> {
  await lockParents(query, await query<JobName>(PARENTS, [queue, ids]));
}
