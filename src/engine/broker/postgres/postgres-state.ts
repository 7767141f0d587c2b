import { createError } from '../../core/errors.ts';
import type { StateEntry, StateStore } from '../state-port.ts';
import { gather } from './gathering.ts';

/** tq's own tables beside BullMQ's, in the same schema; made by `tq migrate`. Names sort bytewise, as in the other stores. */
export const STATE_TABLES = `
  CREATE TABLE IF NOT EXISTS tq_state (
    key text COLLATE "C" PRIMARY KEY,
    value text NOT NULL,
    version bigint NOT NULL,
    expires_at timestamptz
  );
  CREATE SEQUENCE IF NOT EXISTS tq_state_version;
  CREATE TABLE IF NOT EXISTS tq_counter (
    key text COLLATE "C" PRIMARY KEY,
    total double precision NOT NULL,
    expires_at timestamptz NOT NULL
  );
  CREATE TABLE IF NOT EXISTS tq_lease (
    key text COLLATE "C" PRIMARY KEY,
    holder text NOT NULL,
    expires_at timestamptz NOT NULL
  );
`;

export type Query = <Row>(text: string, values: unknown[]) => Promise<Row[]>;

interface EntryRow {
  readonly key: string;
  readonly value: string;
  readonly version: string;
  readonly left_ms: string | null;
}

interface NewEntry {
  readonly key: string;
  readonly value: string;
  readonly ttlMs: number | null;
}

const LEFT_MS = 'extract(epoch FROM (expires_at - clock_timestamp())) * 1000';
const ENTRY = `key, value, version::text AS version, (${LEFT_MS})::float8 AS left_ms`;
const LIVE = '(expires_at IS NULL OR expires_at > clock_timestamp())';
const END = (parameter: string) => `clock_timestamp() + ${parameter}::float8 * interval '1 millisecond'`;

/** A line is a counter of its next free instant, in epoch ms of the server, which is its end too. */
const lineKey = (key: string): string => `line:${key}`;
/** The places of a key are one lease, whose row lock makes changes wait for each other: its holder is the record of them all. */
const placesKey = (key: string): string => `places:${key}`;
const NOW_MS = '(extract(epoch FROM clock_timestamp())::float8 * 1000)';
const AT = (ms: string) => `to_timestamp((${ms}) / 1000.0)`;
/** The holders of a row whose time is not over, as jsonb. */
const HOLDERS = `(SELECT coalesce(jsonb_object_agg(name, ends), '{}'::jsonb)
  FROM jsonb_each(tq_lease.holder::jsonb) AS held(name, ends) WHERE ends::text::float8 > ${NOW_MS})`;
const LAST_END = (holders: string) =>
  `(SELECT max(ends::text::float8) FROM jsonb_each(${holders}) AS held(name, ends))`;

const END_OF_ENTRY = `CASE WHEN $3::float8 IS NULL THEN NULL ELSE ${END('$3')} END`;
const OVERWRITE = 'value = excluded.value, version = excluded.version, expires_at = excluded.expires_at';
/** The row of an entry whose time is over counts as none. */
const WHERE_OVER = 'WHERE tq_state.expires_at <= clock_timestamp()';
const INSERT = 'INSERT INTO tq_state (key, value, version, expires_at)';
const PUT = `${INSERT} VALUES ($1, $2, nextval('tq_state_version'), ${END_OF_ENTRY})
  ON CONFLICT (key) DO UPDATE SET ${OVERWRITE} RETURNING version::text AS version`;
const ADD = `${INSERT} VALUES ($1, $2, nextval('tq_state_version'), ${END_OF_ENTRY})
  ON CONFLICT (key) DO UPDATE SET ${OVERWRITE} ${WHERE_OVER} RETURNING version::text AS version`;
/** In one order for all, so that two who add the same ones wait for each other and do not lock each other out. */
const ADD_ALL = `${INSERT}
  SELECT name, text, nextval('tq_state_version'), CASE WHEN ttl IS NULL THEN NULL ELSE ${END('ttl')} END
  FROM (SELECT * FROM unnest($1::text[], $2::text[], $3::float8[]) AS each(name, text, ttl) ORDER BY name COLLATE "C") AS wanted
  ON CONFLICT (key) DO UPDATE SET ${OVERWRITE} ${WHERE_OVER} RETURNING key, version::text AS version`;
const REPLACE = `UPDATE tq_state SET value = $2, version = nextval('tq_state_version'), expires_at = ${END_OF_ENTRY}
  WHERE key = $1 AND version = $4 AND ${LIVE} RETURNING version::text AS version`;

/** What is over is removed by the writes that come by, at most so often. */
const TIDY_EVERY_MS = 60_000;
const UNDEFINED_TABLE = '42P01';

/** @param monotonic a clock for how often to tidy up; what is over is decided by the server's own */
export function createPostgresState(query: Query, url: string, monotonic: () => number): StateStore {
  let tidiedAt = Number.NEGATIVE_INFINITY;

  const ask = async <Row>(text: string, values: unknown[]): Promise<Row[]> => {
    try {
      return await query<Row>(text, values);
    } catch (error) {
      if ((error as { code?: unknown }).code !== UNDEFINED_TABLE) throw error;
      const reason = 'the tables for what workers share are not there yet';
      throw createError(
        'BROKER_UNSUITABLE',
        { url, reason, remedy: 'run `tq migrate` with the same --broker once' },
        error,
      );
    }
  };
  const change = async <Row>(text: string, values: unknown[]): Promise<Row[]> => {
    if (monotonic() - tidiedAt >= TIDY_EVERY_MS) {
      tidiedAt = monotonic();
      for (const table of ['tq_state', 'tq_counter', 'tq_lease']) {
        await ask(`DELETE FROM ${table} WHERE expires_at <= clock_timestamp()`, []);
      }
    }
    return ask(text, values);
  };

  /** What is written only if there is nothing yet. */
  const add = gather<NewEntry, string | undefined>({
    async one({ key, value, ttlMs }) {
      return (await change<{ version: string }>(ADD, [key, value, ttlMs]))[0]?.version;
    },
    async all(entries) {
      const columns = [
        entries.map(({ key }) => key),
        entries.map(({ value }) => value),
        entries.map(({ ttlMs }) => ttlMs),
      ];
      const rows = await change<{ key: string; version: string }>(ADD_ALL, columns);
      const versions = new Map(rows.map(({ key, version }) => [key, version]));
      return entries.map(({ key }) => versions.get(key));
    },
  });

  return {
    async read(key) {
      const [row] = await ask<EntryRow>(`SELECT ${ENTRY} FROM tq_state WHERE key = $1 AND ${LIVE}`, [key]);
      return row && toEntry(row);
    },
    async write(key, value, { expected, ttlMs = null } = {}) {
      if (expected === null) return await add({ key, value, ttlMs });
      const [text, values] =
        expected === undefined ? [PUT, [key, value, ttlMs]] : [REPLACE, [key, value, ttlMs, expected]];
      return (await change<{ version: string }>(text, values))[0]?.version;
    },
    async remove(key, expected) {
      const text = `DELETE FROM tq_state WHERE key = $1 AND ($2::bigint IS NULL OR version = $2) AND ${LIVE} RETURNING key`;
      return (await change(text, [key, expected ?? null])).length > 0;
    },
    async removeAll(entries) {
      if (entries.length === 0) return 0;
      const text = `DELETE FROM tq_state USING unnest($1::text[], $2::bigint[]) AS wanted(name, expected)
        WHERE key = name AND version = coalesce(expected, version) AND ${LIVE} RETURNING key`;
      const versions = entries.map(({ version }) => version ?? null);
      return (await change(text, [entries.map(({ key }) => key), versions])).length;
    },
    async size(begin) {
      const text = `SELECT count(*)::int AS size FROM tq_state WHERE starts_with(key, $1) AND key >= $1 AND ${LIVE}`;
      return (await ask<{ size: number }>(text, [begin]))[0]?.size ?? 0;
    },
    async list(begin, limit, after) {
      const text = `SELECT ${ENTRY} FROM tq_state WHERE starts_with(key, $1) AND key >= $1 AND ${LIVE}
        AND ($3::text IS NULL OR key > $3) ORDER BY key LIMIT $2`;
      return (await ask<EntryRow>(text, [begin, limit ?? null, after ?? null])).map(toEntry);
    },
    async listBack(begin, limit, before) {
      const text = `SELECT ${ENTRY} FROM tq_state WHERE starts_with(key, $1) AND key >= $1 AND ${LIVE}
        AND ($3::text IS NULL OR key < $3) ORDER BY key DESC LIMIT $2`;
      return (await ask<EntryRow>(text, [begin, limit, before ?? null])).map(toEntry);
    },
    async count(key, by, ttlMs) {
      const over = 'tq_counter.expires_at <= clock_timestamp()';
      const text = `INSERT INTO tq_counter (key, total, expires_at) VALUES ($1, $2, ${END('$3')})
        ON CONFLICT (key) DO UPDATE SET
          total = CASE WHEN ${over} THEN excluded.total ELSE tq_counter.total + excluded.total END,
          expires_at = CASE WHEN ${over} THEN excluded.expires_at ELSE tq_counter.expires_at END
        RETURNING total, (${LEFT_MS})::float8 AS left_ms`;
      const [row] = await change<{ total: number; left_ms: number }>(text, [key, by, ttlMs]);
      return { total: row?.total ?? by, leftMs: row?.left_ms ?? ttlMs };
    },
    async lease(key, holder, ttlMs) {
      const text = `INSERT INTO tq_lease (key, holder, expires_at) VALUES ($1, $2, ${END('$3')})
        ON CONFLICT (key) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
          WHERE tq_lease.holder = excluded.holder OR tq_lease.expires_at <= clock_timestamp()
        RETURNING holder`;
      for (;;) {
        if ((await change(text, [key, holder, ttlMs])).length > 0) return { holder, leftMs: ttlMs };
        const [other] = await ask<{ holder: string; left_ms: number }>(
          `SELECT holder, (${LEFT_MS})::float8 AS left_ms FROM tq_lease WHERE key = $1 AND expires_at > clock_timestamp()`,
          [key],
        );
        // Released or over between the two: it is free now.
        if (other !== undefined) return { holder: other.holder, leftMs: other.left_ms };
      }
    },
    async release(key, holder) {
      const text =
        'DELETE FROM tq_lease WHERE key = $1 AND holder = $2 AND expires_at > clock_timestamp() RETURNING key';
      return (await change(text, [key, holder])).length > 0;
    },
    async reserve(key, { spacingMs, horizonMs, toleranceMs = 0 }) {
      const now = `(excluded.total - $2::float8)`;
      const free = `greatest(tq_counter.total, ${now}) + $2::float8`;
      const text = `WITH clock AS MATERIALIZED (SELECT ${NOW_MS} AS now), taken AS (
          INSERT INTO tq_counter (key, total, expires_at)
            SELECT $1, now + $2::float8, ${AT('now + $2::float8')} FROM clock
          ON CONFLICT (key) DO UPDATE SET total = ${free}, expires_at = ${AT(free)}
            WHERE greatest(tq_counter.total, ${now}) - $4::float8 - ${now} <= $3::float8
          RETURNING total)
        SELECT clock.now, taken.total, (SELECT total FROM tq_counter WHERE key = $1) AS before
        FROM clock LEFT JOIN taken ON true`;
      const values = [lineKey(key), spacingMs, horizonMs, toleranceMs];
      const [row] = await change<{ now: number; total: number | null; before: number | null }>(text, values);
      const from = row?.total == null ? (row?.before ?? 0) : row.total - spacingMs;
      return { taken: row?.total != null, waitMs: Math.max(0, from - toleranceMs - (row?.now ?? from)) };
    },
    async occupy(key, holder, { places, ttlMs }) {
      const own = `jsonb_build_object($2::text, ${NOW_MS} + $3::float8)`;
      const text = `INSERT INTO tq_lease (key, holder, expires_at) VALUES ($1, ${own}::text, ${END('$3')})
        ON CONFLICT (key) DO UPDATE SET holder = (${HOLDERS} || ${own})::text,
          expires_at = greatest(${END('$3')}, ${AT(`coalesce(${LAST_END(HOLDERS)}, 0)`)})
        WHERE ${HOLDERS} ? $2::text OR (SELECT count(*) FROM jsonb_object_keys(${HOLDERS})) < $4::int
        RETURNING holder`;
      const [taken] = await change<{ holder: string }>(text, [placesKey(key), holder, ttlMs, places]);
      const [seen] = await ask<{ now: number; holder: string | null }>(
        `SELECT ${NOW_MS} AS now, (SELECT holder FROM tq_lease WHERE key = $1) AS holder`,
        [placesKey(key)],
      );
      const now = seen?.now ?? 0;
      const holders = JSON.parse(taken?.holder ?? seen?.holder ?? '{}') as Record<string, number>;
      const ends = Object.values(holders).filter((end) => end > now);
      const leftMs = ends.length === 0 ? 0 : Math.min(...ends) - now;
      return { taken: taken !== undefined, free: Math.max(0, places - ends.length), leftMs };
    },
    async listHolders(key) {
      const text = `SELECT holder, ${NOW_MS} AS now FROM tq_lease WHERE key = $1 AND expires_at > clock_timestamp()`;
      const [row] = await ask<{ holder: string; now: number }>(text, [placesKey(key)]);
      const holders = Object.entries(JSON.parse(row?.holder ?? '{}') as Record<string, number>);
      return holders.filter(([, end]) => end > (row?.now ?? 0)).map(([holder]) => holder);
    },
    async vacate(key, holder) {
      const text = `UPDATE tq_lease SET holder = (${HOLDERS} - $2::text)::text
        WHERE key = $1 AND ${HOLDERS} ? $2::text RETURNING key`;
      return (await change(text, [placesKey(key), holder])).length > 0;
    },
  };
}

function toEntry({ key, value, version, left_ms: leftMs }: EntryRow): StateEntry {
  return { key, value, version, leftMs: leftMs === null ? null : Number(leftMs) };
}
