/**
 * `taskq/sqlite`: BullMQ 6 on a SQLite file, for any BullMQ application.
 *
 * ```ts
 * import { Queue, Relay, Worker } from 'bullmq';
 * import { createSqliteBackend, createSqliteRelayBackend } from 'taskq/sqlite';
 *
 * const connection = { path: 'jobs.db' };
 * const queue = new Queue('mail', { connection }, createSqliteBackend);
 * const worker = new Worker('mail', run, { connection }, createSqliteBackend);
 * const relay = new Relay({ connection, backend: createSqliteRelayBackend });
 * ```
 */
import { sqliteBackendFactory } from './engine/broker/sqlite/create-sqlite-backend.ts';
import { sqliteRelayBackendFactory } from './engine/broker/sqlite/relay/create-sqlite-relay-backend.ts';
import { systemClock } from './engine/runtime/system-clock.ts';

export type { SqliteQueueBackend } from './engine/broker/sqlite/queue-backend.ts';
export type { SqliteRelayBackend } from './engine/broker/sqlite/relay/relay-backend.ts';
export type { SqliteConnection } from './engine/broker/sqlite/sqlite-connection.ts';

/** BullMQ's backend factory: the last argument of `new Queue`, `new Worker`, `new FlowProducer` and `new QueueEvents`. */
export const createSqliteBackend = sqliteBackendFactory(systemClock);

/** BullMQ's relay backend factory: the `backend` of `new Relay`. */
export const createSqliteRelayBackend = sqliteRelayBackendFactory(systemClock);
