import type { StateEntry, StateStore } from '../state-port.ts';
import type { RedisClient } from './redis-client.ts';

/**
 * The state beyond jobs, in keys below `PREFIX:$tq:`. No queue has such a name, so BullMQ and its tools pass them by.
 *
 * - `state:KEY`, a hash: `value`, `version`. Its end is the key's own.
 * - `keys`, a sorted set of all keys, by name, for listing. A member whose entry is over is removed when it is met.
 * - `version`, the number of the last write, so that a version never comes again.
 * - `count:KEY` and `lease:KEY`.
 */

/** KEYS: entry, keys, version. ARGV: key, value, '' or the expected version ('none' for no entry), '' or the ms to live. */
const WRITE = `
  local current = redis.call('HGET', KEYS[1], 'version')
  if ARGV[3] == 'none' and current then return false end
  if ARGV[3] ~= '' and ARGV[3] ~= 'none' and current ~= ARGV[3] then return false end
  local version = tostring(redis.call('INCR', KEYS[3]))
  redis.call('HSET', KEYS[1], 'value', ARGV[2], 'version', version)
  if ARGV[4] == '' then redis.call('PERSIST', KEYS[1]) else redis.call('PEXPIRE', KEYS[1], ARGV[4]) end
  redis.call('ZADD', KEYS[2], 0, ARGV[1])
  return version`;

/** KEYS: entry, keys. ARGV: key, '' or the expected version. */
const REMOVE = `
  local current = redis.call('HGET', KEYS[1], 'version')
  if not current or (ARGV[2] ~= '' and current ~= ARGV[2]) then return 0 end
  redis.call('DEL', KEYS[1])
  redis.call('ZREM', KEYS[2], ARGV[1])
  return 1`;

/** KEYS: keys. ARGV: begin of the keys, how many or -1, begin of the entries' names. Gives key, value, version, ms to live. */
const LIST = `
  local found = {}
  local limit = tonumber(ARGV[2])
  local from = '[' .. ARGV[1]
  local upTo = ARGV[1] == '' and '+' or '(' .. ARGV[1] .. string.char(255)
  for _, key in ipairs(redis.call('ZRANGEBYLEX', KEYS[1], from, upTo)) do
    if limit >= 0 and #found >= limit * 4 then break end
    local name = ARGV[3] .. key
    local entry = redis.call('HMGET', name, 'value', 'version')
    if entry[2] then
      found[#found + 1] = key
      found[#found + 1] = entry[1]
      found[#found + 1] = entry[2]
      found[#found + 1] = redis.call('PTTL', name)
    else
      redis.call('ZREM', KEYS[1], key)
    end
  end
  return found`;

/** KEYS: counter. ARGV: by, ms to live. */
const COUNT = `
  local total = redis.call('INCRBYFLOAT', KEYS[1], ARGV[1])
  local left = redis.call('PTTL', KEYS[1])
  if left < 0 then
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
    left = tonumber(ARGV[2])
  end
  return {total, left}`;

/** KEYS: lease. ARGV: holder, ms to live. */
const LEASE = `
  local holder = redis.call('GET', KEYS[1])
  if holder and holder ~= ARGV[1] then return {holder, redis.call('PTTL', KEYS[1])} end
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return {ARGV[1], tonumber(ARGV[2])}`;

/** KEYS: lease. ARGV: holder. */
const RELEASE = `
  if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
  return redis.call('DEL', KEYS[1])`;

export function createRedisState(client: RedisClient, prefix: string): StateStore {
  const name = (part: string): string => `${prefix}:$tq:${part}`;
  const entryName = (key: string): string => name(`state:${key}`);
  const run = (script: string, keys: string[], ...values: (string | number)[]): Promise<unknown> =>
    client.eval(script, keys.length, ...keys, ...values) as Promise<unknown>;

  return {
    async read(key) {
      const [[, entry], [, leftMs]] = (await client
        .multi()
        .hmget(entryName(key), 'value', 'version')
        .pttl(entryName(key))
        .exec()) as [[null, (string | null)[]], [null, number]];
      const [value, version] = entry;
      return value == null || version == null ? undefined : toEntry(key, value, version, leftMs);
    },
    async write(key, value, { expected, ttlMs } = {}) {
      const expectation = expected === undefined ? '' : (expected ?? 'none');
      const life = ttlMs === undefined ? '' : Math.max(1, Math.ceil(ttlMs));
      const version = await run(WRITE, [entryName(key), name('keys'), name('version')], key, value, expectation, life);
      return (version as string | null) ?? undefined;
    },
    async remove(key, expected = '') {
      return (await run(REMOVE, [entryName(key), name('keys')], key, expected)) === 1;
    },
    async list(begin, limit = -1) {
      const found = (await run(LIST, [name('keys')], begin, limit, entryName(''))) as (string | number)[];
      const entries: StateEntry[] = [];
      for (let at = 0; at < found.length; at += 4) {
        const [key, value, version, leftMs] = found.slice(at, at + 4) as [string, string, string, number];
        entries.push(toEntry(key, value, version, leftMs));
      }
      return entries;
    },
    async count(key, by, ttlMs) {
      const answer = await run(COUNT, [name(`count:${key}`)], by, Math.max(1, Math.ceil(ttlMs)));
      const [total, leftMs] = answer as [string, number];
      return { total: Number(total), leftMs };
    },
    async lease(key, holder, ttlMs) {
      const answer = await run(LEASE, [name(`lease:${key}`)], holder, Math.max(1, Math.ceil(ttlMs)));
      const [current, leftMs] = answer as [string, number];
      return { holder: current, leftMs };
    },
    async release(key, holder) {
      return (await run(RELEASE, [name(`lease:${key}`)], holder)) === 1;
    },
  };
}

/** Redis answers -1 for a key without an end. */
function toEntry(key: string, value: string, version: string, leftMs: number): StateEntry {
  return { key, value, version, leftMs: leftMs < 0 ? null : leftMs };
}
