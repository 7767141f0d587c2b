import { createRedisBackend, type RedisQueueBackend, type StreamReadRaw } from 'bullmq';
import { Redis } from 'ioredis';
import { type Store, TICK_MS, TooSlow } from './store.ts';
import { refuseWhole } from './whole-refusals.ts';

/**
 * Lowers every time to live under a prefix by ARGV[2] milliseconds, counted from its next full tick. With 0 it undoes what
 * real time has taken since the last call.
 *
 * ARGV[1] pattern of the keys, ARGV[2] milliseconds, ARGV[3] milliseconds of a tick
 */
const LOWER_TTLS = `
for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
  local ttl = redis.call('PTTL', key)
  if ttl >= 0 then
    local rest = math.ceil(ttl / ARGV[3]) * ARGV[3] - ARGV[2]
    if rest > 0 then redis.call('PEXPIRE', key, rest) else redis.call('DEL', key) end
  end
end`;

/** ARGV[1] pattern of the keys to delete */
const DELETE_KEYS = `for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end`;

/**
 * BullMQ's own Redis backend, with two things under control that Redis leaves open: how much time has passed for keys that
 * expire, and the order in which scripts see the members of sets and hashes.
 *
 * @param url of a Redis server; keys are made and deleted under the prefixes of the runs only
 */
export function createRedisStore(name: string, url: string): Store {
  const client = new Redis(url, { maxRetriesPerRequest: null });
  putMembersInOrder(client);
  const heldAt = new Map<string, number>();
  return {
    name,
    createBackend(queue, options) {
      const backend = createRedisBackend(queue, { ...options, connection: client }, {});
      readWithoutWaiting(backend, client);
      refuseWhole(backend, client);
      return backend;
    },
    async hold(prefix) {
      await client.eval(LOWER_TTLS, 0, `${prefix}:*`, 0, TICK_MS);
      const now = performance.now();
      const passedMs = now - (heldAt.get(prefix) ?? now);
      heldAt.set(prefix, now);
      if (passedMs > TICK_MS * 0.8) throw new TooSlow(`${Math.round(passedMs)} ms between two looks at Redis`);
    },
    advance: async (prefix, ms) => void (await client.eval(LOWER_TTLS, 0, `${prefix}:*`, ms, TICK_MS)),
    async clear(prefix) {
      heldAt.delete(prefix);
      await client.eval(DELETE_KEYS, 0, `${prefix}:*`);
    },
    async close() {
      client.disconnect();
    },
  };
}

/**
 * Put before each of BullMQ's scripts, which then call `inOrder` in place of `redis.call`: members of sets and hashes come in
 * the order of their bytes (Lua's own comparison follows the locale of the server), and the suspects of the stalled check in
 * the order in which they became active.
 */
const IN_ORDER = `
local function precedes(a, b)
  for at = 1, math.min(#a, #b) do
    local x, y = string.byte(a, at), string.byte(b, at)
    if x ~= y then return x < y end
  end
  return #a < #b
end
local function byActivity(suspects, queue)
  local isSuspect, ordered = {}, {}
  for _, id in ipairs(suspects) do isSuspect[id] = true end
  local active = redis.call('LRANGE', queue .. 'active', 0, -1)
  for at = #active, 1, -1 do
    if isSuspect[active[at]] then
      ordered[#ordered + 1] = active[at]
      isSuspect[active[at]] = nil
    end
  end
  for _, id in ipairs(suspects) do
    if isSuspect[id] then ordered[#ordered + 1] = id end
  end
  return ordered
end
local function inOrder(command, key, ...)
  local reply = redis.call(command, key, ...)
  if command == 'SMEMBERS' and string.sub(key, -8) == ':stalled' then
    return byActivity(reply, string.sub(key, 1, -8))
  elseif command == 'SMEMBERS' then
    table.sort(reply, precedes)
  elseif command == 'HGETALL' then
    local fields, values = {}, {}
    for at = 1, #reply, 2 do
      fields[#fields + 1] = reply[at]
      values[reply[at]] = reply[at + 1]
    end
    table.sort(fields, precedes)
    reply = {}
    for _, field in ipairs(fields) do
      reply[#reply + 1] = field
      reply[#reply + 1] = values[field]
    end
  end
  return reply
end
`;

/**
 * BullMQ goes through children to remove and jobs that stall in the order in which Redis gives the members of a set or a
 * hash, which is any order, and it shows in the events and the lists. With this it is one of those orders, always the same.
 */
function putMembersInOrder(client: Redis): void {
  const define = client.defineCommand.bind(client);
  client.defineCommand = (name, definition) => {
    define(name, { ...definition, lua: IN_ORDER + definition.lua.replaceAll('redis.call', 'inOrder') });
  };
}

/** Reads the events as BullMQ does, but for the waiting: Redis ends it only at the next beat of its timer, 100 ms apart. */
function readWithoutWaiting(backend: RedisQueueBackend, client: Redis): void {
  backend.readEvents = async (id) => (await client.xread('STREAMS', backend.toKey('events'), id)) as StreamReadRaw;
}
