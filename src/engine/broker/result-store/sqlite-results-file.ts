import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { messageOf } from '../../core/errors.ts';
import { isLockedError } from '../sqlite/database-error.ts';
import { loadSqlite } from '../sqlite/sqlite-module.ts';
import { LATEST_VERSION, SQLITE_MIGRATIONS } from './result-tables.ts';
import type { SqliteResultsAddress } from './results-url.ts';
import { assertVersion, unsuitable } from './store-error.ts';

/** "tq" and a 2, as SQLite's application_id: marks the file as one of results. That of a broker has a 1. */
const APPLICATION_ID = 0x74_71_00_02;
/** How long opening waits for another process that makes the tables. The event loop stands meanwhile. */
const OPEN_TIMEOUT_MS = 5000;
const SWITCH_PAUSE_MS = 5;

/**
 * Opens a file of results, makes it when there is none (readable by its owner alone, folder included), and brings its table up
 * to date.
 *
 * @returns the database, and the version that its tables had before; null when there were none
 * @throws RESULTS_UNSUITABLE for a file that is not one of results, is newer than this tq, or cannot be opened
 */
export function openResultsFile(
  { path, synchronous }: SqliteResultsAddress,
  url: string,
): { database: DatabaseSync; from: number | null } {
  if (path !== ':memory:') createFile(path, url);
  const { DatabaseSync } = loadSqlite();
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: OPEN_TIMEOUT_MS });
    assertOurs(database, url);
    writeAhead(database);
    database.exec(`PRAGMA synchronous = ${synchronous === 'full' ? 'FULL' : 'NORMAL'}`);
    const from = migrate(database, url);
    // From here on waiting for a lock is done between turns of the event loop, never inside SQLite.
    database.exec('PRAGMA busy_timeout = 0');
    return { database, from };
  } catch (error) {
    database?.close();
    throw error;
  }
}

/** A file that is there is not touched: closing a descriptor of it would drop the locks that SQLite holds in this process. */
function createFile(path: string, url: string): void {
  if (existsSync(path)) return;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if ((error as { code?: unknown }).code === 'EEXIST') return;
    throw unsuitable(url, messageOf(error), 'give this user the right to write there, or name another file', error);
  }
}

function readPragma(database: DatabaseSync, name: string): number {
  return Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0] as number;
}

function assertOurs(database: DatabaseSync, url: string): void {
  // In one transaction: another process may just be making the table, and sets the mark with it.
  database.exec('BEGIN');
  const mark = readPragma(database, 'application_id');
  const tables = database.prepare("SELECT count(*) AS tables FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'").get();
  database.exec('COMMIT');
  if (mark === APPLICATION_ID || (mark === 0 && tables?.tables === 0)) return;
  const whose = mark === APPLICATION_ID - 1 ? 'it is the database of a broker' : 'it is a database of another program';
  throw unsuitable(url, whose, 'name a file of its own for results; tq makes it when it is not there');
}

/** SQLite does not wait for others that are just doing the same, as it does for locks. */
function writeAhead(database: DatabaseSync): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let waitedMs = 0; ; waitedMs += SWITCH_PAUSE_MS) {
    try {
      database.exec('PRAGMA journal_mode = WAL');
      return;
    } catch (error) {
      if (!isLockedError(error) || waitedMs >= OPEN_TIMEOUT_MS) throw error;
      Atomics.wait(pause, 0, 0, SWITCH_PAUSE_MS);
    }
  }
}

function migrate(database: DatabaseSync, url: string): number | null {
  database.exec('BEGIN IMMEDIATE');
  try {
    const found = readPragma(database, 'user_version');
    if (found > LATEST_VERSION) assertVersion(url, found, LATEST_VERSION);
    for (const migration of SQLITE_MIGRATIONS.slice(found)) database.exec(migration);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    database.exec(`PRAGMA user_version = ${LATEST_VERSION}`);
    database.exec('COMMIT');
    return found === 0 ? null : found;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
