import type {
  IRelayBackend,
  RelayCounts,
  RelayInboxBatch,
  RelayNodeConnection,
  RelayNodeInfo,
  RelayNodeState,
  RelayPatternState,
  RelayPublishOptions,
  RelayPublishResult,
  RelayRetainedState,
  RelaySubscribeResult,
  RelaySubscriptionFilter,
  RelaySubscriptionState,
} from 'bullmq';
import { type Database, type DatabaseHold, holdDatabase } from '../database.ts';
import type { OpenOptions } from '../sqlite-connection.ts';
import type { Transaction } from '../transaction.ts';
import { parseCursor, takeBatch, trimInbox, waitForMessage } from './inbox.ts';
import { registerNode, renewLease, sweepNodes, unregisterNode } from './node-registry.ts';
import { listUsedNamespaces, type NamespaceName, type OpenNamespace, openNamespace } from './open-namespace.ts';
import { assertPublishable, publishMessage } from './publishing.ts';
import {
  listNodeConnections,
  listNodes,
  listPatterns,
  listRetained,
  listSubscriptions,
  readCounts,
} from './relay-views.ts';
import { deleteRetained } from './retained-message.ts';
import { removeEndpoint, subscribeEndpoint } from './subscribing.ts';
import { assertPattern, assertRelayIds, assertTopic } from './topic.ts';

/** BullMQ's text for an operation on a backend that was closed. */
const CLOSED = 'Connection is closed.';

export interface RelaySettings {
  readonly open: OpenOptions;
  readonly prefix: string;
  readonly namespace: string;
  /** Messages that the inbox of a node holds which does not say so itself. */
  readonly inboxMaxLength: number;
}

/**
 * BullMQ's relay backend on SQLite: each method is one operation in a transaction. What an operation does stands in the file
 * that it comes from; what is promised about it, in BullMQ's IRelayBackend.
 *
 * It joins the process's shared database with its first operation and leaves it when it is closed. A database that cannot
 * be opened fails the operation that needed it; the next one tries again.
 */
export class SqliteRelayBackend implements IRelayBackend {
  readonly initialInboxCursor = '0';
  readonly #settings: RelaySettings;
  readonly #name: NamespaceName;
  readonly #interruption = new AbortController();
  #hold: DatabaseHold | undefined;
  #closing: Promise<void> | undefined;

  constructor(settings: RelaySettings) {
    this.#settings = settings;
    this.#name = { prefix: settings.prefix, name: settings.namespace };
  }

  get namespace(): string {
    return this.#settings.namespace;
  }

  /** @throws what opening the database throws */
  async waitUntilReady(): Promise<void> {
    // A read, so that a file that cannot be used is known before the node registers.
    await this.#read(() => undefined);
  }

  close(): Promise<void> {
    this.interruptInbox();
    this.#closing ??= this.#hold?.release() ?? Promise.resolve();
    return this.#closing;
  }

  async registerNode(
    nodeId: string,
    leaseMs: number,
    info: RelayNodeInfo = {},
    inboxMax = this.#settings.inboxMaxLength,
  ): Promise<void> {
    assertRelayIds([nodeId], nodeId);
    const registration = { nodeId, leaseMs, info, inboxMax };
    // Each call prunes a bounded part of an earlier registration, and lets others write in between.
    while (!(await this.#write((namespace) => registerNode(namespace, registration))));
  }

  heartbeat(nodeId: string, leaseMs: number): Promise<boolean> {
    return this.#write((namespace) => renewLease(namespace, nodeId, leaseMs));
  }

  unregisterNode(nodeId: string): Promise<boolean> {
    return this.#write((namespace) => unregisterNode(namespace, nodeId));
  }

  async sweep(limit: number): Promise<string[]> {
    const removed = await this.#write((namespace) => sweepNodes(namespace, limit));
    // Their inboxes may have been large.
    if (removed.length > 0 && this.#closing === undefined) this.#database().tidy();
    return removed;
  }

  async subscribe(nodeId: string, endpointId: string, pattern: string): Promise<RelaySubscribeResult> {
    assertRelayIds([nodeId, endpointId], pattern);
    assertPattern(pattern);
    return this.#write((namespace) => subscribeEndpoint(namespace, { nodeId, endpointId, pattern }));
  }

  removeEndpoint(nodeId: string, endpointId: string): Promise<number> {
    return this.#write((namespace) => removeEndpoint(namespace, nodeId, endpointId));
  }

  async publish(topic: string, data: string, opts: RelayPublishOptions): Promise<RelayPublishResult> {
    assertPublishable(topic, data, opts.maxSize);
    return this.#write((namespace) => publishMessage(namespace, topic, data, opts));
  }

  async deleteRetained(topic: string): Promise<boolean> {
    assertTopic(topic);
    return this.#write((namespace) => deleteRetained(namespace, topic));
  }

  async readInbox(
    nodeId: string,
    cursor: string,
    { blockMs, count }: { blockMs: number; count: number },
  ): Promise<RelayInboxBatch> {
    const position = parseCursor(cursor);
    const nothing: RelayInboxBatch = { entries: [], cursor };
    const { signal } = this.#interruption;
    if (signal.aborted) return nothing;
    const take = () => this.#write((namespace) => takeBatch(namespace, nodeId, position, count));
    const batch = await take();
    if (batch.entries.length > 0 || !(blockMs > 0) || signal.aborted) return batch;
    const awaited = { name: this.#name, nodeId, position, now: () => this.#now() };
    const isThere = await waitForMessage(this.#database(), awaited, { timeoutMs: blockMs, signal });
    return isThere ? take() : nothing;
  }

  async trimInbox(nodeId: string, cursor: string, maxLength: number): Promise<number> {
    const position = parseCursor(cursor);
    return this.#write((namespace) => trimInbox(namespace, nodeId, position, maxLength));
  }

  getCounts(): Promise<RelayCounts> {
    return this.#read(readCounts);
  }

  getNodes(start: number, end: number): Promise<RelayNodeState[]> {
    return this.#read((namespace) => listNodes(namespace, { start, end }));
  }

  getSubscriptions(
    filter: RelaySubscriptionFilter | undefined,
    start: number,
    end: number,
  ): Promise<RelaySubscriptionState[]> {
    return this.#read((namespace) => listSubscriptions(namespace, filter, { start, end }));
  }

  getPatterns(start: number, end: number): Promise<RelayPatternState[]> {
    return this.#read((namespace) => listPatterns(namespace, { start, end }));
  }

  getRetained(start: number, end: number): Promise<RelayRetainedState[]> {
    return this.#read((namespace) => listRetained(namespace, { start, end }));
  }

  getNamespaces(): Promise<string[]> {
    return this.#read(({ connection, now }) => listUsedNamespaces(connection, this.#name.prefix, now));
  }

  getNodeConnections(nodeId: string): Promise<RelayNodeConnection[]> {
    return this.#read((namespace) => listNodeConnections(namespace, nodeId));
  }

  interruptInbox(): void {
    this.#interruption.abort();
  }

  async #read<Result>(operation: (namespace: OpenNamespace) => Result): Promise<Result> {
    return this.#database().read((transaction) => operation(this.#open(transaction, false)));
  }

  async #write<Result>(operation: (namespace: OpenNamespace) => Result): Promise<Result> {
    return this.#database().write((transaction) => operation(this.#open(transaction, true)));
  }

  /** The clock is asked when the operation runs, as Redis asks its own: a wait for the lock must not age a lease. */
  #open(transaction: Pick<Transaction, 'connection' | 'signal'>, writes: boolean): OpenNamespace {
    return openNamespace(transaction, this.#name, { now: this.#now(), writes });
  }

  #now(): number {
    return this.#settings.open.clock.now();
  }

  #database(): Database {
    if (this.#closing !== undefined) throw new Error(CLOSED);
    this.#hold ??= holdDatabase(this.#settings.open);
    return this.#hold.database;
  }
}
