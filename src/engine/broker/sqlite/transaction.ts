import type { Connection } from './connection.ts';
import { createQueueRow, OpenQueue } from './open-queue.ts';

/**
 * What the operations of one database transaction share: the connection and the rows of the queues they touch.
 * The rows are kept from one transaction to the next (`forget` when another process has written).
 */
export class Transaction {
  readonly connection: Connection;
  #writes = false;
  #queues = new Map<string, OpenQueue>();
  #touched = new Set<OpenQueue>();
  #signals = new Set<string>();

  constructor(connection: Connection) {
    this.connection = connection;
  }

  begin(writes: boolean): void {
    this.#writes = writes;
    this.#touched.clear();
    this.#signals.clear();
  }

  /** The row of a queue; made when there is none and the transaction may write. */
  queue(prefix: string, name: string): OpenQueue {
    const key = `${prefix}:${name}`;
    let queue = this.#queues.get(key);
    if (queue === undefined || (queue.id === 0 && this.#writes)) {
      queue = new OpenQueue(this.connection, prefix, name);
      if (queue.id === 0 && this.#writes) {
        createQueueRow(this.connection, prefix, name);
        queue = new OpenQueue(this.connection, prefix, name);
      }
      this.#queues.set(key, queue);
    }
    this.#touched.add(queue);
    return queue;
  }

  /** @param key `prefix:name`; a name has no colon, a prefix may have some */
  queueByKey(key: string): OpenQueue {
    const colon = key.lastIndexOf(':');
    return this.queue(key.slice(0, colon), key.slice(colon + 1));
  }

  /** Wakes those who wait for this topic, once the transaction is committed. */
  signal(topic: string): void {
    this.#signals.add(topic);
  }

  /** Stores the rows of the queues. */
  save(): void {
    if (!this.#writes) return;
    for (const queue of this.#touched) queue.save();
  }

  /** @returns the topics to wake, and clears them */
  takeSignals(): string[] {
    for (const { key, notices } of this.#touched) {
      if (notices.jobs) this.#signals.add(jobsTopic(key));
      if (notices.events) {
        this.#signals.add(eventsTopic(key));
        this.#signals.add(ALL_EVENTS_TOPIC);
      }
      notices.jobs = false;
      notices.events = false;
    }
    const signals = [...this.#signals];
    this.#signals.clear();
    return signals;
  }

  /** Drops what was read, after a rollback and when another process has written. */
  forget(): void {
    this.#queues.clear();
    this.#touched.clear();
    this.#signals.clear();
  }
}

/** Any queue has an event. */
export const ALL_EVENTS_TOPIC = 'events';

/** @param queueKey `prefix:name` */
export function jobsTopic(queueKey: string): string {
  return `jobs ${queueKey}`;
}

/** @param queueKey `prefix:name` */
export function eventsTopic(queueKey: string): string {
  return `events ${queueKey}`;
}
