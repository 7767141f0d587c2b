import { RelayErrorCode, type RelaySubscribeResult } from 'bullmq';
import type { Connection } from '../connection.ts';
import { readLiveNode } from './live-node.ts';
import type { OpenNamespace } from './open-namespace.ts';
import { dropPatternIfUnused, openPattern } from './pattern-index.ts';
import { readRetained } from './retained-message.ts';
import { hasWildcard, relayRefusal } from './topic.ts';

const ADD = 'INSERT OR IGNORE INTO relay_subscription (pattern_no, node_no, endpoint_id) VALUES (?, ?, ?)';
const REMOVE = 'DELETE FROM relay_subscription WHERE pattern_no = ? AND node_no = ? AND endpoint_id = ?';
const LIST_OF_NODE = `SELECT pattern_no, node_no, endpoint_id FROM relay_subscription WHERE node_no = ?
  ORDER BY endpoint_id, pattern_no LIMIT ?`;
const LIST_OF_ENDPOINT = `SELECT subscription.pattern_no, subscription.node_no, subscription.endpoint_id
  FROM relay_node AS node JOIN relay_subscription AS subscription ON subscription.node_no = node.node_no
  WHERE node.namespace_id = ? AND node.id = ? AND subscription.endpoint_id = ?`;

export type SubscriptionRow = [patternNo: number, nodeNo: number, endpointId: string];

/**
 * Subscribes an endpoint of a node to a pattern. The retained message of an exact topic is read in the same transaction, so
 * no message falls between the two.
 *
 * @param request with valid ids and a valid pattern
 * @throws RelayError NodeNotRegistered, also for a node whose lease has ended
 */
export function subscribeEndpoint(
  namespace: OpenNamespace,
  { nodeId, endpointId, pattern }: { nodeId: string; endpointId: string; pattern: string },
): RelaySubscribeResult {
  const nodeNo = readLiveNode(namespace, nodeId);
  if (nodeNo === undefined) throw relayRefusal(RelayErrorCode.NodeNotRegistered, pattern);
  const added = namespace.connection.run(ADD, openPattern(namespace, pattern), nodeNo, endpointId) > 0;
  const retained = hasWildcard(pattern) ? undefined : readRetained(namespace, pattern);
  return retained === undefined ? { added } : { added, retained };
}

/** @returns how many subscriptions the endpoint had */
export function removeEndpoint(namespace: OpenNamespace, nodeId: string, endpointId: string): number {
  const { connection, id } = namespace;
  const subscriptions = connection.all(LIST_OF_ENDPOINT, id, nodeId, endpointId) as SubscriptionRow[];
  for (const subscription of subscriptions) removeSubscription(namespace, subscription);
  return subscriptions.length;
}

export function removeSubscription(namespace: OpenNamespace, subscription: SubscriptionRow): void {
  namespace.connection.run(REMOVE, ...subscription);
  dropPatternIfUnused(namespace, subscription[0]);
}

/** The subscriptions of a node, whether it is alive or removed. */
export function listNodeSubscriptions(connection: Connection, nodeNo: number, limit: number): SubscriptionRow[] {
  return connection.all(LIST_OF_NODE, nodeNo, limit) as SubscriptionRow[];
}
