import { EventEmitter } from 'node:events';
import { setImmediate, setTimeout as wait } from 'node:timers/promises';
import { type KeysMap, QueueKeys } from 'bullmq';
import { addClient, CLIENT_SEEN_EVERY_MS, removeClient, seeClient } from './client-registry.ts';
import { type Database, type DatabaseHold, holdDatabase } from './database.ts';
import type { OpenQueue } from './open-queue.ts';
import type { OpenOptions } from './sqlite-connection.ts';
import type { Transaction } from './transaction.ts';

/** BullMQ's text for an operation on a backend that was closed; its classes take it for the end, not for a fault. */
const CLOSED = 'Connection is closed.';

const RETRY_PAUSE_MS = 200;

export interface SessionOptions {
  readonly open: OpenOptions;
  readonly prefix: string;
  readonly name: string;
  /** What the session is listed as, among the workers and event readers; undefined for others. */
  readonly clientName: string | undefined;
}

/**
 * The life of a backend of one queue: it joins the process's shared database with its first operation, waits on it, and
 * leaves it when it is closed.
 *
 * A database that cannot be opened fails the operation that needed it; the next one tries again, so a queue that was made
 * while the folder was read-only works once it is not.
 */
export class BackendSession extends EventEmitter {
  readonly minimumBlockTimeout = 0.001;
  /** A wait ends by itself when a job is due, so an idle worker need not ask; in seconds, within what a timer can hold. */
  readonly maximumBlockTimeout = 3600;
  readonly name: string;
  readonly prefix: string;
  readonly #options: SessionOptions;
  readonly #queueKeys: QueueKeys;
  /** Set on sessions that use another one's hold: siblings of a flow, which own nothing. */
  readonly #owner: BackendSession | undefined;
  #hold: DatabaseHold | undefined;
  #closing: Promise<void> | undefined;
  #wait = new AbortController();
  #clientId: number | undefined;
  #clientName: string | undefined;
  #seenAt = 0;
  #ready: Promise<void> | undefined;

  constructor(options: SessionOptions, owner?: BackendSession) {
    super();
    this.#options = options;
    this.#owner = owner;
    this.name = options.name;
    this.prefix = options.prefix;
    this.#clientName = options.clientName;
    this.#queueKeys = new QueueKeys(options.prefix);
  }

  get closing(): Promise<void> | undefined {
    return this.#owner === undefined ? this.#closing : this.#owner.closing;
  }

  /** `prefix:name` */
  get qualifiedName(): string {
    return `${this.prefix}:${this.name}`;
  }

  get keys(): KeysMap {
    return this.#queueKeys.getKeys(this.name);
  }

  toKey(type: string): string {
    return this.#queueKeys.toKey(this.name, type);
  }

  /** The form of Redis' client names, which `getWorkers` looks for. */
  clientName(suffix = ''): string {
    return `${this.prefix}:${Buffer.from(this.name).toString('base64')}${suffix}`;
  }

  /** The options of a session for another queue over the same database, which owns nothing. */
  protected siblingOptions(name: string, prefix: string | undefined): SessionOptions {
    return { ...this.#options, name, prefix: prefix ?? this.prefix, clientName: undefined };
  }

  /** @throws what opening the database throws */
  async waitUntilReady(): Promise<void> {
    this.#ready ??= this.#open().catch((error) => {
      this.#ready = undefined;
      throw error;
    });
    await this.#ready;
  }

  async #open(): Promise<void> {
    this.database();
    if (this.#clientName !== undefined && this.#clientId === undefined) await this.setName(this.#clientName);
    this.emit('ready');
  }

  /** Lists the session among the database's clients, under this name. */
  async setName(name: string): Promise<void> {
    this.#clientName = name;
    if (this.#owner !== undefined || !this.#canOpen()) return;
    await this.#saySeen(this.database());
  }

  /** A list is not worth failing for: what could not be written is written with a later operation. */
  async #saySeen(database: Database): Promise<void> {
    const name = this.#clientName;
    if (name === undefined) return;
    const now = this.now();
    this.#seenAt = now;
    const seen = database.write(({ connection }) => {
      const known = this.#clientId;
      if (known !== undefined && seeClient(connection, known, name, now)) return known;
      return addClient(connection, name, now);
    });
    this.#clientId = await seen.catch(() => this.#clientId);
  }

  async close(_force = false): Promise<void> {
    if (this.#owner !== undefined) return;
    this.#closing ??= this.#leave();
    await this.#closing;
  }

  async #leave(): Promise<void> {
    this.#wait.abort();
    const clientId = this.#clientId;
    const hold = this.#hold;
    this.#hold = undefined;
    if (hold === undefined) return;
    if (clientId !== undefined) {
      // A list entry that stays runs out by itself; closing must not fail for it.
      await hold.database.write(({ connection }) => removeClient(connection, clientId)).catch(() => undefined);
    }
    await hold.release();
    this.emit('close');
  }

  async disconnect(): Promise<void> {
    this.#wait.abort();
  }

  async disconnectBlocking(): Promise<void> {
    this.#wait.abort();
  }

  async reconnectBlocking(): Promise<void> {
    if (this.#wait.signal.aborted && this.#closing === undefined) this.#wait = new AbortController();
  }

  protected get waitSignal(): AbortSignal {
    return this.#wait.signal;
  }

  protected now(): number {
    return this.#options.open.clock.now();
  }

  /** @throws Error once the session is closed; what opening the database throws */
  protected database(): Database {
    if (this.#owner !== undefined) return this.#owner.database();
    if (this.#closing !== undefined) throw new Error(CLOSED);
    this.#hold ??= holdDatabase(this.#options.open);
    return this.#hold.database;
  }

  #canOpen(): boolean {
    try {
      this.database();
      return true;
    } catch {
      return false;
    }
  }

  /** The database, opened if need be. A failure is told a turn of the event loop later. */
  protected async opened(): Promise<Database> {
    try {
      return this.database();
    } catch (error) {
      await setImmediate();
      throw error;
    }
  }

  /** For BullMQ's worker, which asks for a job again at once when it was told of an error, for ever. */
  protected async paced<Result>(operation: Promise<Result>): Promise<Result> {
    try {
      return await operation;
    } catch (error) {
      await wait(RETRY_PAUSE_MS, undefined, { signal: this.#wait.signal }).catch(() => undefined);
      throw error;
    }
  }

  protected async read<Result>(
    operation: (queue: OpenQueue, now: number, transaction: Transaction) => Result,
  ): Promise<Result> {
    const now = this.now();
    const database = this.#hold?.database ?? (await this.opened());
    return database.read((transaction) => operation(transaction.queue(this.prefix, this.name), now, transaction));
  }

  protected async write<Result>(
    operation: (queue: OpenQueue, now: number, transaction: Transaction) => Result,
  ): Promise<Result> {
    const now = this.now();
    const database = this.#hold?.database ?? (await this.opened());
    if (this.#clientName !== undefined && now - this.#seenAt >= CLIENT_SEEN_EVERY_MS) void this.#saySeen(database);
    return database.write((transaction) => operation(transaction.queue(this.prefix, this.name), now, transaction));
  }
}
