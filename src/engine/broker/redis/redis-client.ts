import { readFileSync } from 'node:fs';
import { Cluster, Redis } from 'ioredis';
import type { RedisAddress } from '../broker-url.ts';

export type RedisClient = Redis | Cluster;

/** Reconnecting starts at once and slows down to once in two seconds, with jitter so that a fleet does not return as one. */
function reconnectDelayMs(times: number, longestMs: number): number {
  return Math.min(50 * 2 ** (times - 1), longestMs) + Math.floor(Math.random() * 100);
}

/**
 * A client that is not connected yet.
 *
 * @param patienceMs null for a client whose commands wait for a lost server for ever, as consumers must; otherwise they fail
 *   with the connection, and it reconnects often enough for this patience
 * @param answerMs how long a command may wait for its answer: a server that is frozen keeps its connections. Not for a client
 *   whose commands block
 */
export function createRedisClient(address: RedisAddress, patienceMs: number | null, answerMs?: number): RedisClient {
  const retryStrategy = (times: number): number => reconnectDelayMs(times, Math.min(2000, (patienceMs ?? 4000) / 2));
  const common = {
    connectTimeout: 5000,
    enableReadyCheck: true,
    // 0: a command that finds the connection broken fails with it, and `attempt` decides whether to send it again.
    maxRetriesPerRequest: patienceMs === null ? null : 0,
    ...(answerMs !== undefined && { commandTimeout: answerMs }),
    ...(address.username !== undefined && { username: address.username }),
    ...(address.password !== undefined && { password: address.password }),
    ...(address.tls && { tls: { ...(address.caFile !== undefined && { ca: readFileSync(address.caFile) }) } }),
  };
  if (address.mode === 'cluster') {
    return new Cluster([...address.hosts], {
      lazyConnect: true,
      clusterRetryStrategy: retryStrategy,
      // A cluster client queues commands for ever while no node answers; a producer's must fail instead.
      enableOfflineQueue: patienceMs === null,
      redisOptions: common,
    });
  }
  if (address.mode === 'sentinel') {
    return new Redis({
      ...common,
      lazyConnect: true,
      sentinels: address.hosts.map((host) => ({ ...host })),
      name: address.master as string,
      db: address.db,
      retryStrategy,
      sentinelRetryStrategy: retryStrategy,
      enableTLSForSentinelMode: address.tls,
    });
  }
  const [server] = address.hosts;
  return new Redis({
    ...common,
    lazyConnect: true,
    host: server?.host ?? 'localhost',
    port: server?.port ?? 6379,
    db: address.db,
    retryStrategy,
  });
}

const NO_RETRY = (): null => null;

/** How long the first contact may take; longer than the time limit of the connection itself. */
const CONTACT_MS = 6000;

/** Connects once: the first failure is thrown, unlike later ones, which are waited out. */
export async function connectOnce(client: RedisClient): Promise<void> {
  if (client.status !== 'wait' && client.status !== 'end') return;
  let first: unknown;
  const remember = (error: unknown): void => {
    first ??= error;
  };
  client.on('error', remember);
  let limit: NodeJS.Timeout | undefined;
  const failed = new Promise<never>((_, reject) => {
    client.once('close', () => setImmediate(() => reject(first ?? new Error('the server closed the connection'))));
    client.once('end', () => reject(first ?? new Error('the server closed the connection')));
    limit = setTimeout(
      () => reject(first ?? new Error('the server accepts connections and does not answer')),
      CONTACT_MS,
    );
  });
  failed.catch(() => undefined);
  try {
    await withoutSentinelRetries(client, () => Promise.race([client.connect(), failed]));
    await Promise.race([client.ping(), failed]);
    // A database that does not exist fails no connection: ioredis would go on in database 0.
    if (client instanceof Redis && client.options.db) await Promise.race([client.select(client.options.db), failed]);
  } catch (error) {
    endClient(client);
    throw first ?? error;
  } finally {
    clearTimeout(limit);
    client.off('error', remember);
  }
}

/** Behind sentinels, ioredis asks them again and again before it says that a connection failed. */
async function withoutSentinelRetries(client: RedisClient, connect: () => Promise<unknown>): Promise<void> {
  if (client instanceof Cluster) {
    await connect();
    return;
  }
  const { sentinelRetryStrategy = NO_RETRY } = client.options;
  client.options.sentinelRetryStrategy = NO_RETRY;
  await connect();
  client.options.sentinelRetryStrategy = sentinelRetryStrategy;
}

/**
 * Ends a client in whatever state it is. One that waits to reconnect would only forget its timer, and tell neither who waits
 * for its end nor who waits for an answer; so it is ended as one that has never connected, which tells both.
 */
export function endClient(client: RedisClient): void {
  if (client instanceof Redis) {
    client.options.sentinelRetryStrategy = NO_RETRY;
    if (client.status === 'reconnecting') client.status = 'wait';
  } else if (client.nodes().length === 0 && client.status !== 'end') {
    client.status = 'wait';
  }
  client.disconnect();
}

/** Does that to a client that is away, and leaves one that is connected alone. */
export function endIfAway(client: RedisClient): void {
  if (client.status !== 'ready' && client.status !== 'end') endClient(client);
}
