import { takeInstant } from '../../core/line.ts';
import type { StateEntry, StateStore } from '../state-port.ts';
import type { SqlRow } from './connection.ts';
import type { Database } from './database.ts';
import type { Transaction } from './transaction.ts';

const LIVE = '(expires_at IS NULL OR expires_at > ?)';
const READ = `SELECT key, value, version, expires_at FROM state WHERE prefix = ? AND key = ? AND ${LIVE}`;
const LIST = `SELECT key, value, version, expires_at FROM state WHERE prefix = ? AND key >= ? AND key < ? AND ${LIVE} ORDER BY key LIMIT ?`;
const LIST_AFTER = LIST.replace('key >= ?', 'key > ?');
const LIST_BACK = LIST.replace('ORDER BY key', 'ORDER BY key DESC');
const SIZE = `SELECT count(*) FROM state WHERE prefix = ? AND key >= ? AND key < ? AND ${LIVE}`;
const REMOVE_LIVE = `DELETE FROM state WHERE prefix = ? AND key = ? AND ${LIVE} AND (? IS NULL OR version = ?)`;
const NEXT_VERSION = 'UPDATE state_version SET last = last + 1 RETURNING last';
const WRITE = `INSERT INTO state (prefix, key, value, version, expires_at) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET value = excluded.value, version = excluded.version, expires_at = excluded.expires_at`;
const REMOVE = 'DELETE FROM state WHERE prefix = ? AND key = ?';
const REMOVE_OVER = [
  'DELETE FROM state WHERE prefix = ? AND expires_at <= ?',
  'DELETE FROM counter WHERE prefix = ? AND expires_at <= ?',
  'DELETE FROM lease WHERE prefix = ? AND expires_at <= ?',
];
const READ_COUNTER = 'SELECT total, expires_at FROM counter WHERE prefix = ? AND key = ? AND expires_at > ?';
const WRITE_COUNTER = `INSERT INTO counter (prefix, key, total, expires_at) VALUES (?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET total = excluded.total, expires_at = excluded.expires_at`;
const READ_LEASE = 'SELECT holder, expires_at FROM lease WHERE prefix = ? AND key = ? AND expires_at > ?';
const WRITE_LEASE = `INSERT INTO lease (prefix, key, holder, expires_at) VALUES (?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at`;
const RELEASE = 'DELETE FROM lease WHERE prefix = ? AND key = ? AND holder = ? AND expires_at > ?';

/** A line is a counter of its next free instant, which is its end too: no line that is over counts. */
const lineKey = (key: string): string => `line:${key}`;
/** The places of a key are one lease: its holder is the record of all holders and when their time is over. */
const placesKey = (key: string): string => `places:${key}`;
const REMOVE_LEASE = 'DELETE FROM lease WHERE prefix = ? AND key = ?';

/** What is over is removed by the writes that come by, at most so often. */
const TIDY_EVERY_MS = 60_000;

/** Above every key that begins so: no text has this character in UTF-8 order behind it. */
const LAST_CHARACTER = '\u{10ffff}';

/** The state beyond jobs, in the database file. */
export function createSqliteState(database: () => Database, prefix: string): StateStore {
  let tidiedAt = Number.NEGATIVE_INFINITY;

  const read = <Result>(operation: (transaction: Transaction, now: number) => Result): Promise<Result> => {
    const now = database().clock.now();
    return database().read((transaction) => operation(transaction, now));
  };
  const write = <Result>(operation: (transaction: Transaction, now: number) => Result): Promise<Result> => {
    const now = database().clock.now();
    return database().write((transaction) => {
      if (Math.abs(now - tidiedAt) >= TIDY_EVERY_MS) {
        tidiedAt = now;
        for (const sql of REMOVE_OVER) transaction.connection.run(sql, prefix, now);
      }
      return operation(transaction, now);
    });
  };
  const readEntry = ({ connection }: Transaction, key: string, now: number): StateEntry | undefined => {
    const row = connection.get(READ, prefix, key, now);
    return row === undefined ? undefined : toEntry(row, now);
  };

  const writeHolders = (
    connection: Transaction['connection'],
    key: string,
    held: ReadonlyMap<string, number>,
  ): void => {
    if (held.size === 0) connection.run(REMOVE_LEASE, prefix, key);
    else connection.run(WRITE_LEASE, prefix, key, JSON.stringify([...held]), Math.max(...held.values()));
  };

  return {
    read: (key) => read((transaction, now) => readEntry(transaction, key, now)),
    write: (key, value, { expected, ttlMs } = {}) =>
      write((transaction, now) => {
        const { connection } = transaction;
        if (expected !== undefined && (readEntry(transaction, key, now)?.version ?? null) !== expected)
          return undefined;
        const version = connection.get(NEXT_VERSION)?.[0] as number;
        connection.run(WRITE, prefix, key, value, version, ttlMs === undefined ? null : now + ttlMs);
        return String(version);
      }),
    remove: (key, expected) =>
      write((transaction, now) => {
        const entry = readEntry(transaction, key, now);
        if (entry === undefined || (expected !== undefined && entry.version !== expected)) return false;
        return transaction.connection.run(REMOVE, prefix, key) > 0;
      }),
    removeAll: (entries) =>
      write(({ connection }, now) =>
        entries.reduce(
          (removed, { key, version = null }) =>
            removed + connection.run(REMOVE_LIVE, prefix, key, now, version, version),
          0,
        ),
      ),
    list: (begin, limit = -1, after) =>
      read(({ connection }, now) => {
        const [query, from] = after === undefined ? [LIST, begin] : [LIST_AFTER, after];
        const rows = connection.all(query, prefix, from, `${begin}${LAST_CHARACTER}`, now, limit);
        return rows.map((row) => toEntry(row, now));
      }),
    listBack: (begin, limit, before = `${begin}${LAST_CHARACTER}`) =>
      read(({ connection }, now) =>
        connection.all(LIST_BACK, prefix, begin, before, now, limit).map((row) => toEntry(row, now)),
      ),
    size: (begin) =>
      read(
        ({ connection }, now) => connection.get(SIZE, prefix, begin, `${begin}${LAST_CHARACTER}`, now)?.[0] as number,
      ),
    count: (key, by, ttlMs) =>
      write(({ connection }, now) => {
        const [before, expiresAt] = connection.get(READ_COUNTER, prefix, key, now) ?? [0, now + ttlMs];
        const total = (before as number) + by;
        connection.run(WRITE_COUNTER, prefix, key, total, expiresAt as number);
        return { total, leftMs: (expiresAt as number) - now };
      }),
    lease: (key, holder, ttlMs) =>
      write(({ connection }, now) => {
        const [current, expiresAt] = connection.get(READ_LEASE, prefix, key, now) ?? [];
        if (current !== undefined && current !== holder) {
          return { holder: current as string, leftMs: (expiresAt as number) - now };
        }
        connection.run(WRITE_LEASE, prefix, key, holder, now + ttlMs);
        return { holder, leftMs: ttlMs };
      }),
    release: (key, holder) => write(({ connection }, now) => connection.run(RELEASE, prefix, key, holder, now) > 0),
    reserve: (key, options) =>
      write(({ connection }, now) => {
        const row = connection.get(READ_COUNTER, prefix, lineKey(key), now);
        const { taken, waitMs, freeAt } = takeInstant(row?.[0] as number | undefined, now, options);
        if (taken) connection.run(WRITE_COUNTER, prefix, lineKey(key), freeAt, freeAt);
        return { taken, waitMs };
      }),
    occupy: (key, holder, { places, ttlMs }) =>
      write(({ connection }, now) => {
        const held = readHolders(connection.get(READ_LEASE, prefix, placesKey(key), now)?.[0], now);
        const taken = held.has(holder) || held.size < places;
        if (taken) {
          held.set(holder, now + ttlMs);
          writeHolders(connection, placesKey(key), held);
        }
        const leftMs = Math.max(0, Math.min(...held.values()) - now);
        return { taken, free: Math.max(0, places - held.size), leftMs };
      }),
    listHolders: (key) =>
      read(({ connection }, now) => [
        ...readHolders(connection.get(READ_LEASE, prefix, placesKey(key), now)?.[0], now).keys(),
      ]),
    vacate: (key, holder) =>
      write(({ connection }, now) => {
        const held = readHolders(connection.get(READ_LEASE, prefix, placesKey(key), now)?.[0], now);
        if (!held.delete(holder)) return false;
        writeHolders(connection, placesKey(key), held);
        return true;
      }),
  };
}

function readHolders(stored: unknown, now: number): Map<string, number> {
  const entries = typeof stored === 'string' ? (JSON.parse(stored) as [string, number][]) : [];
  return new Map(entries.filter(([, until]) => until > now));
}

function toEntry([key, value, version, expiresAt]: SqlRow, now: number): StateEntry {
  return {
    key: key as string,
    value: value as string,
    version: String(version),
    leftMs: expiresAt === null ? null : (expiresAt as number) - now,
  };
}
