import type { JobRecord } from '../../../core/job-record.ts';
import type { Restored } from '../../bulk-port.ts';
import { holdOf, isUnfinished, leftBehind, ON_DEAD, readOnDead } from '../../record-values.ts';
import type { Query, Transact } from '../transaction.ts';
import { takeNumbers } from './changing.ts';
import { joinFamilies, readTies, type Ties } from './families.ts';
import { type JobName, lockParents, lockQueues, lockUniqueKeys } from './locking.ts';
import { ranksByAge } from './rank-by-age.ts';
import { storable } from './record-reading.ts';
import { tellEvents, toldOfPlace, wakeWorkers } from './telling.ts';

const STATES: Readonly<Record<JobRecord['place'], string>> = {
  waiting: 'waiting',
  active: 'waiting',
  scheduled: 'delayed',
  blocked: 'waiting-children',
  dead: 'failed',
  completed: 'completed',
};

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
  const stored = await insert(
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
      if (state !== undefined && state !== 'waiting-children' && link !== 'pending') refused.add(record);
    }
  }
  return refused;
}

/** Values in the order of the columns; JSON and text alike are given as text. */
const INSERT = `INSERT INTO job (queue, id, seq, name, state, data, opts, priority, delay_ms, max_attempts, attempts_made, attempts_started,
    progress, return_value, failed_reason, stacktrace, deferred_failure, processed_by, added_at_ms, process_at_ms, processed_at_ms,
    finished_at_ms, stalled_count, dedup_id, scheduler_id, parent_queue, parent_id, parent_key)
  SELECT $1, id, seq, name, state::job_state, data::jsonb, opts::jsonb, priority, delay, tries, made, started, progress::jsonb, result::jsonb,
    failure, stacks::jsonb, deferred, worker, created, due, begun, ended, lost, key, scheduler, parent_queue, parent_id,
    parent_queue || ':' || parent_id
  FROM json_to_recordset($2::json) AS given(id text, seq bigint, name text, state text, data text, opts text, priority integer,
    delay bigint, tries integer, made integer, started integer, progress text, result text, failure text, stacks text, deferred text,
    worker text, created bigint, due bigint, begun bigint, ended bigint, lost integer, key text, scheduler text, parent_queue text,
    parent_id text)
  ON CONFLICT (queue, id) DO NOTHING RETURNING id`;

/** @returns the ids of those that were free */
async function insert(query: Query, queue: string, records: readonly JobRecord[], now: number): Promise<Set<string>> {
  if (records.length === 0) return new Set();
  const numbers = await findNumbers(query, queue, records);
  const values = [...numbers].map(([record, seq]) => toValues(record, seq, now));
  const rows = await query<{ id: string }>(INSERT, [queue, JSON.stringify(values)]);
  return new Set(rows.map(({ id }) => id));
}

function toValues(record: JobRecord, seq: number, now: number): Readonly<Record<string, unknown>> {
  const { place, parent, stacks, createdAt, delayMs } = record;
  const options = withOnDead(record);
  const attempts = options['attempts'];
  const dueAt = place === 'scheduled' ? (record.dueAt ?? createdAt + delayMs) : null;
  const isOver = !isUnfinished(record);
  return {
    id: record.id,
    seq,
    name: record.task,
    state: STATES[place],
    data: record.data,
    opts: JSON.stringify(options),
    priority: record.priority,
    delay: Math.floor(delayMs),
    tries: typeof attempts === 'number' ? attempts : 1,
    made: record.attemptsMade,
    started: record.attemptsStarted,
    progress: record.progress,
    result: record.result,
    failure: record.failure,
    stacks: stacks.length === 0 ? null : JSON.stringify(stacks),
    deferred: record.deferredFailure,
    worker: record.worker,
    created: Math.floor(createdAt),
    due: floor(dueAt),
    begun: floor(record.startedAt),
    ended: floor(record.finishedAt ?? (isOver ? now : null)),
    lost: record.workersLost,
    key: record.unique,
    scheduler: record.schedulerId,
    parent_queue: parent?.queue ?? null,
    parent_id: parent?.id ?? null,
  };
}

function floor(value: number | null): number | null {
  return value === null ? null : Math.floor(value);
}

/** Here BullMQ reads in the options of the child what the other stores keep beside the name of the parent. */
function withOnDead({ options, parent }: JobRecord): Readonly<Record<string, unknown>> {
  if (parent === null || parent.onDead === readOnDead(options, 'option')) return options;
  const others = Object.entries(options).filter(([option]) => !ON_DEAD.some(([, , name]) => name === option));
  const option = ON_DEAD.find(([kind]) => kind === parent.onDead)?.[2];
  return { ...Object.fromEntries(others), ...(option !== undefined && { [option]: true }) };
}

const LAST_NUMBER = 'SELECT last_value AS number FROM job_seq';

/** The old numbers where they can be of this store, else by the times of the jobs. In the order in which they are to be stored. */
async function findNumbers(
  query: Query,
  queue: string,
  records: readonly JobRecord[],
): Promise<Map<JobRecord, number>> {
  const [row] = await query<{ number: string }>(LAST_NUMBER, []);
  const last = Number(row?.number ?? 0);
  const numbers = new Map<JobRecord, number>();
  const unplaced: JobRecord[] = [];
  const waiting = new Map<number, JobRecord[]>();
  for (const record of records.toSorted((one, other) => one.createdAt - other.createdAt)) {
    const { rank, priority, place } = record;
    if (rank !== undefined && Number.isInteger(rank) && Math.abs(rank) <= last) numbers.set(record, rank);
    else if (STATES[place] !== 'waiting') unplaced.push(record);
    else if (waiting.get(priority)?.push(record) === undefined) waiting.set(priority, [record]);
  }
  for (const [priority, ofPriority] of waiting) {
    const found = await ranksByAge(query, queue, { records: ofPriority, priority });
    for (const [index, record] of ofPriority.entries()) numbers.set(record, found[index] as number);
  }
  const others = unplaced.length === 0 ? [] : await takeNumbers(query, unplaced.length);
  for (const [index, record] of unplaced.entries()) numbers.set(record, others[index] as number);
  return numbers;
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
  await query(INSERT_HOLDS, [queue, [...holds.keys()], ids, all.map(({ until }) => floor(until)), now]);
}
