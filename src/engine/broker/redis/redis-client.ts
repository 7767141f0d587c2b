import { readFileSync } from 'node:fs';
import { Cluster, Redis } from 'ioredis';
import type { RedisAddress } from '../broker-url.ts';

export type RedisClient = Redis | Cluster;

/** Reconnecting starts at once and slows down to once in two seconds, with jitter so that a fleet does not return as one. */
function reconnectDelayMs(times: number): number {
  return Math.min(50 * 2 ** (times - 1), 2000) + Math.floor(Math.random() * 100);
}

/**
 * A client that is not connected yet.
 *
 * @param patienceMs how long a command waits for a lost server before it fails; null waits for ever, as consumers must
 */
export function createRedisClient(address: RedisAddress, patienceMs: number | null): RedisClient {
  const common = {
    connectTimeout: 5000,
    enableReadyCheck: true,
    maxRetriesPerRequest: patienceMs === null ? null : retriesWithin(patienceMs),
    ...(address.username !== undefined && { username: address.username }),
    ...(address.password !== undefined && { password: address.password }),
    ...(address.tls && { tls: { ...(address.caFile !== undefined && { ca: readFileSync(address.caFile) }) } }),
  };
  if (address.mode === 'cluster') {
    return new Cluster([...address.hosts], {
      lazyConnect: true,
      clusterRetryStrategy: reconnectDelayMs,
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
      retryStrategy: reconnectDelayMs,
      sentinelRetryStrategy: reconnectDelayMs,
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
    retryStrategy: reconnectDelayMs,
  });
}

/** ioredis counts reconnections, not time: how many fit into the patience. */
function retriesWithin(patienceMs: number): number {
  let spent = 0;
  let retries = 0;
  while (spent < patienceMs) {
    retries += 1;
    spent += Math.min(50 * 2 ** (retries - 1), 2000) + 50;
  }
  return retries;
}

/** Connects once: the first failure is thrown, unlike later ones, which are waited out. */
export async function connectOnce(client: RedisClient): Promise<void> {
  if (client.status !== 'wait') return;
  let first: unknown;
  const remember = (error: unknown): void => {
    first ??= error;
  };
  client.on('error', remember);
  const failed = new Promise<never>((_, reject) => {
    client.once('close', () => setImmediate(() => reject(first ?? new Error('the server closed the connection'))));
    client.once('end', () => reject(first ?? new Error('the server closed the connection')));
  });
  failed.catch(() => undefined);
  try {
    await Promise.race([client.connect(), failed]);
    await Promise.race([client.ping(), failed]);
  } catch (error) {
    client.disconnect();
    throw first ?? error;
  } finally {
    client.off('error', remember);
  }
}
