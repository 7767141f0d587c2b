/**
 * `taskq/sqlite`: BullMQ 6 on a SQLite file, for any BullMQ application.
 *
 * ```ts
 * import { Queue, Worker } from 'bullmq';
 * import { createSqliteBackend } from 'taskq/sqlite';
 *
 * const queue = new Queue('mail', { connection: { path: 'jobs.db' } }, createSqliteBackend);
 * const worker = new Worker('mail', run, { connection: { path: 'jobs.db' } }, createSqliteBackend);
 * ```
 */
import { sqliteBackendFactory } from './engine/broker/sqlite/create-sqlite-backend.ts';
import { systemClock } from './engine/runtime/system-clock.ts';

export type { SqliteQueueBackend } from './engine/broker/sqlite/queue-backend.ts';
export type { SqliteConnection } from './engine/broker/sqlite/sqlite-connection.ts';

/** BullMQ's backend factory: the last argument of `new Queue`, `new Worker`, `new FlowProducer` and `new QueueEvents`. */
export const createSqliteBackend = sqliteBackendFactory(systemClock);
