import type { Connection, SqlValue } from './connection.ts';
import { EventTail } from './event-log.ts';
import { STATE_CODES, type State } from './schema.ts';

/** What BullMQ caps a queue's event log to when nothing else was set. */
const DEFAULT_MAX_EVENTS = 10_000;
const MAX_EVENTS_FIELD = 'opts.maxLenEvents';

const COLUMNS = [
  'jobs_added',
  'head',
  'tail',
  'priority_counter',
  'wait',
  'active',
  'prioritized',
  '"delayed"',
  'completed',
  'failed',
  'waiting_children',
  'limiter_count',
  'limiter_until',
  'stalled_check_until',
  'event_at',
  'event_seq',
  'event_count',
] as const;

const READ_QUEUE = `SELECT queue_id, ${COLUMNS.join(', ')} FROM queue WHERE prefix = ? AND name = ?`;
const CREATE_QUEUE = 'INSERT INTO queue (prefix, name) VALUES (?, ?)';
const SAVE_QUEUE = `UPDATE queue SET ${COLUMNS.map((column) => `${column} = ?`).join(', ')} WHERE queue_id = ?`;
const READ_META = 'SELECT field, value FROM meta WHERE queue_id = ?';
const SET_META = `INSERT INTO meta (queue_id, field, value) VALUES (?, ?, ?)
  ON CONFLICT DO UPDATE SET value = excluded.value`;
const REMOVE_META = 'DELETE FROM meta WHERE queue_id = ? AND field = ?';

/** What a transaction of the queue made known to those who wait. */
export interface Notices {
  jobs: boolean;
  events: boolean;
}

/**
 * One queue's own row, as the operations of a transaction see and change it: counters, the order's ends, the rate limit,
 * metadata. Changes gather here and are stored once, at the end of the transaction (`save`). Between transactions the
 * object is kept for as long as no other process has written to the file.
 */
export class OpenQueue {
  readonly id: number;
  readonly prefix: string;
  readonly name: string;
  readonly connection: Connection;
  readonly events: EventTail;
  readonly notices: Notices = { jobs: false, events: false };
  jobsAdded: number;
  priorityCounter: number;
  limiterCount: number;
  /** Epoch ms; 0 when no limit runs. */
  limiterUntil: number;
  stalledCheckUntil: number;
  readonly #counts: Record<State, number>;
  #head: number;
  #tail: number;
  #meta: Map<string, string> | undefined;
  #stored: string;
  readonly #oldestFinished: { completed?: number | undefined; failed?: number | undefined } = {};

  constructor(connection: Connection, prefix: string, name: string) {
    this.connection = connection;
    this.prefix = prefix;
    this.name = name;
    let row = connection.get(READ_QUEUE, prefix, name) as number[] | undefined;
    // A queue that nobody has written to reads as an empty one; it gets its row with the first change.
    row ??= [0, ...COLUMNS.map(() => 0)];
    const [id, added, head, tail, priorities, wait, active, prioritized, delayed, completed, failed, parents] = row;
    this.id = id as number;
    this.jobsAdded = added as number;
    this.#head = head as number;
    this.#tail = tail as number;
    this.priorityCounter = priorities as number;
    this.#counts = {
      wait: wait as number,
      active: active as number,
      prioritized: prioritized as number,
      delayed: delayed as number,
      completed: completed as number,
      failed: failed as number,
      'waiting-children': parents as number,
    };
    const [limiterCount, limiterUntil, stalledCheckUntil, eventAt, eventSeq, eventCount] = row.slice(12);
    this.limiterCount = limiterCount as number;
    this.limiterUntil = limiterUntil as number;
    this.stalledCheckUntil = stalledCheckUntil as number;
    this.events = new EventTail(eventAt as number, eventSeq as number, eventCount as number);
    this.#stored = this.#image();
  }

  /** The queue as other queues' jobs name it, as their parents' queue. */
  get key(): string {
    return `${this.prefix}:${this.name}`;
  }

  /** The key of one of its jobs, as dependencies and parents hold it. */
  jobKey(id: string): string {
    return `${this.prefix}:${this.name}:${id}`;
  }

  count(state: State): number {
    return this.#counts[state];
  }

  addToCount(state: State, delta: number): void {
    this.#counts[state] += delta;
  }

  /** A rank behind all others of a list: its job is taken last. */
  rankAtTail(): number {
    this.#tail += 1;
    return this.#tail;
  }

  /** A rank before all others of a list: its job is taken next. */
  rankAtHead(): number {
    this.#head -= 1;
    return this.#head;
  }

  /** Whether a rank lies within those that the list has given out. */
  hasGivenOut(rank: number): boolean {
    return rank >= this.#head && rank <= this.#tail;
  }

  /** Takes note of a rank that was chosen otherwise, before all others of the list. */
  lowerHead(rank: number): void {
    this.#head = Math.min(this.#head, Math.floor(rank));
  }

  /** BullMQ's score: the priority above, the order of arrival in the low 32 bits. */
  rankOfPriority(priority: number): number {
    this.priorityCounter += 1;
    return priority * 0x1_0000_0000 + (this.priorityCounter % 0x1_0000_0000);
  }

  get meta(): ReadonlyMap<string, string> {
    this.#meta ??= new Map(this.connection.all(READ_META, this.id) as [string, string][]);
    return this.#meta;
  }

  /** @returns whether the field is new */
  setMeta(field: string, value: string | number): boolean {
    const text = String(value);
    const isNew = !this.meta.has(field);
    if (!isNew && this.meta.get(field) === text) return false;
    this.connection.run(SET_META, this.id, field, text);
    this.#meta?.set(field, text);
    return isNew;
  }

  /** @returns whether there was such a field */
  removeMeta(field: string): boolean {
    if (!this.meta.has(field)) return false;
    this.connection.run(REMOVE_META, this.id, field);
    this.#meta?.delete(field);
    return true;
  }

  /** The cap of the event log; BullMQ writes the default into the metadata when an operation first asks for it. */
  maxEvents(): number {
    const set = this.meta.get(MAX_EVENTS_FIELD);
    if (set !== undefined) return Number(set);
    this.setMeta(MAX_EVENTS_FIELD, DEFAULT_MAX_EVENTS);
    return DEFAULT_MAX_EVENTS;
  }

  /**
   * Whether a finished job may be older than an instant. The oldest one is looked up once and remembered: it can only
   * become younger, for what finishes later ranks higher.
   */
  mayHaveFinishedBefore(state: 'completed' | 'failed', instant: number, readOldest: () => number | undefined): boolean {
    if ((this.#oldestFinished[state] ?? Number.NEGATIVE_INFINITY) > instant) return false;
    this.#oldestFinished[state] = readOldest();
    return (this.#oldestFinished[state] ?? Number.POSITIVE_INFINITY) <= instant;
  }

  /** A finished job that is older than the others was put back. */
  forgetOldestFinished(): void {
    this.#oldestFinished.completed = undefined;
    this.#oldestFinished.failed = undefined;
  }

  get isPaused(): boolean {
    return this.meta.has('paused');
  }

  /** As many jobs are active as the queue's global concurrency allows. */
  get isMaxed(): boolean {
    const concurrency = this.meta.get('concurrency');
    return concurrency !== undefined && this.count('active') >= Number(concurrency);
  }

  /** Appends to the queue's event log. Fields and values in turn, all text, as in a Redis stream. */
  emit(now: number, event: string, ...fields: string[]): void {
    this.events.append(now, ['event', event, ...fields]);
    this.notices.events = true;
  }

  /** Forgets everything but the queue's row, for a queue that is obliterated. */
  reset(): void {
    this.jobsAdded = 0;
    this.priorityCounter = 0;
    this.stalledCheckUntil = 0;
    this.#meta = new Map();
    this.connection.run('DELETE FROM meta WHERE queue_id = ?', this.id);
    this.events.clear(this.connection, this.id);
  }

  /** Stores what the transaction changed. */
  save(): void {
    if (this.events.hasNew) {
      const maxEvents = Number(this.meta.get(MAX_EVENTS_FIELD) ?? DEFAULT_MAX_EVENTS);
      this.events.save(this.connection, this.id, maxEvents);
    }
    const image = this.#image();
    if (image === this.#stored) return;
    this.connection.run(SAVE_QUEUE, ...this.#values(), this.id);
    this.#stored = image;
  }

  #image(): string {
    return this.#values().join();
  }

  #values(): SqlValue[] {
    const counts = (Object.keys(STATE_CODES) as State[]).map((state) => this.#counts[state]);
    return [
      this.jobsAdded,
      this.#head,
      this.#tail,
      this.priorityCounter,
      ...counts,
      this.limiterCount,
      this.limiterUntil,
      this.stalledCheckUntil,
      ...this.events.position,
    ];
  }
}

/** Gives a queue its row if it has none. */
export function createQueueRow(connection: Connection, prefix: string, name: string): void {
  connection.run(CREATE_QUEUE, prefix, name);
}
