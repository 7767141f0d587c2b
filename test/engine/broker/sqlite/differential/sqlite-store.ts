import { createSqliteBackend } from '../../../../../src/sqlite.ts';
import type { Store } from './store.ts';

/** Our own backend, on a database in memory that all objects of this process share. */
export function createSqliteStore(): Store {
  return {
    name: 'sqlite',
    createBackend: (queue, options, extra) =>
      createSqliteBackend(queue, { ...options, connection: { path: ':memory:' } }, extra),
    hold: async () => undefined,
    advance: async () => undefined,
    clear: async () => undefined,
    close: async () => undefined,
  };
}
