import {
  assertSchemaCompatibility,
  createPostgresBackend,
  createPostgresRelayBackend,
  type IQueueBackend,
  LATEST_SCHEMA_VERSION,
  PostgresConnection,
  PostgresQueueBackend,
  runMigrations,
  SchemaMigrationRequiredError,
  SchemaVersionMismatchError,
  UnsupportedPostgresVersionError,
} from 'bullmq';
import type pg from 'pg';
import { createError, TqError } from '../../core/errors.ts';
import { maskUrl, type PostgresAddress } from '../broker-url.ts';
import { overrideMethod } from '../patient-backend.ts';
import type { Migration } from '../port.ts';
import type { Store, StoreOptions } from '../store.ts';
import { unavailable } from '../trouble.ts';
import { createPostgresBulk } from './bulk/postgres-bulk.ts';
import { LastingClient, surviveLastWords } from './lasting-client.ts';
import { createPostgresCheckup } from './postgres-checkup.ts';
import { createPostgresEventLog } from './postgres-event-log.ts';
import { addPostgresFlow, reprocessPostgresJob } from './postgres-flows.ts';
import { listMarks } from './postgres-marks.ts';
import { readWhole, scanIds } from './postgres-scan.ts';
import { createPostgresSchedules } from './postgres-schedules.ts';
import { createPostgresState, STATE_TABLES } from './postgres-state.ts';
import { listSummaries } from './postgres-summaries.ts';
import { createTransact } from './transaction.ts';

/** Connections of one consumer's queue, beside the one it waits on. BullMQ runs its operations over this pool. */
const POOL_OF_CONSUMER = 4;
const POOL_OF_PRODUCER = 4;
/** Beside the one that it waits on: one for its heartbeat, one for what it sends. */
const POOL_OF_NODE = 2;
const CONNECT_TIMEOUT_MS = 5000;

/**
 * PostgreSQL through BullMQ's own backend. Its schema is created and upgraded by `tq migrate` alone; everything else
 * refuses a schema that is missing, older or too new, and says so.
 */
export function createPostgresStore(url: string, address: PostgresAddress, options: StoreOptions): Store {
  const masked = maskUrl(url);
  const connectionOptions = (max: number) => ({
    connectionString: address.connectionString,
    schema: address.schema,
    max,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: 'tq',
  });
  let connection: PostgresConnection | undefined;
  let connecting: Promise<void> | undefined;

  const shared = (): PostgresConnection => {
    if (connection === undefined) {
      connection = new PostgresConnection(connectionOptions(POOL_OF_PRODUCER));
      surviveLastWords(connection);
      connection.on('error', () => {});
    }
    return connection;
  };

  const connect = (doing: string): Promise<void> => {
    connecting ??= withClient(address, (client) => assertSchema(client, address.schema, masked))
      // BullMQ's connection remembers a failed first contact for ever, so it is made only when the server answers.
      .then(() => shared().waitUntilReady())
      .catch(async (error) => {
        connecting = undefined;
        await connection?.close();
        connection = undefined;
        throw toBrokerError(error, masked, doing);
      });
    return connecting;
  };

  const query = async <Row>(text: string, values: unknown[]): Promise<Row[]> => {
    const { rows } = await shared().pool.query(text, values);
    return rows as Row[];
  };

  const transact = createTransact(() => shared().pool.connect() as Promise<pg.PoolClient>);
  const schedules = createPostgresSchedules(query, transact);

  return {
    kind: 'postgres',
    url: masked,
    prefix: '',
    ...options,
    queueBackend(queue) {
      return new PostgresQueueBackend(shared(), queue, { connection: {} } as never, false);
    },
    workerBackend(name, options, kind) {
      const connectionOfOwn = connectionOptions(POOL_OF_CONSUMER);
      const backend = createPostgresBackend(name, { ...options, connection: connectionOfOwn }, kind);
      countLosses(backend, name, query);
      closeOnceReady(backend);
      return backend;
    },
    abandonConsumers() {},
    eventsBackend(name, options, kind) {
      const backend = createPostgresBackend(name, { ...options, connection: connectionOptions(1) }, kind);
      closeOnceReady(backend);
      return backend;
    },
    openEventLog: (since) =>
      createPostgresEventLog({ address, listQueues: () => listQueues(query), clock: options.clock, since }),
    relayBackend(relayOptions) {
      const backend = createPostgresRelayBackend({
        ...relayOptions,
        connection: connectionOptions(POOL_OF_NODE),
      } as never);
      surviveLastWords(connectionOf(backend));
      return backend;
    },
    faultBehind: (error) => error,
    connect,
    listQueues: () => listQueues(query),
    listDueAt: (queue, ids) => listDueAt(query, queue, ids),
    listLockLeftMs: (queue, ids) => listLockLeftMs(query, queue, ids, options.clock.now()),
    listMarks: (queue, ids, mark) => listMarks(query, queue, ids, mark),
    listSummaries: (queue, ids) => listSummaries(query, queue, ids),
    countBefore: (queue, id, limit) => countBefore(query, queue, id, limit),
    scanIds: (queue, scan) => scanIds(query, queue, scan),
    readWhole: (queue, ids, maxBytes) => readWhole(query, queue, ids, maxBytes),
    readOldestWaitingAt: (queue) => readOldestWaitingAt(query, queue),
    moveToHead: (queue, id) => moveToHead(query, queue, id),
    promoteToHead: (queue, ids) => promoteToHead(query, queue, ids),
    addFlow: (entries) => addPostgresFlow(query, entries, options.clock.now()),
    reprocess: (queue, id, from) => reprocessPostgresJob(query, queue, id, from),
    bulk: createPostgresBulk(query, transact, options.clock),
    schedules,
    checkup: createPostgresCheckup(query, {
      backendOf: (queue) => new PostgresQueueBackend(shared(), queue, { connection: {} } as never, false),
      schedules,
    }),
    state: createPostgresState(query, masked, () => options.clock.monotonic()),
    migrate: () =>
      withClient(address, (client) => migrate(client, address.schema, masked)).catch((error) => {
        throw toBrokerError(error, masked, 'migrating the schema');
      }),
    async describe() {
      const [row] = await query<{ version: string }>("SELECT current_setting('server_version') AS version", []);
      return `PostgreSQL ${row?.version.split(' ')[0]}`;
    },
    async close() {
      await connection?.close();
    },
  };
}

async function withClient<Result>(
  address: PostgresAddress,
  run: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new LastingClient({
    connectionString: address.connectionString,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: 'tq',
  });
  await client.connect();
  try {
    return await run(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** The version that the schema is at, null when there is none. Reads only. */
async function readSchemaVersion(client: pg.Client, schema: string): Promise<number | null> {
  try {
    return await assertSchemaCompatibility(client as never, schema);
  } catch (error) {
    if (error instanceof SchemaMigrationRequiredError) return null;
    throw error;
  }
}

async function assertSchema(client: pg.Client, schema: string, url: string): Promise<void> {
  const version = await readSchemaVersion(client, schema);
  if (version !== null && version >= LATEST_SCHEMA_VERSION) return;
  const reason =
    version === null
      ? `its schema "${schema}" is not there yet`
      : `its schema "${schema}" has version ${version}, this tq needs ${LATEST_SCHEMA_VERSION}`;
  throw createError('BROKER_UNSUITABLE', { url, reason, remedy: 'run `tq migrate` with the same --broker once' });
}

async function migrate(client: pg.Client, schema: string, url: string): Promise<Migration> {
  try {
    const from = await readSchemaVersion(client, schema);
    const to = await runMigrations(client as never, schema);
    await client.query(`SET search_path TO "${schema}"; ${STATE_TABLES}`);
    return { from, to };
  } catch (error) {
    throw toBrokerError(error, url, 'migrating the schema');
  }
}

function toBrokerError(error: unknown, url: string, doing: string): Error {
  if (error instanceof TqError) return error;
  if (error instanceof SchemaVersionMismatchError) {
    return createError(
      'BROKER_UNSUITABLE',
      { url, reason: 'its schema was made by a newer tq', remedy: 'upgrade tq on this machine' },
      error,
    );
  }
  if (error instanceof UnsupportedPostgresVersionError) {
    const reason = `it runs PostgreSQL ${error.serverVersion}, tq needs ${error.minimumVersion} or newer`;
    return createError('BROKER_UNSUITABLE', { url, reason, remedy: 'upgrade the server' }, error);
  }
  return unavailable(url, doing, error);
}

type Query = <Row>(text: string, values: unknown[]) => Promise<Row[]>;

/** Skips from one queue to the next in the primary key, so that a million jobs of one queue cost one step. */
async function listQueues(query: Query): Promise<string[]> {
  const rows = await query<{ queue: string }>(
    `WITH RECURSIVE names AS (
       (SELECT queue FROM job ORDER BY queue LIMIT 1)
       UNION ALL
       SELECT (SELECT queue FROM job WHERE queue > names.queue ORDER BY queue LIMIT 1) FROM names WHERE names.queue IS NOT NULL
     )
     SELECT queue FROM names WHERE queue IS NOT NULL UNION SELECT queue FROM meta ORDER BY queue`,
    [],
  );
  return rows.map(({ queue }) => queue);
}

async function listDueAt(query: Query, queue: string, ids: readonly string[]): Promise<(number | null)[]> {
  if (ids.length === 0) return [];
  const rows = await query<{ id: string; due: string }>(
    "SELECT id, process_at_ms AS due FROM job WHERE queue = $1 AND id = ANY($2) AND state = 'delayed'",
    [queue, ids],
  );
  const due = new Map(rows.map((row) => [row.id, Number(row.due)]));
  return ids.map((id) => due.get(id) ?? null);
}

/** BullMQ sets the end of a lock by the clock of the worker, so it is compared with that of this machine. */
async function listLockLeftMs(
  query: Query,
  queue: string,
  ids: readonly string[],
  now: number,
): Promise<(number | null)[]> {
  if (ids.length === 0) return [];
  const rows = await query<{ id: string; until: string }>(
    'SELECT id, locked_until_ms AS until FROM job WHERE queue = $1 AND id = ANY($2) AND locked_until_ms > $3',
    [queue, ids, now],
  );
  const left = new Map(rows.map((row) => [row.id, Number(row.until) - now]));
  return ids.map((id) => left.get(id) ?? null);
}

/** BullMQ takes waiting jobs by priority, then by `seq`. */
async function countBefore(query: Query, queue: string, id: string, limit: number): Promise<number | null> {
  const [row] = await query<{ count: string }>(
    `SELECT (SELECT count(*) FROM (SELECT 1 FROM job WHERE queue = $1 AND state = 'waiting'
       AND (priority, seq) < (own.priority, own.seq) LIMIT $3) AS earlier) AS count
     FROM job AS own WHERE own.queue = $1 AND own.id = $2 AND own.state = 'waiting'`,
    [queue, id, limit],
  );
  return row === undefined ? null : Number(row.count);
}

/** BullMQ takes waiting jobs by `seq`, a negative one before all others, as its own LIFO jobs have it. */
async function moveToHead(query: Query, queue: string, id: string): Promise<void> {
  await query("UPDATE job SET seq = -nextval('job_seq') WHERE queue = $1 AND id = $2 AND state = 'waiting'", [
    queue,
    id,
  ]);
}

const NOW_MS = '(extract(epoch FROM clock_timestamp()) * 1000)::bigint';

/** BullMQ's `promote` for many jobs, with numbers that stand before all others; the first id gets the lowest. */
async function promoteToHead(query: Query, queue: string, ids: readonly string[]): Promise<string[]> {
  const rows = await query<{ id: string }>(
    // Each job is looked up by its key, then by its place in the table. Compared as text, the state offers the planner no
    // partial index instead, which it would walk from end to end for each job of a table without statistics.
    `WITH delayed AS MATERIALIZED (
       SELECT held.at FROM unnest($2::text[]) WITH ORDINALITY AS wanted(id, place)
       CROSS JOIN LATERAL (
         SELECT job.ctid AS at FROM job WHERE queue = $1 AND id = wanted.id AND state::text = 'delayed' FOR UPDATE) AS held
       ORDER BY wanted.place DESC),
     placed AS MATERIALIZED (SELECT at, nextval('job_seq') AS number FROM delayed),
     moved AS (
       UPDATE job SET state = 'waiting', process_at_ms = NULL, delay_ms = 0, seq = -placed.number
       FROM placed WHERE job.ctid = placed.at RETURNING job.id),
     told AS (
       INSERT INTO event (queue, event, data, created_at_ms)
       SELECT $1, 'waiting', jsonb_build_object('jobId', id, 'prev', 'delayed'), ${NOW_MS} FROM moved)
     SELECT id, pg_notify('bullmq_jobs', $1), pg_notify('bullmq_events', $1) FROM moved`,
    [queue, ids],
  );
  return rows.map(({ id }) => id);
}

/**
 * BullMQ's other backends store every field of a job along with its move; this one leaves the count of lost workers out.
 * It is written just before, for as long as the lock is ours. A worker that dies between the two is one more loss anyway.
 */
function countLosses(backend: IQueueBackend, queue: string, query: Query): void {
  overrideMethod(backend, 'moveToDelayed', (method) => async (...args) => {
    const [id, , , token, options] = args as Parameters<IQueueBackend['moveToDelayed']>;
    const losses: unknown = options?.fieldsToUpdate?.stc;
    if (losses !== undefined) {
      const sql =
        "UPDATE job SET stalled_count = $1 WHERE queue = $2 AND id = $3 AND state = 'active' AND lock_token = $4";
      await query(sql, [losses, queue, id, token]);
    }
    return method(...args);
  });
}

/**
 * A backend of BullMQ that is closed while it connects goes on to open the connection that it waits on, which nobody closes then
 * and which keeps the process alive. Connecting is bounded, so closing is.
 */
function closeOnceReady(backend: IQueueBackend): void {
  surviveLastWords(connectionOf(backend));
  overrideMethod(backend, 'close', (close) => async (...args) => {
    await backend.waitUntilReady().catch(() => undefined);
    return close(...args);
  });
}

/** A private part of BullMQ's backends for PostgreSQL. */
function connectionOf(backend: object): object {
  return (backend as { readonly connection: object }).connection;
}

async function readOldestWaitingAt(query: Query, queue: string): Promise<number | null> {
  const [row] = await query<{ oldest: string | null }>(
    "SELECT MIN(added_at_ms) AS oldest FROM job WHERE queue = $1 AND state = 'waiting'",
    [queue],
  );
  return row?.oldest == null ? null : Number(row.oldest);
}
