import type { Connection } from './connection.ts';

const INSERT_CHUNK = 'INSERT INTO event (queue_id, at, seq, count, body) VALUES (?, ?, ?, ?, ?)';
const OLDEST_CHUNKS = 'SELECT at, seq, count FROM event WHERE queue_id = ? ORDER BY at, seq LIMIT 64';
const DELETE_CHUNKS = 'DELETE FROM event WHERE queue_id = ? AND (at, seq) <= (?, ?)';
const DELETE_ALL = 'DELETE FROM event WHERE queue_id = ?';
const READ_CHUNKS = 'SELECT at, seq, body FROM event WHERE queue_id = ? AND at >= ? ORDER BY at, seq LIMIT 256';

/**
 * The log may grow over its cap by a tenth, and by a hundred at least, before the oldest events are dropped: trimming is
 * then paid now and then, not with every transaction.
 */
const SLACK_SHARE = 0.1;
const SLACK_LEAST = 100;

/** About as many events as one read gives at most; a chunk is not split. */
const READ_LIMIT = 1000;

/** Where an event stands: an instant, epoch ms, and a number within it; `at-seq` as in a Redis stream. */
export interface EventPosition {
  readonly at: number;
  readonly seq: number;
}

/** One event: its id, then its fields and values in turn. The shape of an entry of Redis' XREAD. */
export type EventEntry = [id: string, fields: string[]];

/**
 * The end of a queue's event log. The events of a transaction share one instant and become one row; ids grow even when
 * the clock steps back.
 */
export class EventTail {
  #at: number;
  #seq: number;
  #count: number;
  #new: string[][] = [];
  #firstSeq = 0;

  /** @param at of the last event @param seq of the last event @param count how many events the log holds */
  constructor(at: number, seq: number, count: number) {
    this.#at = at;
    this.#seq = seq;
    this.#count = count;
  }

  get hasNew(): boolean {
    return this.#new.length > 0;
  }

  get position(): [at: number, seq: number, count: number] {
    return [this.#at, this.#seq, this.#count];
  }

  get lastId(): string {
    return `${this.#at}-${this.#seq}`;
  }

  /** @returns the id of the event */
  append(now: number, fields: string[]): string {
    if (this.#new.length === 0) {
      const isLater = now > this.#at;
      this.#at = isLater ? Math.floor(now) : this.#at;
      this.#firstSeq = isLater ? 0 : this.#seq + 1;
      this.#seq = this.#firstSeq;
    } else {
      this.#seq += 1;
    }
    this.#count += 1;
    this.#new.push(fields);
    return this.lastId;
  }

  /** Stores the new events and drops the oldest above the cap. */
  save(connection: Connection, queueId: number, maxEvents: number): void {
    connection.run(INSERT_CHUNK, queueId, this.#at, this.#firstSeq, this.#new.length, JSON.stringify(this.#new));
    this.#new = [];
    const slack = Math.max(SLACK_LEAST, maxEvents * SLACK_SHARE);
    if (this.#count > maxEvents + slack) this.trim(connection, queueId, maxEvents);
  }

  /**
   * Drops the oldest chunks while at least `maxEvents` events remain, as Redis' approximate XTRIM drops whole nodes.
   *
   * @returns how many events were dropped
   */
  trim(connection: Connection, queueId: number, maxEvents: number): number {
    let dropped = 0;
    for (;;) {
      let last: EventPosition | undefined;
      const chunks = connection.all(OLDEST_CHUNKS, queueId) as [number, number, number][];
      for (const [at, seq, count] of chunks) {
        if (this.#count - count < maxEvents) break;
        this.#count -= count;
        dropped += count;
        last = { at, seq };
      }
      if (last === undefined) return dropped;
      connection.run(DELETE_CHUNKS, queueId, last.at, last.seq);
    }
  }

  clear(connection: Connection, queueId: number): void {
    connection.run(DELETE_ALL, queueId);
    this.#new = [];
    this.#count = 0;
  }
}

/** @param id `at-seq`, or an instant alone: then every event of that instant and later ones count as newer */
export function parseEventId(id: string): EventPosition {
  const [at = '0', seq = '0'] = id.split('-');
  return { at: Number(at), seq: Number(seq) };
}

/** The events after a position, oldest first; about as many as asked for, since a chunk is not split. */
export function readEventsAfter(
  connection: Connection,
  queueId: number,
  after: EventPosition,
  limit = READ_LIMIT,
): EventEntry[] {
  const entries: EventEntry[] = [];
  for (const [at, firstSeq, body] of connection.all(READ_CHUNKS, queueId, after.at) as [number, number, string][]) {
    if (entries.length >= limit) break;
    const events = JSON.parse(body) as string[][];
    for (const [index, fields] of events.entries()) {
      const seq = firstSeq + index;
      if (at > after.at || seq > after.seq) entries.push([`${at}-${seq}`, fields]);
    }
  }
  return entries;
}
