import type { OpenNamespace } from './open-namespace.ts';
import { listNodeSubscriptions, removeSubscription } from './subscribing.ts';

/** How much of removed nodes one operation prunes, so that a node with very many subscriptions does not hold up everyone. */
const SUBSCRIPTIONS_AT_ONCE = 100;
const ENTRIES_AT_ONCE = 1000;

const NEXT_REMOVED = `SELECT node_no FROM relay_node WHERE namespace_id = ? AND removed_at IS NOT NULL
  ORDER BY removed_at, node_no LIMIT 1`;
const ANY_REMOVED = 'SELECT node_no FROM relay_node WHERE removed_at IS NOT NULL LIMIT 1';
const DELETE_ENTRIES = `DELETE FROM relay_inbox WHERE node_no = ?1
  AND mid IN (SELECT mid FROM relay_inbox WHERE node_no = ?1 ORDER BY mid LIMIT ?2)`;
const DELETE_NODE = 'DELETE FROM relay_node WHERE node_no = ?';

interface Budget {
  subscriptions: number;
  entries: number;
}

/** Prunes removed nodes as far as one operation may: this namespace's, in the order of their removal, then others. */
export function pruneRemovedNodes(namespace: OpenNamespace): void {
  const { connection, id } = namespace;
  const budget = newBudget();
  for (;;) {
    const [next] = (connection.get(NEXT_REMOVED, id) ?? connection.get(ANY_REMOVED) ?? []) as [number?];
    if (next === undefined || !pruneNode(namespace, next, budget)) return;
  }
}

/**
 * Prunes a removed node as far as one operation may.
 *
 * @returns whether nothing is left of it
 */
export function pruneNode(namespace: OpenNamespace, nodeNo: number, budget: Budget = newBudget()): boolean {
  const { connection } = namespace;
  const subscriptions = listNodeSubscriptions(connection, nodeNo, budget.subscriptions);
  for (const subscription of subscriptions) removeSubscription(namespace, subscription);
  const entries = connection.run(DELETE_ENTRIES, nodeNo, budget.entries);
  const isDone = subscriptions.length < budget.subscriptions && entries < budget.entries;
  if (isDone) connection.run(DELETE_NODE, nodeNo);
  // A node without any subscription is work too.
  budget.subscriptions -= Math.max(1, subscriptions.length);
  budget.entries -= entries;
  return isDone;
}

function newBudget(): Budget {
  return { subscriptions: SUBSCRIPTIONS_AT_ONCE, entries: ENTRIES_AT_ONCE };
}
