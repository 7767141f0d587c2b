import { hostname } from 'node:os';
import type { Connection } from './connection.ts';

/**
 * Who has the file open under a name: the workers and event readers that `Queue.getWorkers()` and `getQueueEvents()` list.
 * A file has no connections to ask for, so each named client keeps a row and says from time to time that it is there.
 */

const ADD = 'INSERT INTO client (name, host, pid, connected_at, seen_at) VALUES (?, ?, ?, ?, ?) RETURNING client_id';
const SEE = 'UPDATE client SET name = ?, seen_at = ? WHERE client_id = ?';
const REMOVE = 'DELETE FROM client WHERE client_id = ?';
const REMOVE_LOST = 'DELETE FROM client WHERE seen_at < ?';
const LIST =
  'SELECT client_id, name, host, pid, connected_at, seen_at FROM client WHERE seen_at >= ? ORDER BY client_id';

/** A client that was not seen for so long is not listed any more. */
const CLIENT_LEASE_MS = 30_000;

/** How often a client says that it is there. */
export const CLIENT_SEEN_EVERY_MS = 10_000;

/** @returns the id of its row */
export function addClient(connection: Connection, name: string, now: number): number {
  connection.run(REMOVE_LOST, now - CLIENT_LEASE_MS);
  return connection.get(ADD, name, hostname(), process.pid, now, now)?.[0] as number;
}

/** @returns whether the row was still there */
export function seeClient(connection: Connection, clientId: number, name: string, now: number): boolean {
  return connection.run(SEE, name, now, clientId) > 0;
}

export function removeClient(connection: Connection, clientId: number): void {
  connection.run(REMOVE, clientId);
}

/** One line a client, in the form of Redis' CLIENT LIST, which BullMQ reads. Ages are in seconds. */
export function listClients(connection: Connection, now: number): string {
  return connection
    .all(LIST, now - CLIENT_LEASE_MS)
    .map((row) => {
      const [id, name, host, pid, connectedAt, seenAt] = row as [number, string, string, number, number, number];
      const age = Math.floor((now - connectedAt) / 1000);
      return `id=${id} addr=${host}:${pid} name=${name} age=${age} idle=${Math.floor((now - seenAt) / 1000)}`;
    })
    .join('\n');
}
