import { randomUUID } from 'node:crypto';
import {
  createPostgresRelayBackend,
  createRedisRelayBackend,
  type IRelayBackend,
  type RelayBackendOptions,
} from 'bullmq';
import { parseBrokerUrl } from '../../../../../src/engine/broker/broker-url.ts';
import { sqliteRelayBackendFactory } from '../../../../../src/engine/broker/sqlite/relay/create-sqlite-relay-backend.ts';
import type { Clock } from '../../../../../src/engine/core/clock.ts';
import { type BrokerUnderTest, brokersUnderTest } from '../../../../support/brokers.ts';
import { waitFor } from '../../../../support/wait-for.ts';
import { createStore } from '../../workshop.ts';

export type StoreName = 'redis' | 'postgres' | 'sqlite' | 'sqlite::memory:';

export type BackendOptions = Omit<RelayBackendOptions<never>, 'connection'>;

/** One way to keep a relay's state, opened. */
export interface RelayStore {
  readonly name: StoreName;
  createBackend(options: BackendOptions): IRelayBackend;
  /** What leases and expiries are counted by: the test's clock where the store takes one, else the machine's. */
  now(): number;
  /** Lets time pass where the test rules it. Elsewhere it passes by itself, and the caller waits for what it brings. */
  advance(ms: number): void;
  /** Resolves when the store's clock shows a later millisecond. */
  tick(): Promise<void>;
}

/** A clock whose instant stands still until it is stepped. Spans go on by themselves, and are stepped too. */
export class SteppedClock implements Clock {
  #now = Date.now();
  #stepped = 0;

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return performance.now() + this.#stepped;
  }

  advance(ms: number): void {
    this.#now += ms;
    this.#stepped += ms;
  }
}

export interface RelayStoreUnderTest {
  readonly name: StoreName;
  open(): Promise<RelayStore>;
}

/** What this machine offers, for `describe.each`. */
export function relayStoresUnderTest(): RelayStoreUnderTest[] {
  const brokers = brokersUnderTest().map((broker) => ({ name: broker.name, open: () => openStore(broker) }));
  return [...brokers, { name: 'sqlite::memory:', open: async () => createSqliteRelayStore(':memory:') }];
}

async function openStore(broker: BrokerUnderTest): Promise<RelayStore> {
  const address = parseBrokerUrl(broker.name === 'postgres' ? await createStore(broker) : await broker.createUrl());
  if (address.kind === 'sqlite') return createSqliteRelayStore(address.path);
  if (address.kind === 'postgres') {
    const { connectionString, schema } = address;
    const connection = { connectionString, schema, max: 3 };
    return realTimeStore('postgres', (options) => createPostgresRelayBackend({ ...options, connection }));
  }
  const { hosts, db, password, prefix } = address;
  const connection = { ...hosts[0], db, ...(password !== undefined && { password }), maxRetriesPerRequest: null };
  return realTimeStore('redis', (options) => createRedisRelayBackend({ prefix, ...options, connection }));
}

/** @param path of a database; the prefix keeps what is in it apart for each store that is opened over it */
export function createSqliteRelayStore(path: string, clock = new SteppedClock()): RelayStore {
  const createBackend = sqliteRelayBackendFactory(clock);
  const prefix = randomUUID();
  return {
    name: path === ':memory:' ? 'sqlite::memory:' : 'sqlite',
    createBackend: (options) => createBackend({ prefix, ...options, connection: { path } }),
    now: () => clock.now(),
    advance: (ms) => clock.advance(ms),
    tick: async () => clock.advance(1),
  };
}

function realTimeStore(name: StoreName, createBackend: RelayStore['createBackend']): RelayStore {
  return {
    name,
    createBackend,
    now: () => Date.now(),
    advance: () => undefined,
    async tick() {
      const before = Date.now();
      await waitFor('the next millisecond', () => Date.now() > before, { everyMs: 1 });
    },
  };
}
