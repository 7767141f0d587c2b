import { existsSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { SqliteAddress } from '../broker-url.ts';
import type { Migration } from '../port.ts';
import type { Store, StoreOptions } from '../store.ts';
import { createSqliteBulk } from './bulk/sqlite-bulk.ts';
import { sqliteBackendFactory } from './create-sqlite-backend.ts';
import { type Database, type DatabaseHold, holdDatabase } from './database.ts';
import { readFileVersion } from './database-file.ts';
import { createSqliteSchedules } from './firing-ahead.ts';
import { addWholeFlow, rerunJob } from './flows.ts';
import { dueAtOf } from './job-place.ts';
import { listMarks } from './marks.ts';
import { sqliteRelayBackendFactory } from './relay/create-sqlite-relay-backend.ts';
import { promoteToHead } from './retrying.ts';
import { readWhole, scanIds } from './scanning.ts';
import { LATEST_VERSION, STATE_CODES } from './schema.ts';
import { createSqliteCheckup } from './sqlite-checkup.ts';
import { createSqliteEventLog } from './sqlite-event-log.ts';
import { createSqliteState } from './sqlite-state.ts';
import { listSummaries } from './summaries.ts';

/** The folder of the default broker; it is the project's, but no part of it. */
const OWN_FOLDER = '.tq';

/**
 * A database file on this machine. Producers, consumers and readers of one process share one connection to it; other
 * processes open the file too. Its tables are made and brought up to date when it is opened.
 */
export function createSqliteStore(address: SqliteAddress, options: StoreOptions): Store {
  const { path, synchronous, busyTimeoutMs, prefix } = address;
  const connection = { path: path === ':memory:' ? path : resolve(path), synchronous, busyTimeoutMs };
  // Fit to be used as a URL again.
  const url = `sqlite:${path.replace(/[%?]/g, encodeURIComponent)}`;
  const createBackend = sqliteBackendFactory(options.clock);
  const createRelayBackend = sqliteRelayBackendFactory(options.clock);
  let hold: DatabaseHold | undefined;
  const database = (): Database => {
    if (hold === undefined) {
      hold = holdDatabase({ ...connection, clock: options.clock });
      if (path !== ':memory:') hideFolder(dirname(connection.path));
    }
    return hold.database;
  };
  const read = (sql: string, ...values: (string | number)[]) =>
    database().read((transaction) => transaction.connection.all(sql, ...values));
  const schedules = createSqliteSchedules(database, prefix);
  const root = createBackend('tq', { connection, prefix } as never);

  return {
    kind: 'sqlite',
    url,
    prefix,
    ...options,
    queueBackend: (queue) => root.forQueue(queue, prefix),
    workerBackend: (name, backendOptions, kind) =>
      createBackend(name, { ...backendOptions, connection } as never, kind),
    abandonConsumers() {},
    eventsBackend: (name, backendOptions, kind) =>
      createBackend(name, { ...backendOptions, connection } as never, kind),
    openEventLog: (since) => createSqliteEventLog(database, prefix, since),
    relayBackend: (relayOptions) => createRelayBackend({ ...relayOptions, connection }),
    faultBehind: (error) => error,
    async connect() {
      database();
      await root.waitUntilReady();
    },
    async listQueues() {
      return (await read(LIST_QUEUES, prefix)).map(([name]) => name as string);
    },
    async listDueAt(queue, ids) {
      const found = await read(LIST_DUE, prefix, queue, JSON.stringify(ids));
      const due = new Map(found.map(([id, rank]) => [id as string, dueAtOf(rank as number)]));
      return ids.map((id) => due.get(id) ?? null);
    },
    async listLockLeftMs(queue, ids) {
      const now = options.clock.now();
      const found = await read(LIST_LOCKS, prefix, queue, JSON.stringify(ids), now);
      const left = new Map(found.map(([id, until]) => [id as string, (until as number) - now]));
      return ids.map((id) => left.get(id) ?? null);
    },
    listMarks: (queue, ids, mark) => listMarks(database(), { prefix, queue, ids, mark }),
    listSummaries: (queue, ids) => listSummaries(database(), { prefix, queue, ids }),
    async countBefore(queue, id, limit) {
      const [row] = await read(COUNT_BEFORE, prefix, queue, id, limit);
      return (row?.[0] as number | undefined) ?? null;
    },
    scanIds: (queue, scan) => scanIds(database(), { prefix, queue, scan }),
    readWhole: (queue, ids, maxBytes) => readWhole(database(), { prefix, queue, ids }, maxBytes),
    async readOldestWaitingAt(queue) {
      const [row] = await read(OLDEST_WAITING, prefix, queue);
      return (row?.[0] as number | null | undefined) ?? null;
    },
    // The backend puts a job that is handed back there itself.
    async moveToHead() {},
    promoteToHead: (queue, ids) =>
      database().write((transaction) => promoteToHead(transaction.queue(prefix, queue), ids, database().clock.now())),
    addFlow: (entries) => database().write((transaction) => addWholeFlow(transaction, entries, database().clock.now())),
    reprocess: (name, id, from) =>
      database().write((transaction) => rerunJob(transaction, { prefix, name, id, from }, database().clock.now())),
    bulk: createSqliteBulk(database, prefix),
    schedules,
    checkup: createSqliteCheckup(database, {
      ...{ prefix, synchronous, path: connection.path },
      backendOf: (queue) => root.forQueue(queue, prefix),
      schedules,
    }),
    state: createSqliteState(database, prefix),
    async migrate(): Promise<Migration> {
      const from = readFileVersion(connection.path);
      database();
      return { from, to: LATEST_VERSION };
    },
    async describe() {
      const [row] = await read('SELECT sqlite_version()');
      return `SQLite ${row?.[0]}`;
    },
    async close() {
      await root.close();
      await hold?.release();
    },
  };
}

/** Queues with jobs or settings; what a removed queue leaves behind is not shown. */
const LIST_QUEUES = `SELECT name FROM queue q WHERE prefix = ?
  AND (wait + active + prioritized + "delayed" + completed + failed + waiting_children > 0
    OR EXISTS (SELECT 1 FROM meta WHERE meta.queue_id = q.queue_id)) ORDER BY name`;

const LIST_DUE = `SELECT job.id, job.rank FROM json_each(?3) AS wanted
  JOIN queue ON queue.prefix = ?1 AND queue.name = ?2
  JOIN job ON job.queue_id = queue.queue_id AND job.id = wanted.value AND job.state = ${STATE_CODES.delayed}`;

const LIST_LOCKS = `SELECT job.id, job.lock_until FROM json_each(?3) AS wanted
  JOIN queue ON queue.prefix = ?1 AND queue.name = ?2
  JOIN job ON job.queue_id = queue.queue_id AND job.id = wanted.value AND job.lock_until > ?4`;

/** The list is taken before what has a priority. */
const COUNT_BEFORE = `SELECT (SELECT count(*) FROM (
    SELECT 1 FROM job WHERE queue_id = own.queue_id AND (state = ${STATE_CODES.wait} AND (own.state = ${STATE_CODES.prioritized} OR rank < own.rank)
      OR state = ${STATE_CODES.prioritized} AND own.state = ${STATE_CODES.prioritized} AND rank < own.rank) LIMIT ?4))
  FROM job AS own JOIN queue ON queue.queue_id = own.queue_id
  WHERE queue.prefix = ?1 AND queue.name = ?2 AND own.id = ?3 AND own.state IN (${STATE_CODES.wait}, ${STATE_CODES.prioritized})`;

/** The first of the list, and the first of each priority, which is the oldest of it. */
const OLDEST_WAITING = `WITH RECURSIVE
  the_queue AS (SELECT queue_id FROM queue WHERE prefix = ?1 AND name = ?2),
  priority(first) AS (
    SELECT (SELECT min(rank) FROM job WHERE queue_id = (SELECT queue_id FROM the_queue) AND state = ${STATE_CODES.prioritized})
    UNION ALL
    SELECT (SELECT min(rank) FROM job WHERE queue_id = (SELECT queue_id FROM the_queue)
      AND state = ${STATE_CODES.prioritized} AND rank >= (CAST(first / 4294967296.0 AS INTEGER) + 1) * 4294967296.0)
    FROM priority WHERE first IS NOT NULL
  )
  SELECT min(timestamp) FROM (
    SELECT (SELECT timestamp FROM job WHERE queue_id = (SELECT queue_id FROM the_queue)
      AND state = ${STATE_CODES.wait} ORDER BY rank LIMIT 1) AS timestamp
    UNION ALL
    SELECT (SELECT timestamp FROM job WHERE queue_id = (SELECT queue_id FROM the_queue)
      AND state = ${STATE_CODES.prioritized} AND rank = first LIMIT 1)
    FROM priority WHERE first IS NOT NULL
  )`;

/** Keeps the folder that tq makes by default out of version control. */
function hideFolder(folder: string): void {
  const file = join(folder, '.gitignore');
  if (basename(folder) !== OWN_FOLDER || existsSync(file)) return;
  try {
    writeFileSync(file, '# Made by tq: the jobs of this machine.\n*\n', { flag: 'wx' });
  } catch {
    // Another process has made it, or the folder cannot be written, which the database says better.
  }
}
