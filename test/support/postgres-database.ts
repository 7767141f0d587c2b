import { randomBytes } from 'node:crypto';
import { query } from './postgres-server.ts';

export interface PostgresDatabase {
  readonly url: string;
  /** Removes the database, cutting off who is still connected. */
  drop(): Promise<void>;
}

/**
 * Creates an empty database.
 *
 * @param serverUrl of a database of the server, as a user who may create others
 */
export async function createPostgresDatabase(serverUrl: string): Promise<PostgresDatabase> {
  const name = `tq_${randomBytes(6).toString('hex')}`;
  await query(serverUrl, `CREATE DATABASE ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    async drop() {
      await query(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}
