import { array2obj } from 'bullmq';
import { type EventLogReader, mergeLogs, type QueueLog, type RawEntry, shareOf } from '../events/event-log.ts';
import type { Connection } from './connection.ts';
import type { Database } from './database.ts';
import { type EventPosition, parseEventId, readEventsAfter } from './event-log.ts';
import { ALL_EVENTS_TOPIC } from './transaction.ts';

const TAILS = 'SELECT queue_id, name, event_at, event_seq FROM queue WHERE prefix = ?';

type Tail = [queueId: number, name: string, at: number, seq: number];

/** How long one read waits at most; only for the signal of a caller that is none of ours. */
const WAIT_MS = 60_000;

/**
 * The event logs of the queues of a database file, over the connection that this process has to it anyway. A queue that is
 * new is seen with its first event.
 */
export function createSqliteEventLog(
  database: () => Database,
  prefix: string,
  since: number | undefined,
): EventLogReader {
  const positions = new Map<string, EventPosition>();
  /** Before the first event of a queue that was not there at the start. */
  const begin: EventPosition =
    since === undefined ? { at: 0, seq: -1 } : { at: since - 1, seq: Number.MAX_SAFE_INTEGER };

  const look = (connection: Connection): readonly RawEntry[] | undefined => {
    const grown = (connection.all(TAILS, prefix) as Tail[]).filter(([, name, at, seq]) =>
      isAfter({ at, seq }, positions.get(name) ?? begin),
    );
    const share = shareOf(grown.length);
    const logs = grown.map(([queueId, name]): QueueLog => {
      const found = readEventsAfter(connection, queueId, positions.get(name) ?? begin, share);
      const entries = found.map(([position, fields]) => ({
        queue: name,
        position,
        at: parseEventId(position).at,
        fields: array2obj(fields) as Record<string, string>,
      }));
      return { entries, hasMore: found.length >= share };
    });
    const merged = mergeLogs(logs);
    for (const { queue, position } of merged) positions.set(queue, parseEventId(position));
    return merged.length > 0 ? merged : undefined;
  };

  return {
    async start() {
      const tails = await database().read(({ connection }) => connection.all(TAILS, prefix) as Tail[]);
      if (since === undefined) for (const [, name, at, seq] of tails) positions.set(name, { at, seq });
    },
    async read(signal) {
      const { connection } = database();
      const request = { topic: ALL_EVENTS_TOPIC, look: () => look(connection), timeoutMs: WAIT_MS, signal };
      return (await database().wait(request)) ?? [];
    },
    async close() {},
  };
}

function isAfter(a: EventPosition, b: EventPosition): boolean {
  return a.at > b.at || (a.at === b.at && a.seq > b.seq);
}
