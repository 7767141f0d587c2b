import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../../core/clock.ts';
import { createError } from '../../core/errors.ts';
import { isLockedError } from '../sqlite/database-error.ts';
import { createQueryBuilder } from './result-dialect.ts';
import { SQLITE_SEARCH } from './result-filter.ts';
import type { NewResultRow, OpenedResultStore, ResultStore } from './result-port.ts';
import { COLUMN_NAMES, LATEST_VERSION, REPLACED, toRecord } from './result-tables.ts';
import type { SqliteResultsAddress } from './results-url.ts';
import { createRowQueries } from './row-queries.ts';
import { openResultsFile } from './sqlite-results-file.ts';
import { RowRefused, toResultsError, unsuitable } from './store-error.ts';

/** How long an operation waits for another process that holds the file's write lock. */
const BUSY_MS = 5000;
const LONGEST_PAUSE_MS = 50;
/** Primary result codes (sqlite.org/rescode.html) that mean something to an operator. */
const CODES = { readOnly: 8, corrupt: 11, cannotOpen: 14, tooBig: 18, notADatabase: 26 };

const INSERT = `INSERT INTO results (${COLUMN_NAMES.join(', ')}) VALUES (${COLUMN_NAMES.map(() => '?').join(', ')})
  ON CONFLICT (id, queue) DO UPDATE SET ${REPLACED} WHERE excluded.started_at_ms > results.started_at_ms`;

/**
 * Results in a SQLite file of their own, which is made and brought up to date when it is opened.
 *
 * @param openFile replaces how that is done
 */
export function createSqliteResults(
  address: SqliteResultsAddress,
  clock: Clock,
  openFile: typeof openResultsFile = openResultsFile,
): OpenedResultStore {
  // Fit to be used as a URL again.
  const url = `sqlite:${address.path.replace(/[%?]/g, encodeURIComponent)}`;
  let opened: { database: DatabaseSync; from: number | null; insert: StatementSync } | undefined;
  const open = () => {
    if (opened === undefined) {
      const file = openFile(address, url);
      opened = { ...file, insert: file.database.prepare(INSERT) };
    }
    return opened;
  };

  /** Runs what must not be interrupted; while another process holds the lock, other work of this one goes on. */
  const attempt = async <Result>(doing: string, operation: () => Result): Promise<Result> => {
    const startedAt = clock.monotonic();
    for (let pauseMs = 1; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        return operation();
      } catch (error) {
        const waitedMs = Math.round(clock.monotonic() - startedAt);
        if (!isLockedError(error)) throw explain(error, url, doing);
        if (waitedMs >= BUSY_MS) throw lockedTooLong(url, doing, waitedMs);
        await wait(pauseMs);
      }
    }
  };
  const builder = createQueryBuilder('sqlite', ({ sql, parameters, query }) =>
    attempt('reading results', () => {
      const statement = open().database.prepare(sql);
      const values = parameters as (string | number | null)[];
      if (query.kind === 'SelectQueryNode') return { rows: statement.all(...values) };
      return { rows: [], numAffectedRows: BigInt(statement.run(...values).changes) };
    }),
  );

  const store: ResultStore = {
    kind: 'sqlite',
    url,
    ...createRowQueries(builder, SQLITE_SEARCH, clock),
    write: (rows) => attempt(`writing ${rows.length} results`, () => writeAll(open(), rows)),
    async migrate() {
      const { from } = await attempt('migrating', open);
      return { from, to: LATEST_VERSION };
    },
    async describe() {
      const row = await attempt('connecting', () =>
        open().database.prepare('SELECT sqlite_version() AS version').get(),
      );
      return `SQLite ${String(row?.version)}`;
    },
    async close() {
      opened?.database.close();
      opened = undefined;
    },
  };
  return {
    store,
    async connect(doing) {
      await attempt(doing, open);
    },
  };
}

function writeAll(
  { database, insert }: { readonly database: DatabaseSync; readonly insert: StatementSync },
  rows: readonly NewResultRow[],
): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    for (const row of rows) {
      const record = toRecord(row);
      insert.run(...COLUMN_NAMES.map((name) => record[name]));
    }
    database.exec('COMMIT');
  } catch (error) {
    // SQLite has rolled back by itself after some errors, a full disk among them.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function explain(error: unknown, url: string, doing: string): Error {
  const { errcode, message } = error as { errcode?: number; message?: string };
  // Extended codes hold the primary one in their low byte.
  switch (errcode === undefined ? undefined : errcode & 0xff) {
    case undefined:
      return toResultsError(error, url, doing);
    case CODES.tooBig:
      return new RowRefused(message, { cause: error });
    case CODES.notADatabase:
      return unsuitable(url, 'the file is not a SQLite database', 'name another file', error);
    case CODES.corrupt:
      return unsuitable(url, 'the database is damaged', 'bring back what can be read with .recover of sqlite3', error);
    case CODES.readOnly:
    case CODES.cannotOpen:
      return unsuitable(
        url,
        'it cannot be written here',
        'give this user write permission on it and its folder',
        error,
      );
    default:
      return toResultsError(error, url, doing, 'check the disk that the file is on');
  }
}

function lockedTooLong(url: string, doing: string, waitedMs: number): Error {
  const reason = `another process has held its lock for ${waitedMs} ms`;
  const next = 'find what holds it, such as an open transaction in a SQLite shell or a backup';
  return createError('RESULTS_UNAVAILABLE', { url, doing, reason, next });
}
