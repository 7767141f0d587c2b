import type { BackendFactory } from 'bullmq';
import type { Clock } from '../../core/clock.ts';
import { type QueueSettings, SqliteQueueBackend } from './queue-backend.ts';
import { type SqliteConnection, toOpenOptions } from './sqlite-connection.ts';

/** BullMQ's suffix for the clients that read events. */
const EVENTS_SUFFIX = ':qe';

/**
 * Makes BullMQ's backend factory for SQLite.
 *
 * @param clock what instants are stored by
 */
export function sqliteBackendFactory(clock: Clock): BackendFactory<SqliteQueueBackend, SqliteConnection | string> {
  return (name, opts, { blocking = false, withBlockingConnection = false } = {}) => {
    const settings = opts as QueueSettings & { readonly prefix?: string };
    const { prefix = 'bull', name: workerName } = settings;
    const suffix = withBlockingConnection
      ? workerName
        ? `:w:${workerName}`
        : ''
      : blocking
        ? EVENTS_SUFFIX
        : undefined;
    const clientName = suffix === undefined ? undefined : `${prefix}:${Buffer.from(name).toString('base64')}${suffix}`;
    const open = toOpenOptions(opts.connection, clock);
    return new SqliteQueueBackend({ open, prefix, name, clientName }, settings);
  };
}
