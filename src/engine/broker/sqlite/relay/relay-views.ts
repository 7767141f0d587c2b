import type {
  RelayCounts,
  RelayNodeConnection,
  RelayNodeInfo,
  RelayNodeState,
  RelayPatternState,
  RelayRetainedState,
  RelaySubscriptionFilter,
  RelaySubscriptionState,
} from 'bullmq';
import type { SqlRow } from '../connection.ts';
import type { OpenNamespace } from './open-namespace.ts';

/**
 * What dashboards ask for. Lists are pages, from and to inclusive positions, the end -1 for all the rest.
 *
 * Subscriptions come in the order that Redis gives them, that of the bytes of `node|endpoint|pattern`. No index has it, so
 * all that match are sorted for a page. Like all counts here that is a cost for an operator's question, not for a message.
 */

const COUNTS = `SELECT
  (SELECT count(*) FROM relay_node WHERE namespace_id = ?1 AND removed_at IS NULL),
  (SELECT count(*) FROM relay_pattern AS pattern JOIN relay_subscription AS subscription
    ON subscription.pattern_no = pattern.pattern_no WHERE pattern.namespace_id = ?1),
  (SELECT count(*) FROM relay_pattern WHERE namespace_id = ?1),
  (SELECT count(*) FROM relay_retained WHERE namespace_id = ?1 AND expires_at > ?2)`;

const NODES = `SELECT id, info, registered_at, lease_until, heartbeat_at, backlog, dropped,
    (SELECT count(*) FROM relay_subscription WHERE node_no = node.node_no)
  FROM relay_node AS node WHERE namespace_id = ? AND removed_at IS NULL
  ORDER BY registered_at, id LIMIT ? OFFSET ?`;

const SUBSCRIPTIONS = `SELECT node.id, subscription.endpoint_id, pattern.pattern
  FROM relay_node AS node
  JOIN relay_subscription AS subscription ON subscription.node_no = node.node_no
  JOIN relay_pattern AS pattern ON pattern.pattern_no = subscription.pattern_no`;
const ALL_SUBSCRIPTIONS = `${SUBSCRIPTIONS} WHERE node.namespace_id = ?
  ORDER BY node.id || '|' || subscription.endpoint_id || '|' || pattern.pattern LIMIT ? OFFSET ?`;
const SUBSCRIPTIONS_OF_NODE = `${SUBSCRIPTIONS} WHERE node.namespace_id = ? AND node.id = ?
  ORDER BY subscription.endpoint_id || '|' || pattern.pattern LIMIT ? OFFSET ?`;
const SUBSCRIPTIONS_OF_PATTERN = `${SUBSCRIPTIONS} WHERE pattern.namespace_id = ? AND pattern.pattern = ?
  ORDER BY node.id || '|' || subscription.endpoint_id LIMIT ? OFFSET ?`;

const PATTERNS = `SELECT pattern, (SELECT count(*) FROM relay_subscription WHERE pattern_no = pattern.pattern_no)
  FROM relay_pattern AS pattern WHERE namespace_id = ? ORDER BY pattern LIMIT ? OFFSET ?`;

const RETAINED = `SELECT topic, expires_at, mid, ts, data FROM relay_retained
  WHERE namespace_id = ? AND expires_at > ? ORDER BY expires_at, topic LIMIT ? OFFSET ?`;

const LIVE_NODE = `SELECT info, registered_at, heartbeat_at FROM relay_node
  WHERE namespace_id = ? AND id = ? AND removed_at IS NULL AND lease_until > ?`;

/** A page of a list. */
export interface Page {
  readonly start: number;
  readonly end: number;
}

export function readCounts({ connection, id, now }: OpenNamespace): RelayCounts {
  const row = connection.get(COUNTS, id, now) as [number, number, number, number];
  const [nodes, subscriptions, patterns, retained] = row;
  return { nodes, subscriptions, patterns, retained };
}

/** In the order of registration. A node whose lease has ended is listed without what it told of itself. */
export function listNodes({ connection, id, now }: OpenNamespace, page: Page): RelayNodeState[] {
  return connection.all(NODES, id, ...toSlice(page)).map((row) => {
    const [nodeId, info, registeredAt, leaseUntil, lastHeartbeat, backlog, dropped, subscriptions] = row as NodeRow;
    const node = { id: nodeId, registeredAt, leaseUntil, subscriptions };
    if (leaseUntil <= now) return { ...node, info: {}, backlog: 0, dropped: 0 };
    return { ...node, info: JSON.parse(info) as RelayNodeInfo, lastHeartbeat, backlog, dropped };
  });
}

/** Subscriptions of a removed node are listed until they are pruned, as on Redis; nothing is delivered to them. */
export function listSubscriptions(
  { connection, id }: OpenNamespace,
  filter: RelaySubscriptionFilter | undefined,
  page: Page,
): RelaySubscriptionState[] {
  const slice = toSlice(page);
  let rows: SqlRow[];
  if (filter === undefined) rows = connection.all(ALL_SUBSCRIPTIONS, id, ...slice);
  else if ('nodeId' in filter) rows = connection.all(SUBSCRIPTIONS_OF_NODE, id, filter.nodeId, ...slice);
  else rows = connection.all(SUBSCRIPTIONS_OF_PATTERN, id, filter.pattern, ...slice);
  return (rows as [string, string, string][]).map(([nodeId, endpointId, pattern]) => ({ nodeId, endpointId, pattern }));
}

/** In the order of their bytes. */
export function listPatterns({ connection, id }: OpenNamespace, page: Page): RelayPatternState[] {
  const rows = connection.all(PATTERNS, id, ...toSlice(page)) as [string, number][];
  return rows.map(([pattern, subscriptions]) => ({ pattern, subscriptions }));
}

/** The first to run out first. */
export function listRetained({ connection, id, now }: OpenNamespace, page: Page): RelayRetainedState[] {
  const rows = connection.all(RETAINED, id, now, ...toSlice(page)) as [string, number, number, number, string][];
  return rows.map(([topic, expiresAt, mid, ts, data]) => ({ topic, expiresAt, mid: String(mid), ts, data }));
}

/**
 * A file has no connections to list. A node that is alive has it open, so it is told where that node said it runs, since
 * when it is registered, and how long ago it was heard of.
 */
export function listNodeConnections({ connection, id, now }: OpenNamespace, nodeId: string): RelayNodeConnection[] {
  const row = connection.get(LIVE_NODE, id, nodeId, now) as [string, number, number] | undefined;
  if (row === undefined) return [];
  const { host, pid } = JSON.parse(row[0]) as RelayNodeInfo;
  const address = host === undefined || pid === undefined ? 'local' : `${host}:${pid}`;
  return [{ address, age: toSeconds(now - row[1]), idle: toSeconds(now - row[2]) }];
}

type NodeRow = [string, string, number, number, number, number, number, number];

function toSlice({ start, end }: Page): [limit: number, offset: number] {
  return [end < 0 ? -1 : Math.max(0, end - start + 1), start];
}

function toSeconds(ms: number): number {
  return Math.max(0, Math.floor(ms / 1000));
}
