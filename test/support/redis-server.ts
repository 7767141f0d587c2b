import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createCertificate } from './certificate.ts';
import { findFreePort } from './free-port.ts';
import { askRedis, type RedisEndpoint } from './redis-ask.ts';
import { createFolderOfRun } from './run-folder.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';
import { waitFor } from './wait-for.ts';

export interface RedisOptions {
  /** `requirepass` and the password of the URL. Letters and digits only. */
  readonly password?: string;
  /** Only TLS, with a certificate made for this server. */
  readonly tls?: boolean;
  /** A cluster of one node that holds every slot. BullMQ needs a hash tag in the prefix there. */
  readonly cluster?: boolean;
  /** Writes an append-only file with every command synced, so that a `kill -9` loses nothing that was acknowledged. */
  readonly persistent?: boolean;
  /** Further arguments of `redis-server`. */
  readonly args?: readonly string[];
}

export interface RedisServer {
  /** Broker URL in tq's form; with `?ca=FILE` under TLS. */
  readonly url: string;
  readonly port: number;
  /** Id of the process that runs now; changes with `restart()`. */
  readonly pid: number;
  readonly folder: string;
  readonly password: string | undefined;
  readonly tls: { readonly ca: string; readonly caFile: string } | undefined;
  /** What the server wrote last. */
  readonly output: string;
  /** Sends one inline command and returns the raw reply. */
  ask(command: string): Promise<string>;
  /** Ends the process, SIGTERM by default; SIGKILL for a crash. The data folder stays until the run ends. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same port and data, after stopping it if it runs. Resolves when it answers. */
  restart(): Promise<void>;
}

/** Whether `redis-server` is on PATH. */
export function hasRedisServer(): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, 'redis-server'), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Starts a `redis-server` of its own on a free port of 127.0.0.1 with a folder of its own; resolves when it answers PING.
 * `stop()` it in `afterAll`; a server that is forgotten ends with the run.
 */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const folder = createFolderOfRun('redis');
  const certificate = options.tls ? await createCertificate(folder) : undefined;
  const tls = certificate && { ca: certificate.certificate, caFile: certificate.certificateFile };
  const port = await findFreePort();
  const endpoint: RedisEndpoint = {
    port,
    ...(options.password ? { password: options.password } : {}),
    ...(tls ? { ca: tls.ca } : {}),
  };
  const args = [...commonArgs(folder, options), ...portArgs(port, certificate), ...(await clusterArgs(options))];
  let server: ServerProcess;
  const start = async (): Promise<void> => {
    server = await startServerProcess({ command: 'redis-server', args, mark: folder });
    await untilReady(server, endpoint, 'PONG');
  };
  await start();
  if (options.cluster) await formCluster(endpoint);
  return {
    url: urlOf(endpoint, options, tls?.caFile),
    port,
    folder,
    password: options.password,
    tls,
    get pid() {
      return server.pid;
    },
    get output() {
      return server.output;
    },
    ask: (command) => askRedis(endpoint, command),
    async stop(signal = 'SIGTERM') {
      await server.stop(signal);
    },
    async restart() {
      await server.stop('SIGTERM');
      await start();
      if (options.cluster) await untilClusterIsUp(endpoint);
    },
  };
}

/** Resolves when the server answers PING; fails with its output when it ended or the bound of 20 seconds has passed. */
export async function untilReady(server: ServerProcess, endpoint: RedisEndpoint, answer: string): Promise<void> {
  let ended = false;
  await waitFor(
    `redis-server on port ${endpoint.port} to answer PING`,
    async () => {
      ended = !server.running;
      return ended || (await askRedis(endpoint, 'PING')).includes(answer);
    },
    { timeoutMs: 20_000, detail: () => server.output },
  );
  if (ended) throw new Error(`redis-server on port ${endpoint.port} ended while it started:\n${server.output}`);
}

function commonArgs(folder: string, options: RedisOptions): string[] {
  const persistence = options.persistent ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no'];
  const password = options.password ? ['--requirepass', options.password, '--masterauth', options.password] : [];
  // Without its own title the command line keeps the folder, by which the run knows its processes.
  const shared = ['--bind', '127.0.0.1', '--dir', folder, '--save', '', '--set-proc-title', 'no'];
  return [...shared, '--maxmemory-policy', 'noeviction', ...persistence, ...password, ...(options.args ?? [])];
}

function portArgs(port: number, certificate: Awaited<ReturnType<typeof createCertificate>> | undefined): string[] {
  if (!certificate) return ['--port', String(port)];
  const files = ['--tls-cert-file', certificate.certificateFile, '--tls-key-file', certificate.keyFile];
  const authority = ['--tls-ca-cert-file', certificate.certificateFile, '--tls-auth-clients', 'no'];
  return ['--port', '0', '--tls-port', String(port), ...files, ...authority];
}

async function clusterArgs(options: RedisOptions): Promise<string[]> {
  if (!options.cluster) return [];
  const bus = ['--cluster-port', String(await findFreePort())];
  // Without a neighbour to tell it, a node does not know the address that clients are to be given.
  return ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1', ...bus];
}

async function formCluster(endpoint: RedisEndpoint): Promise<void> {
  await askRedis(endpoint, 'CLUSTER ADDSLOTSRANGE 0 16383');
  await untilClusterIsUp(endpoint);
}

async function untilClusterIsUp(endpoint: RedisEndpoint): Promise<void> {
  await waitFor('the cluster to report cluster_state:ok', async () =>
    (await askRedis(endpoint, 'CLUSTER INFO')).includes('cluster_state:ok'),
  );
}

function urlOf(endpoint: RedisEndpoint, options: RedisOptions, caFile: string | undefined): string {
  const scheme = `${caFile ? 'rediss' : 'redis'}${options.cluster ? '+cluster' : ''}`;
  const credentials = endpoint.password ? `:${endpoint.password}@` : '';
  const query = caFile ? `?ca=${encodeURIComponent(caFile)}` : '';
  return `${scheme}://${credentials}127.0.0.1:${endpoint.port}${query}`;
}
