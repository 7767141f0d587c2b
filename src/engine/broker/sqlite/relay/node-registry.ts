import type { RelayNodeInfo } from 'bullmq';
import { pruneNode, pruneRemovedNodes } from './node-pruning.ts';
import type { OpenNamespace } from './open-namespace.ts';
import { removeExpiredAnywhere } from './retained-message.ts';

/**
 * The nodes of a relay and their leases.
 *
 * 1. A node registers for the length of a lease and renews it with heartbeats.
 * 2. From the instant at which the lease ends, nothing is delivered to it or read by it, and a heartbeat is refused.
 * 3. It leaves by itself, or the next sweep of any node removes it; before that it is still listed.
 * 4. A node that comes back with the same id begins anew: with no subscriptions, and an empty inbox.
 */

const FIND = `SELECT node_no, lease_until > ?3 AND removed_at IS NULL FROM relay_node
  WHERE namespace_id = ?1 AND id = ?2`;
const ADD = `INSERT INTO relay_node
  (namespace_id, id, info, registered_at, heartbeat_at, lease_until, inbox_max) VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6)`;
const REFRESH = 'UPDATE relay_node SET info = ?, heartbeat_at = ?, lease_until = ?, inbox_max = ? WHERE node_no = ?';
const RENEW = `UPDATE relay_node SET heartbeat_at = ?3, lease_until = ?4
  WHERE namespace_id = ?1 AND id = ?2 AND removed_at IS NULL AND lease_until > ?3`;
const REMOVE = 'UPDATE relay_node SET removed_at = ? WHERE namespace_id = ? AND id = ? AND removed_at IS NULL';
const REMOVE_BY_NO = 'UPDATE relay_node SET removed_at = ? WHERE node_no = ?';
const LIST_EXPIRED = `SELECT node_no, id, namespace_id FROM relay_node WHERE removed_at IS NULL AND lease_until <= ?
  ORDER BY namespace_id <> ?, lease_until, id LIMIT ?`;

export interface Registration {
  readonly nodeId: string;
  readonly leaseMs: number;
  readonly info: RelayNodeInfo;
  /** Messages that its inbox holds at most. */
  readonly inboxMax: number;
}

/**
 * Registers a node, or refreshes one that is alive: that keeps its subscriptions, its inbox and its place in the order.
 *
 * @returns false when an earlier registration of the id is not pruned yet; to be called again, each call prunes more
 */
export function registerNode(namespace: OpenNamespace, { nodeId, leaseMs, info, inboxMax }: Registration): boolean {
  const { connection, id, now } = namespace;
  const text = JSON.stringify(info);
  const [nodeNo, isLive] = (connection.get(FIND, id, nodeId, now) ?? []) as [number?, number?];
  if (nodeNo !== undefined && isLive === 1) {
    connection.run(REFRESH, text, now, now + leaseMs, inboxMax, nodeNo);
    return true;
  }
  if (nodeNo !== undefined) {
    connection.run(REMOVE, now, id, nodeId);
    if (!pruneNode(namespace, nodeNo)) return false;
  }
  connection.run(ADD, id, nodeId, text, now, now + leaseMs, inboxMax);
  return true;
}

/** @returns false when the node is not registered, or its lease has ended */
export function renewLease({ connection, id, now }: OpenNamespace, nodeId: string, leaseMs: number): boolean {
  return connection.run(RENEW, id, nodeId, now, now + leaseMs) > 0;
}

/** @returns whether the node was registered */
export function unregisterNode(namespace: OpenNamespace, nodeId: string): boolean {
  const { connection, id, now } = namespace;
  const isRemoved = connection.run(REMOVE, now, id, nodeId) > 0;
  pruneRemovedNodes(namespace);
  return isRemoved;
}

/**
 * Removes nodes whose lease has ended, the longest ended first, and messages that are not retained any longer. Those of
 * other namespaces come after this one's: a namespace that all have left has nobody else to clean it.
 *
 * @param limit nodes to remove at most; with 0 nothing is done
 * @returns the ids of the removed nodes of this namespace
 */
export function sweepNodes(namespace: OpenNamespace, limit: number): string[] {
  if (limit <= 0) return [];
  const { connection, id, now } = namespace;
  const expired = connection.all(LIST_EXPIRED, now, id, limit) as [number, string, number][];
  for (const [nodeNo] of expired) connection.run(REMOVE_BY_NO, now, nodeNo);
  removeExpiredAnywhere(connection, now);
  pruneRemovedNodes(namespace);
  return expired.flatMap(([, nodeId, namespaceId]) => (namespaceId === id ? [nodeId] : []));
}
