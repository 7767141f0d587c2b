import { accessSync, constants } from 'node:fs';
import { createRedisBackend, type RedisQueueBackend } from 'bullmq';
import { Cluster, type Redis } from 'ioredis';
import { createError, messageOf } from '../../core/errors.ts';
import { maskUrl, type RedisAddress } from '../broker-url.ts';
import type { Migration } from '../port.ts';
import type { Store, StoreOptions } from '../store.ts';
import { unavailable } from '../trouble.ts';
import { createRedisBulk } from './bulk/redis-bulk.ts';
import { countBefore } from './count-before.ts';
import { toDueAt } from './job-state-script.ts';
import { promoteToHead } from './promote-to-head.ts';
import { createRedisCheckup } from './redis-checkup.ts';
import { connectOnce, createRedisClient, endClient, endIfAway, type RedisClient } from './redis-client.ts';
import { createRedisEventLog } from './redis-event-log.ts';
import { addRedisFlow, reprocessRedisJob } from './redis-flows.ts';
import { listMarks } from './redis-marks.ts';
import { createRedisRelays } from './redis-relay.ts';
import { scanIds } from './redis-scan.ts';
import { createRedisSchedules } from './redis-schedules.ts';
import { createRedisState } from './redis-state.ts';
import { listSummaries } from './redis-summaries.ts';
import { readWhole } from './redis-whole-jobs.ts';

/** The prioritized set's scores hold the priority above 32 bits of order (BullMQ: getPriorityScore). */
const PRIORITY_SCORE_UNIT = 0x100000000;
const SCAN_COUNT = 5000;
const MINIMUM = { major: 6, minor: 2 };

/**
 * Redis, Valkey and what speaks like them, on one node, behind Sentinel or as a cluster.
 *
 * Two clients: the producer's gives a command up after the patience, so that a caller learns of a lost server; the
 * consumer's never does. Consumers and event readers get a duplicate of their own to block on.
 */
export function createRedisStore(url: string, address: RedisAddress, options: StoreOptions): Store {
  const masked = maskUrl(url);
  assertAuthority(address, masked);
  const client = createRedisClient(address, options.patienceMs, answerMs(options.patienceMs));
  const consumers: RedisClient[] = [];
  let fault: unknown;
  // Unheard, the event would end the process.
  client.on('error', (error: unknown) => {
    fault = error;
  });
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
    // BullMQ blocks on duplicates; they must be known to be ended while the server is away.
    const duplicate = own.duplicate.bind(own) as (...args: unknown[]) => RedisClient;
    own.duplicate = ((...args: unknown[]) => {
      const copy = duplicate(...args);
      consumers.push(copy);
      return copy;
    }) as never;
    return own;
  };
  let shared: RedisClient | undefined;
  const consumerBackend: Store['workerBackend'] = (name, backendOptions, kind) => {
    // One connection for the commands of all queues of a consumer; BullMQ duplicates it for each blocking wait.
    shared ??= blockingClient();
    const known = consumers.length;
    const backend = createRedisBackend(name, { ...backendOptions, connection: shared as never } as never, kind);
    const blocking = consumers.slice(known);
    // BullMQ waits for the end of the connection that it blocks on, which one that is away would never tell.
    const { disconnect, disconnectBlocking } = backend;
    backend.disconnect = () => {
      blocking.forEach(endIfAway);
      return disconnect.call(backend);
    };
    backend.disconnectBlocking = (wait) => {
      blocking.forEach(endIfAway);
      return disconnectBlocking.call(backend, wait);
    };
    return backend;
  };

  const schedules = createRedisSchedules(client, address.prefix);
  const relays = createRedisRelays(client, address.prefix);

  const queueBackend = (queue: string): RedisQueueBackend => {
    if (root === undefined) {
      root = createRedisBackend('tq', {
        connection: client as never,
        prefix: address.prefix,
        skipVersionCheck: true,
      } as never);
      // It passes on the errors of the client, which would end the process here too.
      root.on('error', () => {});
      sayVersion(root);
    }
    return root.forQueue(queue, address.prefix) as RedisQueueBackend;
  };

  return {
    kind: 'redis',
    url: masked,
    prefix: address.prefix,
    ...options,
    queueBackend,
    workerBackend: (name, backendOptions, kind) => consumerBackend(name, backendOptions, kind),
    abandonConsumers() {
      shared = undefined;
      for (const own of consumers.splice(0)) endClient(own);
    },
    eventsBackend: (name, backendOptions, kind) =>
      consumerBackend(name, { ...backendOptions, skipVersionCheck: true }, kind),
    openEventLog: (since) =>
      createRedisEventLog({
        createClient: () => createRedisClient(address, options.patienceMs),
        listQueues: () => listQueues(client, address.prefix),
        readTime: () => readTime(client),
        prefix: address.prefix,
        isCluster: address.mode === 'cluster',
        clock: options.clock,
        since,
      }),
    relayBackend: (relayOptions) => relays.createBackend(relayOptions),
    faultBehind: (error) => (fault !== undefined && isGivingUp(error) ? fault : error),
    connect,
    listQueues: () => listQueues(client, address.prefix),
    listDueAt: (queue, ids) => listDueAt(client, `${address.prefix}:${queue}:delayed`, ids),
    listLockLeftMs: (queue, ids) => listLockLeftMs(client, `${address.prefix}:${queue}`, ids),
    listMarks: (queue, ids, mark) => listMarks(client, `${address.prefix}:${queue}`, ids, mark),
    listSummaries: (queue, ids) => listSummaries(client, `${address.prefix}:${queue}`, ids),
    countBefore: (queue, id, limit) => countBefore(client, `${address.prefix}:${queue}`, id, limit),
    scanIds: (queue, scan) => scanIds(client, `${address.prefix}:${queue}`, scan),
    readWhole: (queue, ids, maxBytes) => readWhole(client, `${address.prefix}:${queue}`, ids, maxBytes),
    readOldestWaitingAt: (queue) => readOldestWaitingAt(client, `${address.prefix}:${queue}`),
    // BullMQ's Redis backend puts it there itself.
    moveToHead: async () => {},
    promoteToHead: (queue, ids) => promoteToHead(client, `${address.prefix}:${queue}`, ids),
    addFlow: (entries) => addRedisFlow(entries, { backendOf: queueBackend, now: options.clock.now() }),
    reprocess: (queue, id, from) => reprocessRedisJob(queueBackend(queue), id, from),
    bulk: createRedisBulk(client, { prefix: address.prefix, clock: options.clock }),
    schedules,
    checkup: createRedisCheckup(client, {
      prefix: address.prefix,
      backendOf: queueBackend,
      schedules,
      readTime: () => readTime(client),
    }),
    state: createRedisState(client, address.prefix),
    migrate: async (): Promise<Migration> => ({ from: null, to: null }),
    describe: () => describe(client),
    async close() {
      await root?.close();
      relays.end();
      for (const own of [client, ...consumers]) endClient(own);
    },
  };
}

/** @throws BROKER_URL_INVALID when the file of `?ca=` cannot be read */
function assertAuthority({ caFile }: RedisAddress, url: string): void {
  if (caFile === undefined) return;
  try {
    accessSync(caFile, constants.R_OK);
  } catch (error) {
    throw createError('BROKER_URL_INVALID', { url, reason: `?ca= names no file: ${messageOf(error)}` }, error);
  }
}

/** ioredis says with these that it has given a command up, not why. */
function isGivingUp(error: unknown): boolean {
  return /max retries per request|isn't writeable|isn't ready|Connection is closed/.test(messageOf(error));
}

async function assertSuitable(client: RedisClient, url: string): Promise<void> {
  const { name, version } = parseInfo(await client.info('server'));
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (name !== 'Redis' || major > MINIMUM.major || (major === MINIMUM.major && minor >= MINIMUM.minor)) return;
  throw createError('BROKER_UNSUITABLE', {
    url,
    reason: `it runs Redis ${version}, tq needs ${MINIMUM.major}.${MINIMUM.minor} or newer`,
    remedy: 'upgrade the server, or use Valkey',
  });
}

/**
 * BullMQ takes a server whose version it has not asked for as its oldest, and asks that for the state of a job by reading the whole wait
 * list: a second of the server's time where half a million wait. The version was checked when we connected.
 */
function sayVersion(backend: RedisQueueBackend): void {
  const { connection } = backend as unknown as { connection: object };
  Object.defineProperty(connection, 'redisVersion', { value: `${MINIMUM.major}.${MINIMUM.minor}.0` });
}

/** Two tries within the patience; no command of ours takes the server so long. */
function answerMs(patienceMs: number): number {
  return Math.min(10_000, Math.max(500, Math.ceil(patienceMs / 2)));
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

/** Redis answers with seconds, and microseconds beside them. */
async function readTime(client: RedisClient): Promise<number> {
  const [seconds, micros] = await client.time();
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
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
  return scores.map((score) => (score === null ? null : toDueAt(score)));
}

/** A lock is a key that ends with it; Redis answers a negative number for one that is not there. */
async function listLockLeftMs(client: RedisClient, base: string, ids: readonly string[]): Promise<(number | null)[]> {
  const pipeline = client.pipeline();
  for (const id of ids) pipeline.pttl(`${base}:${id}:lock`);
  const answers = (await pipeline.exec()) ?? [];
  return answers.map(([error, leftMs]) => {
    if (error !== null) throw error;
    return (leftMs as number) < 0 ? null : (leftMs as number);
  });
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
