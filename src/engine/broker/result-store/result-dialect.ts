import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import type { ResultTables } from './result-tables.ts';

export type RunQuery = (query: CompiledQuery) => Promise<QueryResult<unknown>>;

/**
 * Kysely as what it is here: a builder of SQL whose statements the store runs, one at a time, over a connection of its own. Its
 * drivers for PostgreSQL and SQLite are made for other libraries, or keep a connection that has gone silent.
 */
export function createQueryBuilder(kind: 'postgres' | 'sqlite', run: RunQuery): Kysely<ResultTables> {
  const connection: DatabaseConnection = {
    executeQuery: <Row>(query: CompiledQuery) => run(query) as Promise<QueryResult<Row>>,
    streamQuery: () => {
      throw new Error('results are read in pages');
    },
  };
  const unsupported = async (): Promise<never> => {
    throw new Error('statements of results stand alone');
  };
  const parts = PARTS[kind];
  const dialect: Dialect = {
    createAdapter: parts.createAdapter,
    createQueryCompiler: parts.createQueryCompiler,
    createIntrospector: parts.createIntrospector,
    createDriver: () => ({
      init: async () => {},
      acquireConnection: async () => connection,
      beginTransaction: unsupported,
      commitTransaction: unsupported,
      rollbackTransaction: unsupported,
      releaseConnection: async () => {},
      destroy: async () => {},
    }),
  };
  return new Kysely<ResultTables>({ dialect });
}

const PARTS = {
  postgres: {
    createAdapter: () => new PostgresAdapter(),
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createIntrospector: (database) => new PostgresIntrospector(database),
  },
  sqlite: {
    createAdapter: () => new SqliteAdapter(),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createIntrospector: (database) => new SqliteIntrospector(database),
  },
} as const satisfies Record<string, Omit<Dialect, 'createDriver'>>;
