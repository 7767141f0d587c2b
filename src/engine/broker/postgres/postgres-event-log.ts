import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import type { Clock } from '../../core/clock.ts';
import { untilAborted } from '../../core/until-aborted.ts';
import type { PostgresAddress } from '../broker-url.ts';
import {
  type EventLogReader,
  LOOK_FOR_QUEUES_MS,
  mergeLogs,
  type QueueLog,
  type RawEntry,
  shareOf,
} from '../events/event-log.ts';
import { NumberGaps } from './number-gaps.ts';

export interface PostgresEventLogOptions {
  readonly address: PostgresAddress;
  readonly listQueues: () => Promise<string[]>;
  readonly clock: Clock;
  readonly since: number | undefined;
}

/** BullMQ's channel: says the name of a queue whose log has grown. */
const CHANNEL = 'bullmq_events';
/** BullMQ leaves notices out while several workers commit at once, so the log is looked at again shortly after one. */
const LOOK_AGAIN_MS = 25;
const LOOK_ANYWAY_MS = 250;
const CONNECT_TIMEOUT_MS = 5000;
/** A server that does not answer a read for so long is taken for lost. */
const SILENCE_MS = 10_000;

const NOW = 'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now';
const LAST = `SELECT queue, (SELECT coalesce(max(id), 0) FROM event WHERE event.queue = wanted.queue) AS id
  FROM unnest($1::text[]) AS wanted(queue)`;
const LAST_BEFORE = `SELECT queue, coalesce((SELECT id FROM event WHERE event.queue = wanted.queue AND created_at_ms < $2
  ORDER BY id DESC LIMIT 1), 0) AS id FROM unnest($1::text[]) AS wanted(queue)`;
const AFTER = `SELECT wanted.queue, found.id, found.event, found.data, found.created_at_ms AS at
  FROM unnest($1::text[], $2::bigint[]) AS wanted(queue, after),
  LATERAL (SELECT id, event, data, created_at_ms FROM event WHERE event.queue = wanted.queue AND id > wanted.after
    ORDER BY id LIMIT $3) AS found ORDER BY found.id`;
const NUMBERED = `SELECT queue, id, event, data, created_at_ms AS at FROM event
  WHERE queue = ANY($1) AND id = ANY($2::bigint[]) ORDER BY id`;

interface Row {
  readonly queue: string;
  readonly id: string;
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>> | null;
  readonly at: string;
}

/**
 * The event table of BullMQ, over one connection that also listens for its notices.
 *
 * Its ids are given out before the transaction that uses them is committed, so an entry may turn up below ids that were
 * read already. The numbers run through all queues, so what is missing among them is known: it is asked for again for a
 * while (`NumberGaps`).
 */
export function createPostgresEventLog(options: PostgresEventLogOptions): EventLogReader {
  return new PostgresEventLog(options);
}

class PostgresEventLog implements EventLogReader {
  readonly #options: PostgresEventLogOptions;
  /** Id of the last entry read, by queue. */
  readonly #positions = new Map<string, number>();
  readonly #gaps: NumberGaps;
  #client: pg.Client | undefined;
  #startAt: number | undefined;
  #nextLookAt = 0;
  #nextReadInMs = LOOK_ANYWAY_MS;
  #wake: () => void = () => {};
  #noticed = false;
  #closed = false;

  constructor(options: PostgresEventLogOptions) {
    this.#options = options;
    this.#gaps = new NumberGaps(options.clock);
  }

  async start(): Promise<void> {
    const { since, listQueues } = this.#options;
    const client = await this.#connect();
    if (since === undefined) {
      const [row] = (await client.query<{ now: string }>(NOW)).rows;
      this.#startAt = Number(row?.now);
      const queues = await listQueues();
      const { rows } = await client.query<{ queue: string; id: string }>(LAST, [queues]);
      for (const { queue, id } of rows) this.#positions.set(queue, Number(id));
    } else {
      this.#startAt = Math.floor(since);
      await this.#lookForQueues(client);
    }
    this.#gaps.startAfter(Math.max(0, ...this.#positions.values()));
  }

  async read(signal: AbortSignal): Promise<readonly RawEntry[]> {
    const client = await this.#connect();
    if (this.#options.clock.monotonic() >= this.#nextLookAt) await this.#lookForQueues(client);
    const found = await this.#fetch(client);
    if (found.length > 0) {
      this.#nextReadInMs = LOOK_AGAIN_MS;
      return found;
    }
    await this.#waitForNotice(signal);
    return [];
  }

  async close(): Promise<void> {
    this.#closed = true;
    const client = this.#client;
    this.#client = undefined;
    if (client !== undefined) await endWithin(client);
  }

  /** A connection that has failed is replaced with the next use. */
  async #connect(): Promise<pg.Client> {
    if (this.#client !== undefined) return this.#client;
    const { connectionString, schema } = this.#options.address;
    const client = new pg.Client({
      connectionString,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: SILENCE_MS,
      application_name: 'tq',
      keepAlive: true,
    });
    const forget = (): void => {
      if (this.#client === client) this.#client = undefined;
      this.#notice();
    };
    client.on('error', forget);
    client.on('end', forget);
    client.on('notification', () => this.#notice());
    try {
      await client.connect();
      await client.query(`SET search_path TO "${schema.replaceAll('"', '""')}"; LISTEN ${CHANNEL}`);
    } catch (error) {
      void endWithin(client);
      throw error;
    }
    // A read that was under way when this was closed has no use for it any more.
    if (this.#closed) void endWithin(client);
    else this.#client = client;
    return client;
  }

  async #lookForQueues(client: pg.Client): Promise<void> {
    const fresh = (await this.#options.listQueues()).filter((queue) => !this.#positions.has(queue));
    if (fresh.length > 0) {
      const rows = await this.#query<{ queue: string; id: string }>(client, LAST_BEFORE, [fresh, this.#startAt]);
      for (const { queue, id } of rows) this.#positions.set(queue, Number(id));
    }
    this.#nextLookAt = this.#options.clock.monotonic() + LOOK_FOR_QUEUES_MS;
  }

  async #fetch(client: pg.Client): Promise<RawEntry[]> {
    const queues = [...this.#positions.keys()];
    if (queues.length === 0) return [];
    const share = shareOf(queues.length);
    const gaps = this.#gaps.list();
    const late =
      gaps.length === 0
        ? []
        : (await this.#query<Row>(client, NUMBERED, [queues, gaps])).filter((row) => this.#isPassed(row));
    const rows = await this.#query<Row>(client, AFTER, [queues, [...this.#positions.values()], share]);
    const byQueue = Map.groupBy(rows, ({ queue }) => queue);
    const merged = mergeLogs(
      [...byQueue.values()].map((own): QueueLog => ({ entries: own.map(toRawEntry), hasMore: own.length >= share })),
    );
    for (const { queue, position } of merged) this.#positions.set(queue, Number(position));
    const entries = [...late.map(toRawEntry), ...merged];
    this.#gaps.note(entries.map(({ position }) => Number(position)));
    return entries;
  }

  /** What its queue was read beyond; the others are still to come in their turn. */
  #isPassed({ queue, id }: Row): boolean {
    return Number(id) <= (this.#positions.get(queue) ?? 0);
  }

  async #query<Found extends object>(client: pg.Client, text: string, values: unknown[]): Promise<Found[]> {
    try {
      return (await client.query<Found>(text, values)).rows;
    } catch (error) {
      // A connection whose answers may still be on their way is of no more use.
      if (this.#client === client) this.#client = undefined;
      void endWithin(client);
      throw error;
    }
  }

  #notice(): void {
    this.#noticed = true;
    this.#wake();
  }

  async #waitForNotice(signal: AbortSignal): Promise<void> {
    const pauseMs = this.#nextReadInMs;
    this.#nextReadInMs = LOOK_ANYWAY_MS;
    if (!this.#noticed && !signal.aborted) {
      const { promise: noticed, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const timer = setTimeout(resolve, pauseMs);
      await untilAborted(noticed, signal);
      clearTimeout(timer);
      this.#wake = () => {};
    }
    if (this.#noticed) this.#nextReadInMs = LOOK_AGAIN_MS;
    this.#noticed = false;
  }
}

function toRawEntry({ queue, id, event, data, at }: Row): RawEntry {
  const fields = Object.entries(data ?? {}).map(([key, value]) => [
    key,
    typeof value === 'string' ? value : String(value),
  ]);
  return { queue, position: id, at: Number(at), fields: Object.fromEntries([...fields, ['event', event]]) };
}

/** Saying goodbye to a server that is away may take for ever. */
async function endWithin(client: pg.Client): Promise<void> {
  client.removeAllListeners('notification');
  const timer = new AbortController();
  await Promise.race([
    client.end().catch(() => undefined),
    wait(GOODBYE_MS, undefined, { signal: timer.signal, ref: false }).catch(() => undefined),
  ]);
  timer.abort();
}

const GOODBYE_MS = 1000;
