import type { IRelayBackend } from 'bullmq';
import type { Connection } from '../../../../../src/engine/broker/sqlite/connection.ts';
import { holdDatabase } from '../../../../../src/engine/broker/sqlite/database.ts';
import { createSqliteUrl } from '../../../../support/brokers.ts';
import { type BackendOptions, createSqliteRelayStore, SteppedClock } from './relay-store.ts';
import { LONG_MS } from './relay-workshop.ts';

/** SQLite relay backends over one new file, on a clock that the test steps, and a look into the file. */
export interface OpenedBackends {
  readonly path: string;
  readonly clock: SteppedClock;
  open(options?: Partial<BackendOptions>): IRelayBackend;
  /** With node `a` registered, whose endpoint `e` subscribes to `t`. */
  openSubscribed(): Promise<IRelayBackend>;
  /** The connection of this process to the file. */
  openConnection(): Connection;
  /** How many rows a table has. */
  countRows(table: string): number;
  close(): Promise<void>;
}

export function openBackends(): OpenedBackends {
  const path = createSqliteUrl().slice('sqlite:'.length);
  const clock = new SteppedClock();
  const store = createSqliteRelayStore(path, clock);
  const cleanups: (() => unknown)[] = [];
  const open = (options: Partial<BackendOptions> = {}): IRelayBackend => {
    const backend = store.createBackend({ namespace: 'n', ...options });
    cleanups.push(() => backend.close());
    return backend;
  };
  const openConnection = (): Connection => {
    const hold = holdDatabase({ path, synchronous: 'normal', busyTimeoutMs: 5000, clock });
    cleanups.push(() => hold.release());
    return hold.database.connection;
  };
  return {
    path,
    clock,
    open,
    openConnection,
    async openSubscribed() {
      const backend = open();
      await backend.registerNode('a', LONG_MS);
      await backend.subscribe('a', 'e', 't');
      return backend;
    },
    countRows: (table) => openConnection().get(`SELECT count(*) FROM ${table}`)?.[0] as number,
    async close() {
      for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    },
  };
}
