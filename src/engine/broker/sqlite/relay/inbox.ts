import type { RelayInboxBatch } from 'bullmq';
import type { Connection } from '../connection.ts';
import type { Database } from '../database.ts';
import { readLiveNode } from './live-node.ts';
import { inboxTopic, type NamespaceName, type OpenNamespace, openNamespace } from './open-namespace.ts';

/**
 * A node's inbox: what was published for it, until its reader says that it has consumed it.
 *
 * - A position is the number of the last message consumed. Reading from one gives what comes after it, again and again,
 *   until a trim removes what comes before.
 * - An inbox is bounded. When it is full its oldest messages make room: those that the reader was given count for nothing,
 *   those that it never saw are counted as dropped.
 */

/** Consumed entries that one trim removes. */
const TRIMMED_AT_ONCE = 10_000;

const STATE = 'SELECT inbox_length, inbox_max, read_until, backlog FROM relay_node WHERE node_no = ?';
const ADD = 'INSERT INTO relay_inbox (node_no, mid, topic, ts, endpoints, data) VALUES (?, ?, ?, ?, ?, ?)';
const SET_LENGTH = 'UPDATE relay_node SET inbox_length = ?, dropped = dropped + ? WHERE node_no = ?';
const SET_BACKLOG = `UPDATE relay_node SET inbox_length = ?1, backlog = ?1, dropped = dropped + ?2 WHERE node_no = ?3`;
const SET_READ_UNTIL = 'UPDATE relay_node SET read_until = ? WHERE node_no = ?';
const HAS_AFTER = 'SELECT 1 FROM relay_inbox WHERE node_no = ? AND mid > ? LIMIT 1';
const LIST_AFTER = `SELECT mid, topic, ts, endpoints, data FROM relay_inbox WHERE node_no = ? AND mid > ?
  ORDER BY mid LIMIT ?`;
const NTH_OLDEST = 'SELECT mid FROM relay_inbox WHERE node_no = ? ORDER BY mid LIMIT 1 OFFSET ?';
const COUNT_UP_TO = 'SELECT count(*) FROM relay_inbox WHERE node_no = ? AND mid <= ?';
const DELETE_UP_TO = 'DELETE FROM relay_inbox WHERE node_no = ? AND mid <= ?';

type InboxState = [length: number, max: number, readUntil: number, backlog: number];

export interface Delivery {
  readonly topic: string;
  readonly mid: number;
  readonly ts: number;
  readonly data: string;
  /** Of this node. */
  readonly endpoints: readonly string[];
}

/** @throws Error for a cursor that no inbox of this store has given */
export function parseCursor(cursor: string): number {
  if (!/^\d{1,16}$/.test(cursor)) throw new Error(`Invalid relay cursor: ${cursor}`);
  return Number(cursor);
}

/** Appends a message, and makes room for it first in an inbox that is full. */
export function deliver(connection: Connection, nodeNo: number, delivery: Delivery): void {
  const { topic, mid, ts, data, endpoints } = delivery;
  const [length, max, readUntil] = getState(connection, nodeNo);
  const room = dropOldest(connection, nodeNo, { length, readUntil, keep: max - 1 });
  connection.run(ADD, nodeNo, mid, topic, ts, endpoints.join(), data);
  connection.run(SET_LENGTH, length - room.removed + 1, room.unread, nodeNo);
}

/**
 * Resolves when there is something to read after a position for a node whose lease runs.
 *
 * @param now tells the instant, epoch ms
 * @returns false at the timeout, or when the wait is ended
 */
export async function waitForMessage(
  database: Database,
  { name, nodeId, position, now }: { name: NamespaceName; nodeId: string; position: number; now: () => number },
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<boolean> {
  const look = (): true | undefined => {
    const namespace = openNamespace(database, name, { now: now(), writes: false });
    const nodeNo = readLiveNode(namespace, nodeId);
    if (nodeNo === undefined) return undefined;
    return namespace.connection.get(HAS_AFTER, nodeNo, position) === undefined ? undefined : true;
  };
  return (await database.wait({ topic: inboxTopic(name, nodeId), look, timeoutMs, signal })) === true;
}

/**
 * Reads what comes after a position, and notes in the same transaction how far the reader was given the inbox.
 *
 * @returns nothing, with the position as it was, for a node whose lease has ended: what lies there was for a registration
 *   that is over
 */
export function takeBatch(namespace: OpenNamespace, nodeId: string, position: number, count: number): RelayInboxBatch {
  const { connection } = namespace;
  const nodeNo = readLiveNode(namespace, nodeId);
  if (nodeNo === undefined) return { entries: [], cursor: String(position) };
  const rows = connection.all(LIST_AFTER, nodeNo, position, count) as [number, string, number, string, string][];
  const last = rows.at(-1)?.[0] ?? position;
  const [, , readUntil] = getState(connection, nodeNo);
  // Nothing is written for a reader that finds nothing: it would wake all who watch the file.
  if (last !== readUntil) connection.run(SET_READ_UNTIL, last, nodeNo);
  const entries = rows.map(([mid, topic, ts, endpoints, data]) => {
    return { kind: 'msg', topic, mid: String(mid), ts, data, endpoints: endpoints.split(',') };
  });
  return { entries, cursor: String(last) };
}

/**
 * Removes what was consumed, and the oldest beyond `maxLength`.
 *
 * @returns how many are left; 0 for a node whose lease has ended
 */
export function trimInbox(namespace: OpenNamespace, nodeId: string, position: number, maxLength: number): number {
  const { connection } = namespace;
  const nodeNo = readLiveNode(namespace, nodeId);
  if (nodeNo === undefined) return 0;
  const [before, , given, backlog] = getState(connection, nodeNo);
  const length = before - removeConsumed(connection, nodeNo, { length: before, position });
  const readUntil = Math.max(given, position);
  const excess = dropOldest(connection, nodeNo, { length, readUntil, keep: maxLength });
  const left = length - excess.removed;
  if (left !== before || left !== backlog || excess.unread > 0)
    connection.run(SET_BACKLOG, left, excess.unread, nodeNo);
  return left;
}

/** @returns how many were removed; a further trim removes the rest of very many */
function removeConsumed(
  connection: Connection,
  nodeNo: number,
  { length, position }: { length: number; position: number },
): number {
  if (length <= TRIMMED_AT_ONCE) return connection.run(DELETE_UP_TO, nodeNo, position);
  const bound = connection.get(NTH_OLDEST, nodeNo, TRIMMED_AT_ONCE - 1)?.[0] as number;
  return connection.run(DELETE_UP_TO, nodeNo, Math.min(position, bound));
}

/** @returns how many were removed to leave `keep`, and how many of these the reader was never given */
function dropOldest(
  connection: Connection,
  nodeNo: number,
  { length, readUntil, keep }: { length: number; readUntil: number; keep: number },
): { removed: number; unread: number } {
  const excess = length - Math.max(0, Math.trunc(keep));
  if (excess <= 0) return { removed: 0, unread: 0 };
  const last = connection.get(NTH_OLDEST, nodeNo, excess - 1)?.[0] as number;
  const given = connection.get(COUNT_UP_TO, nodeNo, Math.min(last, readUntil))?.[0] as number;
  const removed = connection.run(DELETE_UP_TO, nodeNo, last);
  return { removed, unread: removed - given };
}

function getState(connection: Connection, nodeNo: number): InboxState {
  return connection.get(STATE, nodeNo) as InboxState;
}
