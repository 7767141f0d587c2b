import type { OpenNamespace } from './open-namespace.ts';

const FIND = `SELECT node_no FROM relay_node
  WHERE namespace_id = ? AND id = ? AND removed_at IS NULL AND lease_until > ?`;
const LIST_SUBSCRIBERS = `SELECT node.node_no, node.id, subscription.endpoint_id
  FROM relay_subscription AS subscription JOIN relay_node AS node ON node.node_no = subscription.node_no
  WHERE subscription.pattern_no = ? AND node.removed_at IS NULL AND node.lease_until > ?`;

/** One endpoint that a message is for, and its node. */
export type Subscriber = [nodeNo: number, nodeId: string, endpointId: string];

/** @returns the number of a node whose lease runs; undefined for any other */
export function readLiveNode({ connection, id, now }: OpenNamespace, nodeId: string): number | undefined {
  return connection.get(FIND, id, nodeId, now)?.[0] as number | undefined;
}

/** Who subscribes to a pattern, of the nodes whose lease runs. */
export function listLiveSubscribers({ connection, now }: OpenNamespace, patternNo: number): Subscriber[] {
  return connection.all(LIST_SUBSCRIBERS, patternNo, now) as Subscriber[];
}
