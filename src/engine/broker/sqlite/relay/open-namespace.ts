import type { Connection } from '../connection.ts';
import type { Transaction } from '../transaction.ts';

const FIND = 'SELECT namespace_id FROM relay_namespace WHERE prefix = ? AND name = ?';
const CREATE = 'INSERT INTO relay_namespace (prefix, name, last_mid) VALUES (?, ?, ?) RETURNING namespace_id';
const NEXT_MID = 'UPDATE relay_namespace SET last_mid = last_mid + 1 WHERE namespace_id = ? RETURNING last_mid';
const LIST_USED = `SELECT name FROM relay_namespace AS namespace WHERE prefix = ?1 AND (
    EXISTS (SELECT 1 FROM relay_node
      WHERE namespace_id = namespace.namespace_id AND removed_at IS NULL AND lease_until > ?2)
    OR EXISTS (SELECT 1 FROM relay_retained WHERE namespace_id = namespace.namespace_id AND expires_at > ?2)
  ) ORDER BY name`;

/** Which relay: those that share prefix and name exchange messages. */
export interface NamespaceName {
  readonly prefix: string;
  readonly name: string;
}

/** A namespace as the operations of a transaction see it, and the instant at which they run. */
export interface OpenNamespace {
  readonly connection: Connection;
  /** 0 for one that nobody has written to: it reads as an empty one. */
  readonly id: number;
  /** Epoch ms; one instant for the whole operation. */
  readonly now: number;
  /** Wakes the node's reader, once the transaction is committed. */
  wake(nodeId: string): void;
}

/**
 * @param source a transaction; or a connection alone, for a look that changes nothing
 * @param writes whether the namespace gets its row now if it has none
 */
export function openNamespace(
  source: Pick<Transaction, 'connection'> & Partial<Pick<Transaction, 'signal'>>,
  namespace: NamespaceName,
  { now, writes }: { now: number; writes: boolean },
): OpenNamespace {
  const { connection } = source;
  let row = connection.get(FIND, namespace.prefix, namespace.name);
  // Numbers begin at the instant, in microseconds, as on Redis: in a file that was made anew under a reader, what comes must
  // be beyond what it has read in the old one.
  if (row === undefined && writes)
    row = connection.get(CREATE, namespace.prefix, namespace.name, Math.floor(now) * 1000);
  const wake = (nodeId: string): void => source.signal?.(inboxTopic(namespace, nodeId));
  return { connection, id: (row?.[0] as number | undefined) ?? 0, now, wake };
}

/** What the reader of a node's inbox waits for. */
export function inboxTopic({ prefix, name }: NamespaceName, nodeId: string): string {
  return `relay ${prefix} ${name} ${nodeId}`;
}

/** @returns the number of a new message, greater than all before it */
export function nextMid({ connection, id }: OpenNamespace): number {
  return connection.get(NEXT_MID, id)?.[0] as number;
}

/** Names of the namespaces with a live node or a retained message, in the order of their bytes. */
export function listUsedNamespaces(connection: Connection, prefix: string, now: number): string[] {
  return connection.all(LIST_USED, prefix, now).map(([name]) => name as string);
}
