/**
 * What lies in the queues of a Redis server that should not.
 *
 * 1. The key space is walked once, in small steps, for the keys of all queues that are asked for: unique keys and records of jobs.
 * 2. A record is looked for in the sorted sets of its queue by its id, and in its lists, which are read once for that.
 * 3. What seems to stand nowhere is looked at once more, record and lists in one step: jobs move while one looks.
 *
 * Lists have no index: the look at one job walks them. So orphans are not looked for in a queue with long lists.
 */
import { type ChainableCommander, Cluster, type Redis } from 'ioredis';
import type { QueueLeftovers, StrayKey } from '../../core/checkup/leftovers.ts';
import { LEFTOVERS_LISTED, type Leftovers } from '../checkup-port.ts';
import type { RedisClient } from './redis-client.ts';

const SCAN_COUNT = 1000;
/** Keys that are walked through. */
const MAX_KEYS = 2_000_000;
/** Of the lists of a queue in which orphans are looked for. */
const MAX_LISTED = 100_000;
const LIST_PAGE = 5000;
const LISTS = ['wait', 'paused', 'active'] as const;
const SETS = ['prioritized', 'delayed', 'completed', 'failed', 'waiting-children'] as const;
const PARTS = ['logs', 'dependencies', 'processed', 'failed', 'unsuccessful', 'lock'] as const;
/** Keys of a queue that are no jobs. */
const OWN = new Set<string>([...LISTS, ...SETS]);
for (const name of ['meta', 'id', 'events', 'marker', 'limiter', 'stalled', 'stalled-check', 'repeat', 'pc', 'delay'])
  OWN.add(name);
const UNIQUE = 'de:';

/** KEYS: lists, sets, record, its parts. ARGV: id, how many lists, how many sets, whether to remove. Gives 1 for an orphan. */
const ORPHAN = `
  local lists, sets = tonumber(ARGV[2]), tonumber(ARGV[3])
  local record = lists + sets + 1
  if redis.call('TYPE', KEYS[record]).ok ~= 'hash' then return 0 end
  local known = redis.call('HMGET', KEYS[record], 'name', 'timestamp')
  if not known[1] or not known[2] then return 0 end
  for i = lists + 1, lists + sets do if redis.call('ZSCORE', KEYS[i], ARGV[1]) then return 0 end end
  for i = 1, lists do if redis.call('LPOS', KEYS[i], ARGV[1]) then return 0 end end
  if ARGV[4] == '1' then for i = record, #KEYS do redis.call('DEL', KEYS[i]) end end
  return 1`;

/** KEYS: unique key, record of its holder. ARGV: holder, whether to remove. Gives 1 for a stray key. */
const STRAY = `
  if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
  if redis.call('PTTL', KEYS[1]) ~= -1 or redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
  if ARGV[2] == '1' then redis.call('DEL', KEYS[1]) end
  return 1`;

type Found = Pick<QueueLeftovers, 'strayKeys' | 'orphans'>;

/** @param prefix BullMQ's key prefix */
export async function findRedisLeftovers(
  client: RedisClient,
  prefix: string,
  queues: readonly string[],
): Promise<{ found: ReadonlyMap<string, Found>; isWhole: Leftovers['isWhole'] }> {
  const looks = new Map<string, QueueLook>();
  for (const queue of queues) looks.set(queue, await openLook(client, `${prefix}:${queue}`));
  let walked = 0;
  for await (const keys of scanKeys(client, `${escapeGlob(prefix)}:*`)) {
    walked += keys.length;
    for (const [queue, parts] of groupByQueue(keys, prefix)) await lookAt(client, looks.get(queue), parts);
    if (walked >= MAX_KEYS) break;
  }
  const found = [...looks].map(([queue, { strayKeys, orphans }]) => [queue, { strayKeys, orphans }] as const);
  return { found: new Map(found), isWhole: walked < MAX_KEYS };
}

/** @returns whether it was removed */
export async function removeRedisOrphan(client: RedisClient, base: string, id: string): Promise<boolean> {
  return await isOrphan(client, base, id, true);
}

export async function removeRedisStrayKey(
  client: RedisClient,
  base: string,
  { key, holder }: StrayKey,
): Promise<boolean> {
  return await isStray(client, base, { key, holder }, true);
}

interface QueueLook {
  readonly base: string;
  /** Ids in its lists; undefined when these are too long. */
  readonly listed: ReadonlySet<string> | undefined;
  readonly strayKeys: StrayKey[];
  readonly orphans: string[] | null;
}

async function openLook(client: RedisClient, base: string): Promise<QueueLook> {
  const lengths = await Promise.all(LISTS.map((list) => client.llen(`${base}:${list}`)));
  if (lengths.reduce((sum, length) => sum + length, 0) > MAX_LISTED) {
    return { base, listed: undefined, strayKeys: [], orphans: null };
  }
  const listed = new Set<string>();
  for (const [index, list] of LISTS.entries()) {
    for (let from = 0; from < (lengths[index] ?? 0); from += LIST_PAGE) {
      for (const id of await client.lrange(`${base}:${list}`, from, from + LIST_PAGE - 1)) listed.add(id);
    }
  }
  return { base, listed, strayKeys: [], orphans: [] };
}

async function* scanKeys(client: RedisClient, pattern: string): AsyncGenerator<string[]> {
  const nodes: Redis[] = client instanceof Cluster ? client.nodes('master') : [client];
  for (const node of nodes) {
    let cursor = '0';
    do {
      const [next, keys] = await node.scan(cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT);
      cursor = next;
      yield keys;
    } while (cursor !== '0');
  }
}

/** What follows the name of its queue in each key. */
function groupByQueue(keys: readonly string[], prefix: string): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const key of keys) {
    const rest = key.slice(prefix.length + 1);
    const end = rest.indexOf(':');
    if (end < 1) continue;
    const queue = rest.slice(0, end);
    const group = groups.get(queue) ?? [];
    group.push(rest.slice(end + 1));
    groups.set(queue, group);
  }
  return groups;
}

async function lookAt(client: RedisClient, look: QueueLook | undefined, parts: readonly string[]): Promise<void> {
  if (look === undefined) return;
  const { base, listed, strayKeys, orphans } = look;
  const keys = parts.filter((part) => part.startsWith(UNIQUE)).map((part) => part.slice(UNIQUE.length));
  for (const key of await listStray(client, base, keys)) {
    if (strayKeys.length < LEFTOVERS_LISTED && (await isStray(client, base, key, false))) strayKeys.push(key);
  }
  if (listed === undefined || orphans === null) return;
  // The ids of jobs of schedule entries have colons, as other keys have; what looks like a record of one is left alone.
  const ids = parts.filter((part) => !part.includes(':') && !OWN.has(part) && !listed.has(part));
  for (const id of ids.length === 0 ? [] : await withoutSets(client, base, ids)) {
    if (orphans.length < LEFTOVERS_LISTED && (await isOrphan(client, base, id, false))) orphans.push(id);
  }
}

/** Of these unique keys, those that have no end and whose holder has no record. */
async function listStray(client: RedisClient, base: string, keys: readonly string[]): Promise<StrayKey[]> {
  const held = await inPipeline(client, keys, (pipeline, key) => pipeline.get(`${base}:${UNIQUE}${key}`));
  const leftMs = await inPipeline(client, keys, (pipeline, key) => pipeline.pttl(`${base}:${UNIQUE}${key}`));
  const lasting = keys.flatMap((key, index): StrayKey[] => {
    const holder = held[index];
    return typeof holder === 'string' && leftMs[index] === -1 ? [{ key, holder }] : [];
  });
  const stored = await inPipeline(client, lasting, (pipeline, { holder }) => pipeline.exists(`${base}:${holder}`));
  return lasting.filter((_, index) => stored[index] === 0);
}

async function inPipeline<Item>(
  client: RedisClient,
  items: readonly Item[],
  add: (pipeline: ChainableCommander, item: Item) => unknown,
): Promise<unknown[]> {
  if (items.length === 0) return [];
  const pipeline = client.pipeline();
  for (const item of items) add(pipeline, item);
  return ((await pipeline.exec()) ?? []).map(([error, answer]) => {
    if (error !== null) throw error;
    return answer;
  });
}

/** Those that stand in no sorted set of the queue. */
async function withoutSets(client: RedisClient, base: string, ids: readonly string[]): Promise<string[]> {
  const scores = await Promise.all(SETS.map((set) => client.zmscore(`${base}:${set}`, ...ids)));
  return ids.filter((_, index) => scores.every((column) => column[index] === null));
}

async function isOrphan(client: RedisClient, base: string, id: string, remove: boolean): Promise<boolean> {
  const keys = [...LISTS, ...SETS, id, ...PARTS.map((part) => `${id}:${part}`)].map((part) => `${base}:${part}`);
  const values = [id, LISTS.length, SETS.length, remove ? 1 : 0];
  return (await client.eval(ORPHAN, keys.length, ...keys, ...values)) === 1;
}

async function isStray(
  client: RedisClient,
  base: string,
  { key, holder }: StrayKey,
  remove: boolean,
): Promise<boolean> {
  const keys = [`${base}:${UNIQUE}${key}`, `${base}:${holder}`];
  return (await client.eval(STRAY, 2, ...keys, holder, remove ? 1 : 0)) === 1;
}

function escapeGlob(text: string): string {
  return text.replace(/[*?[\]\\]/g, '\\$&');
}
