import type { JobRecord } from '../../../core/job-record.ts';
import { isUnfinished, ON_DEAD, readOnDead } from '../../record-values.ts';
import type { Query } from '../transaction.ts';
import { takeNumbers } from './changing.ts';
import { ranksByAge } from './rank-by-age.ts';

/** The state that a job of each place is put back in. */
export const STATES: Readonly<Record<JobRecord['place'], string>> = {
  waiting: 'waiting',
  active: 'waiting',
  scheduled: 'delayed',
  blocked: 'waiting-children',
  dead: 'failed',
  completed: 'completed',
};

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
export async function insertRows(
  query: Query,
  queue: string,
  records: readonly JobRecord[],
  now: number,
): Promise<Set<string>> {
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
