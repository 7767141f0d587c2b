import type { RelayRetainedMessage } from 'bullmq';
import type { Connection } from '../connection.ts';
import type { OpenNamespace } from './open-namespace.ts';

/** The last message of a topic, kept for those who subscribe to it later. */

/** How many messages that have run out one operation removes. */
const REMOVED_AT_ONCE = 100;

const SAVE = `INSERT INTO relay_retained (namespace_id, topic, mid, ts, expires_at, data) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET mid = excluded.mid, ts = excluded.ts, expires_at = excluded.expires_at, data = excluded.data`;
const READ = 'SELECT mid, ts, data FROM relay_retained WHERE namespace_id = ? AND topic = ? AND expires_at > ?';
const DELETE = 'DELETE FROM relay_retained WHERE namespace_id = ? AND topic = ? RETURNING expires_at';
const DELETE_EXPIRED = `DELETE FROM relay_retained WHERE (namespace_id, topic) IN (
  SELECT namespace_id, topic FROM relay_retained WHERE namespace_id = ? AND expires_at <= ?
  ORDER BY expires_at LIMIT ${REMOVED_AT_ONCE})`;
const DELETE_EXPIRED_ANYWHERE = `DELETE FROM relay_retained WHERE (namespace_id, topic) IN (
  SELECT retained.namespace_id, retained.topic FROM relay_namespace AS namespace
  CROSS JOIN relay_retained AS retained ON retained.namespace_id = namespace.namespace_id AND retained.expires_at <= ?
  LIMIT ${REMOVED_AT_ONCE})`;

export interface Retainable {
  readonly topic: string;
  readonly mid: number;
  readonly ts: number;
  readonly data: string;
}

/** Keeps a message as its topic's, in place of an earlier one. */
export function retainMessage(namespace: OpenNamespace, message: Retainable, retainMs: number): void {
  const { connection, id, now } = namespace;
  const { topic, mid, ts, data } = message;
  connection.run(SAVE, id, topic, mid, ts, now + retainMs, data);
  connection.run(DELETE_EXPIRED, id, now);
}

export function readRetained({ connection, id, now }: OpenNamespace, topic: string): RelayRetainedMessage | undefined {
  const row = connection.get(READ, id, topic, now) as [number, number, string] | undefined;
  return row && { mid: String(row[0]), ts: row[1], data: row[2] };
}

/** @returns false when the topic had no retained message, or one that had run out */
export function deleteRetained({ connection, id, now }: OpenNamespace, topic: string): boolean {
  const expiresAt = connection.get(DELETE, id, topic)?.[0] as number | undefined;
  connection.run(DELETE_EXPIRED, id, now);
  return expiresAt !== undefined && expiresAt > now;
}

/** Removes messages that have run out, of all namespaces: one without nodes has nobody to do it. */
export function removeExpiredAnywhere(connection: Connection, now: number): void {
  connection.run(DELETE_EXPIRED_ANYWHERE, now);
}
