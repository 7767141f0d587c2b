import type { OpenQueue } from './open-queue.ts';
import { CHILD_KINDS, type ChildKind } from './schema.ts';

/**
 * What a parent job knows of its children: who is still out, who ended how. A child is named by its key
 * (`prefix:queue:id`), for it may live in another queue.
 */

const ADD = `INSERT INTO dependency (queue_id, parent_id, kind, child_key, value, score) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET value = excluded.value, score = excluded.score`;
const REMOVE = 'DELETE FROM dependency WHERE queue_id = ? AND parent_id = ? AND kind = ? AND child_key = ?';
const HAS_ANY = 'SELECT 1 FROM dependency WHERE queue_id = ? AND parent_id = ? AND kind = ? LIMIT 1';
const HAS = 'SELECT 1 FROM dependency WHERE queue_id = ? AND parent_id = ? AND kind = ? AND child_key = ?';
const COUNT = 'SELECT count(*) FROM dependency WHERE queue_id = ? AND parent_id = ? AND kind = ?';
const LIST = `SELECT child_key, value FROM dependency WHERE queue_id = ? AND parent_id = ? AND kind = ?
  ORDER BY score, child_key LIMIT ? OFFSET ?`;

export interface ChildRecord {
  readonly childKey: string;
  /** The stored result of a processed child, the reason of an ignored one. */
  readonly value: string | null;
}

/** @param score orders the failed ones: when they failed, epoch ms */
export function addChild(
  queue: OpenQueue,
  parentId: string,
  kind: ChildKind,
  childKey: string,
  { value = null, score = 0 }: { value?: string | null; score?: number } = {},
): void {
  queue.connection.run(ADD, queue.id, parentId, CHILD_KINDS[kind], childKey, value, score);
}

/** @returns whether it was there */
export function removeChild(queue: OpenQueue, parentId: string, kind: ChildKind, childKey: string): boolean {
  return queue.connection.run(REMOVE, queue.id, parentId, CHILD_KINDS[kind], childKey) > 0;
}

export function hasChildren(queue: OpenQueue, parentId: string, kind: ChildKind): boolean {
  return queue.connection.get(HAS_ANY, queue.id, parentId, CHILD_KINDS[kind]) !== undefined;
}

export function hasChild(queue: OpenQueue, parentId: string, kind: ChildKind, childKey: string): boolean {
  return queue.connection.get(HAS, queue.id, parentId, CHILD_KINDS[kind], childKey) !== undefined;
}

export function countChildren(queue: OpenQueue, parentId: string, kind: ChildKind): number {
  return queue.connection.get(COUNT, queue.id, parentId, CHILD_KINDS[kind])?.[0] as number;
}

/** @param limit -1 for all */
export function listChildren(
  queue: OpenQueue,
  parentId: string,
  kind: ChildKind,
  { limit = -1, skip = 0 }: { limit?: number; skip?: number } = {},
): ChildRecord[] {
  const rows = queue.connection.all(LIST, queue.id, parentId, CHILD_KINDS[kind], limit, skip);
  return rows.map(([childKey, value]) => ({ childKey: childKey as string, value: value as string | null }));
}

/** The id of a scheduler's job has colons of its own; no other id has. */
const SCHEDULER_JOB_KEY = /^(.+):(repeat:.+:\d+)$/;

/** A job's key (`prefix:queue:id`) in its parts. */
export function splitJobKey(key: string): { readonly queueKey: string; readonly id: string } {
  const [, queueKey, id] = SCHEDULER_JOB_KEY.exec(key) ?? [];
  if (queueKey !== undefined && id !== undefined) return { queueKey, id };
  const colon = key.lastIndexOf(':');
  return { queueKey: key.slice(0, colon), id: key.slice(colon + 1) };
}
