import pg from 'pg';
import type { Clock } from '../../core/clock.ts';
import { TqError } from '../../core/errors.ts';
import { maskUrl } from '../broker-url.ts';
import type { Migration } from '../port.ts';
import { LastingClient } from '../postgres/lasting-client.ts';
import { createInsert } from './postgres-insert.ts';
import { createQueryBuilder } from './result-dialect.ts';
import { POSTGRES_SEARCH } from './result-filter.ts';
import type { OpenedResultStore, ResultStore } from './result-port.ts';
import { LATEST_VERSION, POSTGRES_MIGRATIONS } from './result-tables.ts';
import type { PostgresResultsAddress } from './results-url.ts';
import { createRowQueries } from './row-queries.ts';
import { assertVersion, RowRefused, toResultsError, unsuitable } from './store-error.ts';

/** One to write with, one to read with. */
const CONNECTIONS = 2;
const CONNECT_TIMEOUT_MS = 5000;
/** A server that is silent for longer is given up, and its connection with it. */
const PATIENCE_MS = 30_000;
/** What is under way when the store is closed may take so long to end. */
const LAST_WORDS_MS = 2000;
/** Lets one of several `tq migrate` change the tables at a time: "tqre". */
const MIGRATION_LOCK = 0x74_71_72_65;
/** Appendix A of its manual: the data, its size, or two rows of one key. */
const REFUSED = /^(22|54|21)/;

/** Results in a table of PostgreSQL, which `tq migrate` alone creates and upgrades. */
export function createPostgresResults(url: string, address: PostgresResultsAddress, clock: Clock): OpenedResultStore {
  const masked = maskUrl(url);
  const { schema } = address;
  const pool = new pg.Pool({
    Client: LastingClient,
    connectionString: address.connectionString,
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: PATIENCE_MS,
    application_name: 'tq results',
    types: { getTypeParser: readAsStored as typeof pg.types.getTypeParser },
  });
  pool.on('error', () => {});
  const clients = new Set<pg.PoolClient>();
  pool.on('connect', (client) => clients.add(client));
  pool.on('remove', (client) => clients.delete(client));

  const query = async (doing: string, text: string, values: unknown[] = []): Promise<pg.QueryResult> => {
    try {
      return await pool.query(text, values);
    } catch (error) {
      throw explain(error, masked, doing);
    }
  };
  const database = createQueryBuilder('postgres', async ({ sql, parameters }) => {
    const { rows, rowCount } = await query('reading results', sql, [...parameters]);
    return { rows, numAffectedRows: BigInt(rowCount ?? 0) };
  }).withSchema(schema);
  const insert = createInsert(pool, schema);

  const store: ResultStore = {
    kind: 'postgres',
    url: masked,
    ...createRowQueries(database, POSTGRES_SEARCH, clock),
    async write(rows) {
      await insert(rows).catch((error) => Promise.reject(explain(error, masked, `writing ${rows.length} results`)));
    },
    migrate: () =>
      migrate(pool, { schema, url: masked }).catch((error) => Promise.reject(explain(error, masked, 'migrating'))),
    async describe() {
      const { rows } = await query('connecting', "SELECT current_setting('server_version') AS version");
      return `PostgreSQL ${String(rows[0]?.version).split(' ')[0]}`;
    },
    close: () => closePool(pool, clients),
  };
  return {
    store,
    async connect(doing) {
      const found = await readVersion(pool, schema).catch((error) => Promise.reject(explain(error, masked, doing)));
      assertVersion(masked, found, LATEST_VERSION);
    },
  };
}

/** A server that has gone silent must not keep a process from ending: its connections are cut. */
async function closePool(pool: pg.Pool, clients: ReadonlySet<pg.PoolClient>): Promise<void> {
  const timer = setTimeout(() => {
    for (const client of clients) {
      // The socket is a private part; ending the client would wait for the server.
      const { connection } = client as unknown as { connection: { stream: { destroy(): void } } };
      connection.stream.destroy();
    }
  }, LAST_WORDS_MS);
  await pool.end();
  clearTimeout(timer);
}

function explain(error: unknown, url: string, doing: string): Error {
  const { code, message } = error as { code?: unknown; message?: string };
  if (error instanceof TqError) return error;
  if (typeof code === 'string' && REFUSED.test(code)) return new RowRefused(message, { cause: error });
  if (code === '3F000') return unsuitable(url, String(message), 'run `tq migrate` with the same --results once', error);
  return toResultsError(error, url, doing);
}

const BIGINT = 20;

/** Numbers as numbers, for all of the table are below 2^53; everything else as the text that the server gives. */
function readAsStored(type: number): (text: string) => unknown {
  return type === BIGINT || type === pg.types.builtins.INT4 ? Number : (text) => text;
}

type Queryable = Pick<pg.Pool, 'query'> | Pick<pg.PoolClient, 'query'>;

async function readVersion(client: Queryable, schema: string): Promise<number | null> {
  const { rows } = await client.query('SELECT to_regclass($1) IS NOT NULL AS is_there', [
    `"${schema}".results_migration`,
  ]);
  if (String(rows[0]?.is_there) !== 't') return null;
  const { rows: versions } = await client.query(`SELECT max(version) AS version FROM "${schema}".results_migration`);
  return (versions[0]?.version as number | null | undefined) ?? null;
}

async function migrate(pool: pg.Pool, { schema, url }: { schema: string; url: string }): Promise<Migration> {
  const client = await pool.connect();
  let failure: Error | undefined;
  try {
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    // IF NOT EXISTS asks for the right to make a schema, also where there is one.
    const { rowCount } = await client.query('SELECT FROM pg_namespace WHERE nspname = $1', [schema]);
    if (rowCount === 0) await client.query(`CREATE SCHEMA "${schema}"`);
    await client.query(`SET LOCAL search_path TO "${schema}"`);
    await client.query(
      'CREATE TABLE IF NOT EXISTS results_migration (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())',
    );
    const from = await readVersion(client, schema);
    if (from !== null && from > LATEST_VERSION) assertVersion(url, from, LATEST_VERSION);
    for (let version = (from ?? 0) + 1; version <= LATEST_VERSION; version += 1) {
      await client.query(POSTGRES_MIGRATIONS[version - 1] ?? '');
      await client.query('INSERT INTO results_migration (version) VALUES ($1)', [version]);
    }
    await client.query('COMMIT');
    return { from, to: LATEST_VERSION };
  } catch (error) {
    failure = error as Error;
    throw error;
  } finally {
    // With an error its connection ends, and the transaction with it.
    client.release(failure);
  }
}
