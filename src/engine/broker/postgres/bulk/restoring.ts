import type { JobRecord } from '../../../core/job-record.ts';
import type { Restored } from '../../bulk-port.ts';
import { holdOf, isUnfinished, leftBehind } from '../../record-values.ts';
import type { Query, Transact } from '../transaction.ts';
import { joinFamilies, readTies, type Ties } from './families.ts';
import { type JobName, lockParents, lockQueues, lockUniqueKeys } from './locking.ts';
import { storable } from './record-reading.ts';
import { insertRows, STATES } from './row-inserting.ts';
import { tellEvents, toldOfPlace, wakeWorkers } from './telling.ts';

/** PostgreSQL: 22 data exception, 23 constraint violation, 54 program limit exceeded (Appendix A of its manual). */
const UNSTORABLE = /^(22|23|54)/;

/**
 * Puts recorded jobs back, in one transaction:
 *
 * 1. A job whose id is there is left as it is. One that was still to run, and that its parent has gone on without, is refused.
 * 2. Each gets its row with its old number, its log, what it knew of its children, and its unique key if nobody else holds it.
 * 3. Families are put together again (families.ts).
 *
 * A page with a job that PostgreSQL cannot store is done again job by job, so that this one alone is refused.
 */
export async function restoreJobs(
  transact: Transact,
  queue: string,
  records: readonly JobRecord[],
  now: number,
): Promise<Restored[]> {
  try {
    return await transact((query) => restorePage(query, queue, records, Math.floor(now)));
  } catch (error) {
    const { code, message } = error as { code?: unknown; message: string };
    if (typeof code !== 'string' || !UNSTORABLE.test(code)) throw error;
    if (records.length === 1) {
      return records.map(({ id }) => ({ id, kind: 'refused', reason: `PostgreSQL cannot store it: ${message}` }));
    }
  }
  const answers: Restored[] = [];
  for (const record of records) answers.push(...(await restoreJobs(transact, queue, [record], now)));
  return answers;
}

async function restorePage(
  query: Query,
  queue: string,
  records: readonly JobRecord[],
  now: number,
): Promise<Restored[]> {
  const parents = records.flatMap(({ parent }): JobName[] => (parent === null ? [] : [parent]));
  await lockQueues(query, [queue, ...parents.map((parent) => parent.queue)]);
  await lockUniqueKeys(
    query,
    queue,
    records.flatMap(({ unique }) => unique ?? []),
  );
  const ofChildren = records.filter(({ children }) => children.length > 0).map(({ id }) => ({ queue, id }));
  await lockParents(query, [...parents, ...ofChildren]);
  const ids = storable(records.map(({ id }) => id));
  const present = new Set((await query<{ id: string }>(PRESENT, [queue, ids])).map(({ id }) => id));
  const absent = firstOfEach(records.filter(({ id }) => !present.has(id)));
  const ties = await readTies(query, queue, absent);
  const refused = findLeftBehind(queue, absent, ties);
  const stored = await insertRows(
    query,
    queue,
    absent.filter((record) => !refused.has(record)),
    now,
  );
  const fresh = absent.filter(({ id }) => stored.has(id));
  await insertLogs(query, queue, fresh);
  await insertHolds(query, queue, fresh, now);
  await joinFamilies(query, queue, fresh, now);
  const told = fresh.flatMap(({ id, place, dueAt }) => toldOfPlace(id, STATES[place], dueAt));
  await tellEvents(query, queue, told);
  if (told.length > 0) await wakeWorkers(query, queue);
  return records.map((record): Restored => {
    const { id } = record;
    if (refused.has(record)) return { id, kind: 'refused', reason: leftBehind(record) };
    return { id, kind: stored.has(id) && fresh.includes(record) ? 'restored' : 'present' };
  });
}

const PRESENT = 'SELECT id FROM job WHERE queue = $1 AND id = ANY($2)';

function firstOfEach(records: readonly JobRecord[]): JobRecord[] {
  const first = new Map<string, JobRecord>();
  for (const record of records) if (!first.has(record.id)) first.set(record.id, record);
  return [...first.values()];
}

/** Jobs that have still to run, whose parent is there and does not wait for them; with them go the jobs that have such a job as parent. */
function findLeftBehind(queue: string, records: readonly JobRecord[], ties: Ties): Set<JobRecord> {
  const refused = new Set<JobRecord>();
  const byId = new Map(records.map((record) => [record.id, record]));
  for (let before = -1; before !== refused.size; ) {
    before = refused.size;
    for (const record of records) {
      const { id, parent } = record;
      if (parent === null || refused.has(record)) continue;
      const recorded = parent.queue === queue ? byId.get(parent.id) : undefined;
      if (recorded !== undefined && refused.has(recorded)) refused.add(record);
      if (!isUnfinished(record)) continue;
      // While its parent is away it runs for itself; the parent that comes back later finds it.
      const state = recorded === undefined ? ties.stateOf(parent) : STATES[recorded.place];
      const link =
        recorded === undefined
          ? ties.linkOf(parent, id)
          : recorded.children.find((child) => child.id === id && child.queue === queue)?.end;
      if (state === undefined || link === 'pending') continue;
      if (state !== 'waiting-children' || link !== undefined) refused.add(record);
    }
  }
  return refused;
}

const INSERT_LOGS = `INSERT INTO job_log (queue, job_id, idx, row)
  SELECT $1, id, idx, row FROM unnest($2::text[], $3::bigint[], $4::text[]) AS line(id, idx, row)`;

async function insertLogs(query: Query, queue: string, records: readonly JobRecord[]): Promise<void> {
  const lines = records.flatMap(({ id, log }) => log.map((row, index) => ({ id, index, row })));
  if (lines.length === 0) return;
  await query(INSERT_LOGS, [
    queue,
    lines.map(({ id }) => id),
    lines.map(({ index }) => index),
    lines.map(({ row }) => row),
  ]);
}

/** $5: now, epoch ms. A key that is held without an end by a job that is gone is free. */
const INSERT_HOLDS = `INSERT INTO dedup (queue, dedup_id, job_id, expire_at_ms)
  SELECT $1, key, id, until FROM unnest($2::text[], $3::text[], $4::bigint[]) AS hold(key, id, until)
  ON CONFLICT (queue, dedup_id) DO UPDATE SET job_id = EXCLUDED.job_id, expire_at_ms = EXCLUDED.expire_at_ms
  WHERE dedup.expire_at_ms <= $5 OR (dedup.expire_at_ms IS NULL
    AND NOT EXISTS (SELECT 1 FROM job WHERE job.queue = dedup.queue AND job.id = dedup.job_id))`;

async function insertHolds(query: Query, queue: string, records: readonly JobRecord[], now: number): Promise<void> {
  const holds = new Map<string, { id: string; until: number | null }>();
  for (const record of records) {
    const { id, unique } = record;
    const hold = holdOf(record);
    if (unique === null || hold === null || holds.has(unique) || (hold.until !== null && hold.until <= now)) continue;
    holds.set(unique, { id, until: hold.until });
  }
  if (holds.size === 0) return;
  const all = [...holds.values()];
  const ids = all.map(({ id }) => id);
  await query(INSERT_HOLDS, [
    queue,
    [...holds.keys()],
    ids,
    all.map(({ until }) => (until === null ? null : Math.floor(until))),
    now,
  ]);
}
