import { closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { createError } from '../../core/errors.ts';
import { Connection } from './connection.ts';
import { explain, isLockedError, unsuitable } from './database-error.ts';
import { APPLICATION_ID, LATEST_VERSION, MIGRATIONS } from './schema.ts';
import { loadSqlite } from './sqlite-module.ts';

export interface DatabaseFile {
  /** Absolute, or `:memory:`. */
  readonly path: string;
  /**
   * `normal`: a commit survives the death of every process; a power cut may take the last ones back, and leaves the file
   * whole. `full`: a commit is on the disk when it is acknowledged, at the cost of waiting for the disk each time.
   */
  readonly synchronous: 'normal' | 'full';
}

/**
 * Every commit writes the pages it changed whole, some five of them for a job that is added alone. Small pages make that a
 * quarter of the bytes of SQLite's default; a deeper tree is the price, and is not felt.
 */
const PAGE_BYTES = 1024;

/** The write-ahead log is copied into the database when it has grown to 16 MiB, so that the disk is waited for rarely. */
const CHECKPOINT_PAGES = (16 * 2 ** 20) / PAGE_BYTES;

/** How long opening waits for another process that makes the tables or recovers the file. The event loop stands meanwhile. */
const OPEN_TIMEOUT_MS = 5000;
const SWITCH_PAUSE_MS = 5;

/**
 * Opens a database file, makes it when there is none (readable by its owner alone, folder included), and brings its
 * tables up to date.
 *
 * @throws BROKER_UNSUITABLE for a file that is not ours, is newer than this tq, or cannot be written; DATABASE_LOCKED
 */
export function openDatabaseFile(file: DatabaseFile): DatabaseSync {
  if (file.path !== ':memory:') createFile(file.path);
  const { DatabaseSync } = loadSqlite();
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file.path, { timeout: OPEN_TIMEOUT_MS });
    const connection = new Connection(database);
    if (assertOurs(connection, file.path) === 'new') {
      // These count only before the first table is made, and setting them writes.
      connection.execute(`PRAGMA page_size = ${PAGE_BYTES}`);
      connection.execute('PRAGMA auto_vacuum = INCREMENTAL');
    }
    writeAhead(connection);
    connection.execute(`PRAGMA synchronous = ${file.synchronous === 'full' ? 'FULL' : 'NORMAL'}`);
    connection.execute(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    connection.execute('PRAGMA cache_size = -32768');
    migrate(connection, file.path);
    // From here on waiting for a lock is done between turns of the event loop, never inside SQLite.
    connection.execute('PRAGMA busy_timeout = 0');
    return database;
  } catch (error) {
    database?.close();
    throw error;
  }
}

/**
 * Which file a path names now; another one after the file was removed and made anew. Undefined where there is none.
 * Windows, which does not remove open files, has no such number for all of its file systems.
 */
export function readIdentity(path: string): string | undefined {
  if (process.platform === 'win32') return path;
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? undefined : `${found.dev}:${found.ino}`;
}

/** The version of a database's tables; null when it has none. */
function readVersion(connection: Connection): number | null {
  const version = connection.get('PRAGMA user_version')?.[0] as number;
  return version === 0 ? null : version;
}

/**
 * The version of a file's tables, read without changing anything.
 *
 * @returns null for a file that is not there, or that has none
 */
export function readFileVersion(path: string): number | null {
  if (path === ':memory:' || !existsSync(path)) return null;
  const { DatabaseSync } = loadSqlite();
  const connection = new Connection(new DatabaseSync(path, { readOnly: true, timeout: OPEN_TIMEOUT_MS }));
  try {
    return readVersion(connection);
  } catch (error) {
    throw explain(path, error);
  } finally {
    connection.close();
  }
}

/**
 * Makes the file when it is not there, for SQLite gives its side files the mode of the database.
 *
 * A file that is there is not touched: closing any descriptor of it would drop the locks that SQLite holds on it in this
 * process (sqlite.org/howtocorrupt.html, 2.2), and other processes would take away the write-ahead log under it.
 */
function createFile(path: string): void {
  if (existsSync(path)) return;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'EEXIST') throw unsuitable(path, error);
  }
}

/** @returns whether there is anything in it yet */
function assertOurs(connection: Connection, path: string): 'new' | 'known' {
  // In one transaction: another process may just be making the tables, and sets the mark with them.
  connection.beginRead();
  const applicationId = connection.get('PRAGMA application_id')?.[0] as number;
  const tables = connection.get("SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'")?.[0] as number;
  connection.commit();
  if (applicationId === APPLICATION_ID) return 'known';
  if (applicationId === 0 && tables === 0) return 'new';
  throw createError('BROKER_UNSUITABLE', {
    url: `sqlite:${path}`,
    reason: 'it is a database of another program',
    remedy: 'name another file; tq makes it when it is not there',
  });
}

/** SQLite does not wait for others that are just doing the same, as it does for locks. */
function writeAhead(connection: Connection): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let waitedMs = 0; ; waitedMs += SWITCH_PAUSE_MS) {
    try {
      connection.execute('PRAGMA journal_mode = WAL');
      return;
    } catch (error) {
      if (!isLockedError(error) || waitedMs >= OPEN_TIMEOUT_MS) throw error;
      Atomics.wait(pause, 0, 0, SWITCH_PAUSE_MS);
    }
  }
}

function migrate(connection: Connection, path: string): void {
  const found = readVersion(connection) ?? 0;
  if (found > LATEST_VERSION) {
    throw createError('BROKER_UNSUITABLE', {
      url: `sqlite:${path}`,
      reason: `its tables have version ${found}, this tq knows up to ${LATEST_VERSION}`,
      remedy: 'upgrade tq on this machine, or name another file',
    });
  }
  if (found === LATEST_VERSION) return;
  connection.beginWrite();
  try {
    // Another process may have done it while this one waited for the lock.
    for (const migration of MIGRATIONS.slice(readVersion(connection) ?? 0)) connection.execute(migration);
    connection.execute(`PRAGMA application_id = ${APPLICATION_ID}`);
    connection.execute(`PRAGMA user_version = ${LATEST_VERSION}`);
    connection.commit();
  } catch (error) {
    connection.rollback();
    throw error;
  }
}
