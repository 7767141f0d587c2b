import type { StateEntry, StateStore } from '../state-port.ts';
import type { RedisClient } from './redis-client.ts';

/**
 * The state beyond jobs, in keys below `PREFIX:$tq:`. No queue has such a name, so BullMQ and its tools pass them by.
 *
 * - `state:KEY`, a hash: `value`, `version`. Its end is the key's own.
 * - `keys`, a sorted set of all keys, by name, for listing. A member whose entry is over is removed when it is met.
 * - `version`, the number of the last write, so that a version never comes again.
 * - `count:KEY`, `lease:KEY` and `line:KEY`; `places:KEY`, a sorted set of holders by the end of their time.
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

/** KEYS: entries, then keys. ARGV: of each entry its key and '' or the expected version. */
const REMOVE_ALL = `
  local removed = 0
  for index = 1, #KEYS - 1 do
    local current = redis.call('HGET', KEYS[index], 'version')
    local expected = ARGV[index * 2]
    if current and (expected == '' or current == expected) then
      redis.call('DEL', KEYS[index])
      redis.call('ZREM', KEYS[#KEYS], ARGV[index * 2 - 1])
      removed = removed + 1
    end
  end
  return removed`;

/**
 * KEYS: keys. ARGV: begin of the keys, how many or -1, begin of the entries' names, 1 for the last ones first, '' or the key
 * that they stand before, '' or the key that they stand after. Gives key, value, version, ms to live. The keys are read in portions,
 * for some of them may be over.
 */
const LIST = `
  local found, stale = {}, {}
  local limit = tonumber(ARGV[2])
  local from = ARGV[6] == '' and '[' .. ARGV[1] or '(' .. ARGV[6]
  local upTo = ARGV[1] == '' and '+' or '(' .. ARGV[1] .. string.char(255)
  if ARGV[5] ~= '' then upTo = '(' .. ARGV[5] end
  local at = 0
  while limit < 0 or #found < limit * 4 do
    local portion = limit < 0 and 1000 or limit
    local keys
    if ARGV[4] == '1' then
      keys = redis.call('ZREVRANGEBYLEX', KEYS[1], upTo, from, 'LIMIT', at, portion)
    else
      keys = redis.call('ZRANGEBYLEX', KEYS[1], from, upTo, 'LIMIT', at, portion)
    end
    at = at + portion
    for _, key in ipairs(keys) do
      if limit >= 0 and #found >= limit * 4 then break end
      local name = ARGV[3] .. key
      local entry = redis.call('HMGET', name, 'value', 'version')
      if entry[2] then
        found[#found + 1] = key
        found[#found + 1] = entry[1]
        found[#found + 1] = entry[2]
        found[#found + 1] = redis.call('PTTL', name)
      else
        stale[#stale + 1] = key
      end
    end
    if #keys < portion then break end
  end
  for _, key in ipairs(stale) do redis.call('ZREM', KEYS[1], key) end
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

const NOW = `
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000`;

/** KEYS: line. ARGV: spacing, horizon, tolerance, in ms. Gives 1 and the wait, or 0 and how far; text, for they are fractions. */
const RESERVE = `${NOW}
  local from = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
  local wait = math.max(0, from - tonumber(ARGV[3]) - now)
  if wait > tonumber(ARGV[2]) then return {'0', tostring(wait)} end
  local free = from + tonumber(ARGV[1])
  redis.call('SET', KEYS[1], string.format('%.3f', free), 'PX', math.max(1, math.ceil(free - now)))
  return {'1', tostring(wait)}`;

/** KEYS: places. ARGV: holder, how many places, ms to live. Gives whether it was taken, how many are free, ms until the next is. */
const OCCUPY = `${NOW}
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
  local places = tonumber(ARGV[2])
  local taken = redis.call('ZSCORE', KEYS[1], ARGV[1]) or redis.call('ZCARD', KEYS[1]) < places
  if taken then redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), ARGV[1]) end
  local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
  local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  redis.call('PEXPIRE', KEYS[1], math.max(1, math.ceil((tonumber(last[2]) or now) - now)))
  local left = math.ceil((tonumber(first[2]) or now) - now)
  return {taken and 1 or 0, math.max(0, places - redis.call('ZCARD', KEYS[1])), left}`;

/** KEYS: places. */
const LIST_HOLDERS = `${NOW}
  return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. string.format('%.3f', now), '+inf')`;

/** KEYS: places. ARGV: holder. */
const VACATE = `${NOW}
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
  return redis.call('ZREM', KEYS[1], ARGV[1])`;

/** KEYS: keys. ARGV: begin of the keys. */
const SIZE = `
  if ARGV[1] == '' then return redis.call('ZCARD', KEYS[1]) end
  return redis.call('ZLEXCOUNT', KEYS[1], '[' .. ARGV[1], '(' .. ARGV[1] .. string.char(255))`;

export function createRedisState(client: RedisClient, prefix: string): StateStore {
  const name = (part: string): string => `${prefix}:$tq:${part}`;
  const entryName = (key: string): string => name(`state:${key}`);
  const run = (script: string, keys: string[], ...values: (string | number)[]): Promise<unknown> =>
    client.eval(script, keys.length, ...keys, ...values) as Promise<unknown>;

  const list = async (begin: string, limit: number, ...how: (string | number)[]): Promise<StateEntry[]> => {
    const [order = 0, before = '', after = ''] = how;
    const range = [begin, limit, entryName(''), order, before, after];
    const found = (await run(LIST, [name('keys')], ...range)) as (string | number)[];
    const entries: StateEntry[] = [];
    for (let at = 0; at < found.length; at += 4) {
      const [key, value, version, leftMs] = found.slice(at, at + 4) as [string, string, string, number];
      entries.push(toEntry(key, value, version, leftMs));
    }
    return entries;
  };

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
    async removeAll(entries) {
      if (entries.length === 0) return 0;
      const keys = [...entries.map(({ key }) => entryName(key)), name('keys')];
      const expected = entries.flatMap(({ key, version = '' }) => [key, version]);
      return (await run(REMOVE_ALL, keys, ...expected)) as number;
    },
    list: (begin, limit = -1, after = '') => list(begin, limit, 0, '', after),
    listBack: (begin, limit, before = '') => list(begin, limit, 1, before),
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
    async size(begin) {
      return (await run(SIZE, [name('keys')], begin)) as number;
    },
    async reserve(key, { spacingMs, horizonMs, toleranceMs = 0 }) {
      const answer = await run(RESERVE, [name(`line:${key}`)], spacingMs, horizonMs, toleranceMs);
      const [taken, waitMs] = answer as [string, string];
      return { taken: taken === '1', waitMs: Number(waitMs) };
    },
    async occupy(key, holder, { places, ttlMs }) {
      const answer = await run(OCCUPY, [name(`places:${key}`)], holder, places, Math.max(1, Math.ceil(ttlMs)));
      const [taken, free, leftMs] = answer as [number, number, number];
      return { taken: taken === 1, free, leftMs };
    },
    async listHolders(key) {
      return (await run(LIST_HOLDERS, [name(`places:${key}`)])) as string[];
    },
    async vacate(key, holder) {
      return (await run(VACATE, [name(`places:${key}`)], holder)) === 1;
    },
  };
}

/** Redis answers -1 for a key without an end. */
function toEntry(key: string, value: string, version: string, leftMs: number): StateEntry {
  return { key, value, version, leftMs: leftMs < 0 ? null : leftMs };
}
