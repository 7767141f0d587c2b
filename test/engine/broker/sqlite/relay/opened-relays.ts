import { join } from 'node:path';
import { Relay, type RelayMessage, type RelayOptions } from 'bullmq';
import { createSqliteRelayBackend, type SqliteConnection } from '../../../../../src/sqlite.ts';
import { createFolderOfRun } from '../../../../support/run-folder.ts';
import { type Channel, createChannel } from '../../channel.ts';

type Connection = SqliteConnection | string;
export type SqliteRelay = Relay<Connection>;

/** BullMQ's relays over one new file, and what else a test has begun; all of it is ended together. */
export interface OpenedRelays {
  readonly path: string;
  open(options?: Partial<RelayOptions<Connection>>): SqliteRelay;
  /** What went wrong in any of them. */
  readonly errors: Channel<Error>;
  afterwards(cleanup: () => unknown): void;
  close(): Promise<void>;
}

export function openRelays(): OpenedRelays {
  const path = join(createFolderOfRun('relay'), 'relay.db');
  const errors = createChannel<Error>();
  const cleanups: (() => unknown)[] = [];
  return {
    path,
    errors,
    open(options = {}) {
      const relay = new Relay<Connection>({ connection: { path }, backend: createSqliteRelayBackend, ...options });
      relay.on('error', (error: Error) => errors.push(error));
      cleanups.push(() => relay.close());
      return relay;
    },
    afterwards: (cleanup) => void cleanups.push(cleanup),
    async close() {
      for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    },
  };
}

/** Subscribes, and gives what is heard. */
export async function listen(relay: SqliteRelay, pattern: string): Promise<Channel<RelayMessage>> {
  const heard = createChannel<RelayMessage>();
  await relay.subscribe(pattern, (message) => heard.push(message));
  return heard;
}

/** Resolves with what the relay tells the next time, of its events. */
export function nextEvent<Value>(relay: SqliteRelay, name: 'recovered' | 'swept' | 'lag'): Promise<Value> {
  return new Promise((resolve) => relay.once(name, resolve));
}
