import { DatabaseSync } from 'node:sqlite';
import { Redis } from 'ioredis';
import type { BrokerUnderTest } from './brokers.ts';
import { query } from './postgres-server.ts';

/** Everything that a store holds, under names: keys of Redis, tables of the others. */
export type StoreSnapshot = Readonly<Record<string, string>>;

/** Reads all of a store, byte by byte where it can. */
export async function snapshotStore(name: BrokerUnderTest['name'], url: string): Promise<StoreSnapshot> {
  switch (name) {
    case 'redis':
      return await snapshotRedis(url);
    case 'postgres':
      return await snapshotPostgres(url);
    case 'sqlite':
      return snapshotSqlite(url);
  }
}

/** `DUMP` of every key with the prefix of the URL anywhere in its name, and whether it has an end. */
async function snapshotRedis(url: string): Promise<StoreSnapshot> {
  const prefix = new URL(url).searchParams.get('prefix') ?? '';
  const client = new Redis(url);
  try {
    const found: Record<string, string> = {};
    for await (const keys of client.scanStream({ match: `*${prefix}*`, count: 500 }) as AsyncIterable<string[]>) {
      for (const key of keys) {
        const [dump, ttl] = await Promise.all([client.dumpBuffer(key), client.pttl(key)]);
        found[key] = `${dump?.toString('base64')} ${ttl === -1 ? 'stays' : 'ends'}`;
      }
    }
    return found;
  } finally {
    client.disconnect();
  }
}

async function snapshotPostgres(url: string): Promise<StoreSnapshot> {
  const tables = await query(
    url,
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  );
  // A row that was written anew, as it was, has another xmin.
  const selections = tables.rows.map(
    ({ name }) =>
      `SELECT '${name}' AS name, coalesce(string_agg(x, E'\n' ORDER BY x), '') AS rows FROM (SELECT r::text || ' ' || r.xmin AS x FROM ${name} r) q`,
  );
  selections.push(
    `SELECT format('sequence %I.%I', schemaname, sequencename), coalesce(last_value::text, '') FROM pg_sequences`,
  );
  const { rows } = await query(url, selections.join(' UNION ALL '));
  return Object.fromEntries(rows.map(({ name, rows: held }) => [String(name), String(held)]));
}

function snapshotSqlite(url: string): StoreSnapshot {
  const database = new DatabaseSync(url.slice('sqlite:'.length), { readOnly: true });
  try {
    const schema = database.prepare('SELECT type, name, sql FROM sqlite_master ORDER BY type, name').all();
    const found: Record<string, string> = { schema: JSON.stringify(schema) };
    for (const { type, name } of schema) {
      if (type !== 'table') continue;
      const rows = database.prepare(`SELECT * FROM "${name}"`).all();
      found[String(name)] = JSON.stringify(rows, (_, value: unknown) =>
        typeof value === 'bigint' ? String(value) : value,
      );
    }
    return found;
  } finally {
    database.close();
  }
}
