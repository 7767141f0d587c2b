import { MARKER_BEGIN } from '../job-summary.ts';
import { escapeLike, type FilterDialect, toSqlCondition } from '../sql-filter.ts';
import type { IdScan, ScannedIds, WholeRecord } from '../store.ts';
import type { SqlValue } from './connection.ts';
import type { Database } from './database.ts';
import { dueAtOf } from './job-place.ts';
import { readJob, readJobJson } from './job-row.ts';
import type { OpenQueue } from './open-queue.ts';
import { STATE_CODES, type State } from './schema.ts';

const STATES: Readonly<Record<IdScan['place'], readonly State[]>> = {
  waiting: ['wait', 'prioritized'],
  active: ['active'],
  scheduled: ['delayed'],
  blocked: ['waiting-children'],
  dead: ['failed'],
  completed: ['completed'],
};

/** Rows that a page with a filter looks at: some milliseconds of reading. */
const LOOKED_AT = 5000;

interface Cursor {
  /** Which of the place's states. */
  readonly index: number;
  /** The last row that was looked at; not given, the state begins. */
  readonly last?: { readonly rank: number; readonly seq: number };
  /** The rank that was the last when the scan of the state began: what is put behind it meanwhile is not met. */
  readonly stop: number;
}

export function scanIds(
  database: Database,
  { prefix, queue: name, scan }: { prefix: string; queue: string; scan: IdScan },
): Promise<ScannedIds> {
  return database.readAlone((transaction) => {
    const queue = transaction.queue(prefix, name);
    const states = STATES[scan.place];
    let { index, last, stop } = (scan.after as Cursor | undefined) ?? { index: 0, last: undefined, stop: 0 };
    for (; index < states.length; index += 1) {
      const state = states[index] as State;
      if (last === undefined) {
        const end = readEnd(queue, state, scan.from);
        if (end === undefined) continue;
        stop = end;
      }
      const page = readPage(queue, state, { scan, last, stop });
      const { ids, next } = page;
      if (next !== undefined) return { ids, next: { index, last: next, stop } satisfies Cursor };
      const isOver = index + 1 >= states.length;
      return { ids, next: isOver ? undefined : ({ index: index + 1, stop } satisfies Cursor) };
    }
    return { ids: [], next: undefined };
  });
}

/** The rank of the row that a scan meets last. */
function readEnd(queue: OpenQueue, state: State, from: IdScan['from']): number | undefined {
  const order = from === 'first' ? 'DESC' : 'ASC';
  const sql = `SELECT rank FROM job WHERE queue_id = ? AND state = ? ORDER BY rank ${order} LIMIT 1`;
  return queue.connection.get(sql, queue.id, STATE_CODES[state])?.[0] as number | undefined;
}

function readPage(
  queue: OpenQueue,
  state: State,
  { scan, last, stop }: { scan: IdScan; last: Cursor['last']; stop: number },
): { ids: string[]; next: Cursor['last'] } {
  const { from, filter, limit } = scan;
  const [behind, within, order] = from === 'first' ? ['>', '<=', 'ASC'] : ['<', '>=', 'DESC'];
  const count = filter === undefined ? limit : LOOKED_AT;
  const values: SqlValue[] = [queue.id, STATE_CODES[state], stop];
  if (last !== undefined) values.push(last.rank, last.seq);
  // The row number is part of the index, so that rows of one rank have an order too. The last row that was looked at is given in any
  // case: it is where the next page begins.
  const rows = queue.connection.all(
    `WITH page AS MATERIALIZED (
       SELECT id, rank, seq, ${toSqlCondition(filter, DIALECT)} AS hit FROM job
       WHERE queue_id = ? AND state = ? AND rank ${within} ? ${last === undefined ? '' : `AND (rank, seq) ${behind} (?, ?)`}
       ORDER BY rank ${order}, seq ${order} LIMIT ${count})
     SELECT id, rank, seq, (SELECT count(*) FROM page) FROM page
     WHERE hit OR seq = (SELECT seq FROM page ORDER BY rank ${reverse(order)}, seq ${reverse(order)} LIMIT 1)
     ORDER BY rank ${order}, seq ${order}`,
    ...values,
  );
  const end = rows.at(-1);
  const isOver = end === undefined || (end[3] as number) < count;
  return {
    ids: rows.map(([id]) => id as string),
    next: isOver ? undefined : { rank: end[1] as number, seq: end[2] as number },
  };
}

function reverse(order: string | undefined): string {
  return order === 'ASC' ? 'DESC' : 'ASC';
}

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;

const contains = (column: string, text: string): string =>
  `${column} LIKE ${quote(`%${escapeLike(text)}%`)} ESCAPE '\\'`;

const DIALECT: FilterDialect = {
  is: (column, text) => `${column} = ${quote(text)}`,
  // LIKE of SQLite takes any case; GLOB does not, and has brackets beside the same wildcards.
  like: (column, pattern) => `${column} GLOB ${quote(pattern.replaceAll('[', '[[]'))}`,
  contains,
  texts: { id: 'id', task: 'name', worker: 'processed_by' },
  error: (text) => {
    const tests = [contains('failed_reason', text), contains('stacktrace', text)];
    const marker = `substr(return_value, 1, ${MARKER_BEGIN.length}) = '${MARKER_BEGIN}'`;
    return `(${[...tests, marker].map((each) => `coalesce(${each}, false)`).join(' OR ')})`;
  },
  numbers: {
    attemptsMade: 'attempts_made',
    createdAt: 'timestamp',
    finishedAt: 'finished_on',
    startedAt: 'processed_on',
  },
};

/** @returns as many of the jobs, from the first on, as hold `maxBytes`, at least one; null for one that is not there */
export function readWhole(
  database: Database,
  { prefix, queue: name, ids }: { prefix: string; queue: string; ids: readonly string[] },
  maxBytes: number,
): Promise<(WholeRecord | null)[]> {
  return database.readAlone((transaction) => {
    const queue = transaction.queue(prefix, name);
    const found: (WholeRecord | null)[] = [];
    let bytes = 0;
    for (const id of ids) {
      if (bytes > maxBytes) break;
      const head = readJob(queue, id);
      const json = head === undefined ? undefined : readJobJson(queue, id);
      if (head === undefined || json === undefined) {
        found.push(null);
        continue;
      }
      bytes += json.data.length + String(json.returnvalue ?? '').length;
      const dueAt = head.state === 'delayed' ? dueAtOf(head.rank) : null;
      found.push({ json, state: head.state ?? '', dueAt });
    }
    return found;
  });
}
