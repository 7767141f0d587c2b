import { execFile } from 'node:child_process';
import { chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { findFreePort } from './free-port.ts';
import { type PostgresBinaries, preparePostgresBinaries } from './postgres-binaries.ts';
import { createFolderOfRun } from './run-folder.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';
import { waitFor } from './wait-for.ts';

export interface PostgresServer {
  /** URL of the database `postgres`, as its owner. */
  readonly url: string;
  readonly port: number;
  /** Id of the process that runs now; changes with `restart()`. */
  readonly pid: number;
  /** What the server wrote last. */
  readonly output: string;
  /** Ends it: SIGINT (the default) cuts clients off, SIGTERM waits for them, SIGKILL is a crash. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same port and data, after stopping it if it runs. Resolves when it answers. */
  restart(): Promise<void>;
}

const password = 'tq-test';

/**
 * Starts a PostgreSQL of its own on a free port of 127.0.0.1 with a cluster of its own; resolves when it answers a query.
 * Commits are not forced to the disk: they survive the server's death, not the machine's.
 */
export async function startPostgres(): Promise<PostgresServer> {
  const binaries = await preparePostgresBinaries();
  const folder = createFolderOfRun('postgres');
  const data = join(folder, 'data');
  await createCluster(binaries, folder, data);
  const port = await findFreePort();
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  let server: ServerProcess | undefined;
  const start = async (): Promise<void> => {
    server = await startAnswering(binaries, data, { port, url });
  };
  await start();
  return {
    url,
    port,
    get pid() {
      return server?.pid ?? 0;
    },
    get output() {
      return server?.output ?? '';
    },
    async stop(signal = 'SIGINT') {
      await server?.stop(signal);
    },
    async restart() {
      await server?.stop('SIGINT');
      await start();
    },
  };
}

async function createCluster(binaries: PostgresBinaries, folder: string, data: string): Promise<void> {
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, `${password}\n`);
  const { uid, gid } = binaries.user;
  if (uid !== undefined && gid !== undefined) for (const path of [folder, passwordFile]) chownSync(path, uid, gid);
  const login = ['--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
  const args = [`--pgdata=${data}`, ...login, '--encoding=UTF8', '--locale=C', '--no-sync'];
  await promisify(execFile)(binaries.initdb, args, { ...binaries.user, cwd: folder });
}

/**
 * After a crash the old server's helpers hold its shared memory for a moment and a new one refuses to start, so an early
 * end is tried again within the bound.
 */
async function startAnswering(
  binaries: PostgresBinaries,
  data: string,
  at: { port: number; url: string },
): Promise<ServerProcess> {
  const settings = ['unix_socket_directories=', 'listen_addresses=127.0.0.1', 'max_connections=300', 'fsync=off'];
  const args = ['-D', data, '-p', String(at.port), ...settings.flatMap((setting) => ['-c', setting])];
  let server: ServerProcess | undefined;
  const look = async (): Promise<ServerProcess> => {
    if (!server?.running) {
      server = await startServerProcess({ command: binaries.postgres, args, mark: data, ...binaries.user });
    }
    await query(at.url, 'SELECT 1');
    return server;
  };
  try {
    const detail = (): string => server?.output ?? 'it was never started';
    return await waitFor(`PostgreSQL on port ${at.port} to answer a query`, look, { timeoutMs: 30_000, detail });
  } catch (error) {
    await server?.stop('SIGKILL');
    throw error;
  }
}

/** Runs one statement on a connection of its own. */
export async function query(url: string, statement: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  // A server that dies while connected reports to the pending call, and again here.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await client.query(statement);
  } finally {
    await client.end();
  }
}
