import type { RelayBackendFactory } from 'bullmq';
import type { Clock } from '../../../core/clock.ts';
import { type SqliteConnection, toOpenOptions } from '../sqlite-connection.ts';
import { SqliteRelayBackend } from './relay-backend.ts';

/** What BullMQ bounds an inbox to when nothing else was said. */
const DEFAULT_INBOX_MAX_LENGTH = 10_000;

/**
 * Makes BullMQ's relay backend factory for SQLite. Relays with the same prefix and namespace exchange messages; the prefix
 * parts them as it parts queues.
 *
 * @param clock what leases and expiries are counted by
 */
export function sqliteRelayBackendFactory(clock: Clock): RelayBackendFactory<SqliteConnection | string> {
  return ({ connection, namespace, prefix = 'bull', inboxMaxLength = DEFAULT_INBOX_MAX_LENGTH }) =>
    new SqliteRelayBackend({ open: toOpenOptions(connection, clock), prefix, namespace, inboxMaxLength });
}
