import { createRedisBackend, type RedisQueueBackend } from 'bullmq';
import { Cluster, type Redis } from 'ioredis';
import { createError } from '../../core/errors.ts';
import { maskUrl, type RedisAddress } from '../broker-url.ts';
import type { Migration } from '../port.ts';
import type { Store, StoreOptions } from '../store.ts';
import { unavailable } from '../trouble.ts';
import { connectOnce, createRedisClient, type RedisClient } from './redis-client.ts';

/** The delayed set's scores hold the due time above twelve bits of order (BullMQ: getDelayedScore). */
const DELAYED_SCORE_UNIT = 0x1000;
/** The prioritized set's scores hold the priority above 32 bits of order (BullMQ: getPriorityScore). */
const PRIORITY_SCORE_UNIT = 0x100000000;
const SCAN_COUNT = 5000;
const MINIMUM_MAJOR = 6;

/**
 * Redis, Valkey and what speaks like them, on one node, behind Sentinel or as a cluster.
 *
 * Two clients: the producer's gives a command up after the patience, so that a caller learns of a lost server; the
 * consumer's never does. Consumers and event readers get a duplicate of their own to block on.
 */
export function createRedisStore(url: string, address: RedisAddress, options: StoreOptions): Store {
  const masked = maskUrl(url);
  const client = createRedisClient(address, options.patienceMs);
  const consumers: RedisClient[] = [];
  // An unheard 'error' event would end the process; operations report what they meet themselves.
  client.on('error', () => {});
  let connecting: Promise<void> | undefined;
  let root: RedisQueueBackend | undefined;

  const connect = (doing: string): Promise<void> => {
    connecting ??= connectOnce(client)
      .then(() => assertSuitable(client, masked))
      .catch((error) => {
        connecting = undefined;
        throw error?.code === 'BROKER_UNSUITABLE' ? error : unavailable(masked, doing, error);
      });
    return connecting;
  };

  const blockingClient = (): RedisClient => {
    const own = createRedisClient(address, null);
    own.on('error', () => {});
    consumers.push(own);
    return own;
  };
  let shared: RedisClient | undefined;

  return {
    kind: 'redis',
    url: masked,
    prefix: address.prefix,
    ...options,
    queueBackend(queue) {
      if (root === undefined) {
        root = createRedisBackend('tq', {
          connection: client as never,
          prefix: address.prefix,
          skipVersionCheck: true,
        } as never);
        // It passes on the errors of the client, which would end the process here too.
        root.on('error', () => {});
      }
      return root.forQueue(queue, address.prefix);
    },
    workerBackend(name, backendOptions, kind) {
      // One connection for the commands of all queues of a consumer; BullMQ duplicates it for each blocking wait.
      shared ??= blockingClient();
      return createRedisBackend(name, { ...backendOptions, connection: shared as never }, kind);
    },
    eventsBackend(name, backendOptions, kind) {
      shared ??= blockingClient();
      return createRedisBackend(name, { ...backendOptions, connection: shared as never, skipVersionCheck: true }, kind);
    },
    connect,
    listQueues: () => listQueues(client, address.prefix),
    listDueAt: (queue, ids) => listDueAt(client, `${address.prefix}:${queue}:delayed`, ids),
    readOldestWaitingAt: (queue) => readOldestWaitingAt(client, `${address.prefix}:${queue}`),
    // BullMQ's Redis backend puts it there itself.
    moveToHead: async () => {},
    migrate: async (): Promise<Migration> => ({ from: null, to: null }),
    describe: () => describe(client),
    async close() {
      await root?.close();
      for (const own of [client, ...consumers]) own.disconnect();
    },
  };
}

async function assertSuitable(client: RedisClient, url: string): Promise<void> {
  const { name, version } = parseInfo(await client.info('server'));
  if (Number.parseInt(version, 10) >= MINIMUM_MAJOR || name !== 'Redis') return;
  throw createError('BROKER_UNSUITABLE', {
    url,
    reason: `it runs Redis ${version}, tq needs ${MINIMUM_MAJOR}.2 or newer`,
    remedy: 'upgrade the server, or use Valkey',
  });
}

async function describe(client: RedisClient): Promise<string> {
  const { name, version } = parseInfo(await client.info('server'));
  return `${name} ${version}`;
}

function parseInfo(info: string): { name: string; version: string } {
  const field = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  const valkey = field('valkey_version');
  return valkey === undefined
    ? { name: 'Redis', version: field('redis_version') ?? '0' }
    : { name: 'Valkey', version: valkey };
}

/** Every BullMQ queue has a hash `PREFIX:QUEUE:meta`; there is no list of queues, so the key space is walked. */
async function listQueues(client: RedisClient, prefix: string): Promise<string[]> {
  const nodes: Redis[] = client instanceof Cluster ? client.nodes('master') : [client];
  const names = new Set<string>();
  const pattern = `${prefix.replace(/[*?[\]\\]/g, '\\$&')}:*:meta`;
  for (const node of nodes) {
    let cursor = '0';
    do {
      const [next, keys] = await node.scan(cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT);
      for (const key of keys) {
        const name = key.slice(prefix.length + 1, -':meta'.length);
        if (name !== '' && !name.includes(':')) names.add(name);
      }
      cursor = next;
    } while (cursor !== '0');
  }
  return [...names].sort();
}

async function listDueAt(client: RedisClient, key: string, ids: readonly string[]): Promise<(number | null)[]> {
  if (ids.length === 0) return [];
  const scores = await client.zmscore(key, ...ids);
  return scores.map((score) => (score === null ? null : Math.floor(Number(score) / DELAYED_SCORE_UNIT)));
}

/** The wait list is read from its right end; of the prioritized set, the first of each priority is its oldest. */
async function readOldestWaitingAt(client: RedisClient, base: string): Promise<number | null> {
  const oldest = await client.lindex(`${base}:wait`, -1);
  const ids = oldest === null ? [] : [oldest];
  if ((await client.exists(`${base}:prioritized`)) === 1) {
    const pipeline = client.pipeline();
    for (let priority = 1; priority <= 10; priority += 1) {
      const from = priority * PRIORITY_SCORE_UNIT;
      pipeline.zrangebyscore(`${base}:prioritized`, from, `(${from + PRIORITY_SCORE_UNIT}`, 'LIMIT', 0, 1);
    }
    for (const [, found] of (await pipeline.exec()) ?? []) ids.push(...(found as string[]));
  }
  const addedAt = await Promise.all(ids.map((id) => client.hget(`${base}:${id}`, 'timestamp')));
  const known = addedAt.filter((value) => value !== null).map(Number);
  return known.length === 0 ? null : Math.min(...known);
}
