import type { JobJson } from 'bullmq';
import { escapeLike, type FilterDialect, toSqlCondition } from '../sql-filter.ts';
import type { IdScan, ScannedIds, WholeRecord } from '../store.ts';

type Query = <Row>(text: string, values: unknown[]) => Promise<Row[]>;

/** By which columns the jobs of a place stand in order. The last one tells all others apart. Those of BullMQ's indexes come first. */
const ORDERS = {
  waiting: ['priority', 'seq', 'id'],
  active: ['processed_at_ms', 'id'],
  scheduled: ['process_at_ms', 'id'],
  blocked: ['seq', 'id'],
  dead: ['finished_at_ms', 'id'],
  completed: ['finished_at_ms', 'id'],
} as const satisfies Record<IdScan['place'], readonly string[]>;

const STATES = {
  waiting: 'waiting',
  active: 'active',
  scheduled: 'delayed',
  blocked: 'waiting-children',
  dead: 'failed',
  completed: 'completed',
} as const satisfies Record<IdScan['place'], string>;

const CASTS: Readonly<Record<string, string>> = { id: 'text', priority: 'integer' };

/** Rows that a page with a filter looks at: some milliseconds of reading. */
const LOOKED_AT = 5000;

interface Cursor {
  /** What the last row that was looked at has in the columns of the order. */
  readonly last: readonly (string | number)[];
  /** The same of the row that was the last when the scan began: what is put behind it meanwhile is not met. */
  readonly stop: readonly (string | number)[];
}

interface Row {
  readonly id: string;
  readonly key: readonly string[];
  readonly looked: string;
}

/** A page of ids by the values of the page before, so that no transaction is held between them. */
export async function scanIds(query: Query, queue: string, scan: IdScan): Promise<ScannedIds> {
  const { place, from, filter, limit } = scan;
  const columns: readonly string[] = ORDERS[place];
  const cursor = scan.after as Cursor | undefined;
  const stop = cursor?.stop ?? (await readEnd(query, queue, scan));
  if (stop === undefined) return { ids: [], next: undefined };
  const [behind, within] = from === 'first' ? ['>', '<='] : ['<', '>='];
  const count = filter === undefined ? limit : LOOKED_AT;
  const bounds = [`(${columns.join()}) ${within} (${toParameters(columns, 2)})`];
  if (cursor !== undefined) bounds.push(`(${columns.join()}) ${behind} (${toParameters(columns, 2 + columns.length)})`);
  const rows = await query<Row>(
    // The last row that was looked at is given in any case: it is where the next page begins.
    `WITH page AS MATERIALIZED (
       SELECT id, ${toKey(columns)} AS key, ${toSqlCondition(filter, DIALECT)} AS hit,
         row_number() OVER (ORDER BY ${toOrder(columns, from)}) AS place
       FROM job WHERE queue = $1 AND state = '${STATES[place]}' AND ${bounds.join(' AND ')}
       ORDER BY ${toOrder(columns, from)} LIMIT ${count})
     SELECT id, key, (SELECT count(*) FROM page) AS looked FROM page
     WHERE hit OR place = (SELECT max(place) FROM page) ORDER BY place`,
    [queue, ...stop, ...(cursor?.last ?? [])],
  );
  const end = rows.at(-1);
  const isOver = end === undefined || Number(end.looked) < count;
  return { ids: rows.map(({ id }) => id), next: isOver ? undefined : ({ last: end.key, stop } satisfies Cursor) };
}

/** Where the row stands that the scan meets last. */
async function readEnd(query: Query, queue: string, { place, from }: IdScan): Promise<readonly string[] | undefined> {
  const columns: readonly string[] = ORDERS[place];
  const [row] = await query<{ key: readonly string[] }>(
    `SELECT ${toKey(columns)} AS key FROM job WHERE queue = $1 AND state = '${STATES[place]}'
       ORDER BY ${toOrder(columns, from === 'first' ? 'last' : 'first')} LIMIT 1`,
    [queue],
  );
  return row?.key;
}

function toKey(columns: readonly string[]): string {
  return `ARRAY[${columns.map((column) => `${column}::text`).join()}]`;
}

function toOrder(columns: readonly string[], from: IdScan['from']): string {
  return columns.map((column) => `${column} ${from === 'first' ? 'ASC' : 'DESC'}`).join();
}

function toParameters(columns: readonly string[], first: number): string {
  return columns.map((column, index) => `$${first + index}::${CASTS[column] ?? 'bigint'}`).join();
}

const quote = (text: string): string => `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;

const toLike = (pattern: string): string => escapeLike(pattern).replaceAll('*', '%');

const contains = (column: string, text: string): string => `${column} ILIKE ${quote(`%${escapeLike(text)}%`)}`;

const DIALECT: FilterDialect = {
  is: (column, text) => `${column} = ${quote(text)}`,
  like: (column, pattern) => `${column} LIKE ${quote(toLike(pattern))}`,
  contains,
  texts: { id: 'id', task: 'name', worker: 'processed_by' },
  error: (text) =>
    `(${contains("coalesce(failed_reason, '')", text)} OR ${contains("coalesce(stacktrace::text, '')", text)}
      OR coalesce(jsonb_typeof(return_value) = 'object' AND return_value ? '$tq', false))`,
  numbers: {
    attemptsMade: 'attempts_made',
    createdAt: 'added_at_ms',
    finishedAt: 'finished_at_ms',
    startedAt: 'processed_at_ms',
  },
};

/** The sizes are those of the stored, perhaps compressed values: what is read may be some times as large. */
const READ = `WITH wanted AS (
    SELECT job.ctid AS at, place, coalesce(pg_column_size(data), 0) + coalesce(pg_column_size(return_value), 0) AS size
    FROM unnest($2::text[]) WITH ORDINALITY AS given(id, place) JOIN job ON job.queue = $1 AND job.id = given.id),
  summed AS (SELECT at, place, sum(size) OVER (ORDER BY place) AS total FROM wanted),
  fitting AS (SELECT at, place FROM summed WHERE total <= $3 OR place = 1 OR place = (SELECT min(place) FROM wanted))
  SELECT fitting.place, (SELECT min(place) FROM summed WHERE place NOT IN (SELECT place FROM fitting)) AS beyond,
    job.id, name, state::text AS state, data::text AS data, opts, progress::text AS progress, priority, attempts_made,
    attempts_started, added_at_ms, process_at_ms, processed_at_ms, finished_at_ms, delay_ms, failed_reason,
    stacktrace::text AS stacktrace, return_value::text AS return_value, parent_key, scheduler_id, dedup_id, deferred_failure,
    processed_by, stalled_count
  FROM fitting JOIN job ON job.ctid = fitting.at ORDER BY fitting.place`;

interface WholeRow {
  readonly place: string;
  readonly beyond: string | null;
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly data: string;
  readonly opts: JobJson['opts'];
  readonly progress: string | null;
  readonly priority: number;
  readonly attempts_made: number;
  readonly attempts_started: number;
  /** The driver gives a bigint as text. */
  readonly added_at_ms: string;
  readonly process_at_ms: string | null;
  readonly processed_at_ms: string | null;
  readonly finished_at_ms: string | null;
  readonly delay_ms: string;
  readonly failed_reason: string | null;
  readonly stacktrace: string | null;
  readonly return_value: string | null;
  readonly parent_key: string | null;
  readonly scheduler_id: string | null;
  readonly dedup_id: string | null;
  readonly deferred_failure: string | null;
  readonly processed_by: string | null;
  readonly stalled_count: number;
}

/** @returns as many of the jobs, from the first on, as hold `maxBytes`, at least one; null for one that is not there */
export async function readWhole(
  query: Query,
  queue: string,
  ids: readonly string[],
  maxBytes: number,
): Promise<(WholeRecord | null)[]> {
  const rows = await query<WholeRow>(READ, [queue, ids.filter((id) => !id.includes('\0')), maxBytes]);
  const found = new Map(rows.map((row) => [row.id, toWhole(row)]));
  const beyond = rows[0]?.beyond;
  const count = beyond == null ? ids.length : Number(beyond) - 1;
  return ids.slice(0, count).map((id) => found.get(id) ?? null);
}

function toWhole(row: WholeRow): WholeRecord {
  const number = (value: string | null): number | undefined => (value === null ? undefined : Number(value));
  const json: { [Field in keyof JobJson]: JobJson[Field] | undefined } = {
    id: row.id,
    name: row.name,
    data: row.data,
    opts: row.opts,
    progress: row.progress === null ? 0 : JSON.parse(row.progress),
    priority: row.priority,
    attemptsMade: row.attempts_made,
    attemptsStarted: row.attempts_started,
    timestamp: Number(row.added_at_ms),
    delay: number(row.delay_ms),
    processedOn: number(row.processed_at_ms),
    finishedOn: number(row.finished_at_ms),
    failedReason: row.failed_reason ?? undefined,
    stacktrace: row.stacktrace ?? '[]',
    returnvalue: row.return_value ?? 'null',
    parentKey: row.parent_key ?? undefined,
    repeatJobKey: row.scheduler_id ?? undefined,
    deduplicationId: row.dedup_id ?? undefined,
    deferredFailure: row.deferred_failure ?? undefined,
    processedBy: row.processed_by ?? undefined,
    stalledCounter: row.stalled_count,
  };
  const dueAt = row.state === 'delayed' ? (number(row.process_at_ms) ?? null) : null;
  return { json: json as JobJson, state: row.state, dueAt };
}
