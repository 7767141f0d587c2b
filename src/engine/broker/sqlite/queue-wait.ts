import type { Database } from './database.ts';
import { type EventEntry, type EventPosition, parseEventId, readEventsAfter } from './event-log.ts';
import { dueAtOf } from './job-place.ts';
import { STATE_CODES } from './schema.ts';
import { eventsTopic, jobsTopic } from './transaction.ts';

/** The two waits of a queue: a worker's for a job that it may take, and a reader's for events. */

const READY = `SELECT q.queue_id, q.wait + q.prioritized, q."delayed", q.active,
    EXISTS (SELECT 1 FROM meta WHERE queue_id = q.queue_id AND field = 'paused'),
    (SELECT value FROM meta WHERE queue_id = q.queue_id AND field = 'concurrency')
  FROM queue q WHERE q.prefix = ? AND q.name = ?`;
const FIRST_RANK = 'SELECT rank FROM job WHERE queue_id = ? AND state = ? ORDER BY rank LIMIT 1';
const EVENT_TAIL = 'SELECT queue_id, event_at, event_seq FROM queue WHERE prefix = ? AND name = ?';

export interface QueueName {
  readonly prefix: string;
  readonly name: string;
}

/**
 * Resolves when a job may be taken: one waits, or a delayed one has become due, and the queue is neither paused nor at its
 * global concurrency. Unlike Redis' marker this is a fact of the queue, not a token that one worker takes away from others.
 *
 * @returns false at the timeout, or when the wait is ended
 */
export async function waitForReadyJob(
  database: Database,
  { prefix, name }: QueueName,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<boolean> {
  let dueAt: number | undefined;
  const look = (): true | undefined => {
    dueAt = undefined;
    const row = database.connection.get(READY, prefix, name);
    if (row === undefined) return undefined;
    const [queueId, ready, delayed, active, paused, concurrency] = row as [
      number,
      number,
      number,
      number,
      number,
      string,
    ];
    if (paused === 1 || (concurrency !== null && active >= Number(concurrency))) return undefined;
    if (ready > 0) return true;
    if (delayed === 0) return undefined;
    const rank = database.connection.get(FIRST_RANK, queueId, STATE_CODES.delayed)?.[0] as number | undefined;
    dueAt = rank === undefined ? undefined : dueAtOf(rank);
    return dueAt !== undefined && dueAt <= database.clock.now() ? true : undefined;
  };
  const dueInMs = () => (dueAt === undefined ? undefined : dueAt - database.clock.now());
  return (await database.wait({ topic: jobsTopic(`${prefix}:${name}`), look, dueInMs, timeoutMs, signal })) === true;
}

/** Where the queue's event log ends now. */
export function readEventTail(database: Database, { prefix, name }: QueueName): EventPosition {
  const row = database.connection.get(EVENT_TAIL, prefix, name) as [number, number, number] | undefined;
  // An empty log has no event 0-0, but a first one may get the id 0-0 under a clock that stands at 0.
  return row === undefined ? { at: 0, seq: -1 } : { at: row[1], seq: row[2] };
}

/**
 * Resolves with the events after a position, as soon as there are some.
 *
 * @param after an event's id, an instant, or a position
 * @returns undefined at the timeout, or when the wait is ended
 */
export function waitForEvents(
  database: Database,
  { prefix, name }: QueueName,
  { after, timeoutMs, signal }: { after: string | EventPosition; timeoutMs: number; signal: AbortSignal },
): Promise<EventEntry[] | undefined> {
  const position = typeof after === 'string' ? parseEventId(after) : after;
  const look = (): EventEntry[] | undefined => {
    const row = database.connection.get(EVENT_TAIL, prefix, name) as [number, number, number] | undefined;
    if (row === undefined) return undefined;
    const [queueId, at, seq] = row;
    if (at < position.at || (at === position.at && seq <= position.seq)) return undefined;
    const events = readEventsAfter(database.connection, queueId, position);
    return events.length > 0 ? events : undefined;
  };
  return database.wait({ topic: eventsTopic(`${prefix}:${name}`), look, timeoutMs, signal });
}
