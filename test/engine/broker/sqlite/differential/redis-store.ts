import { createRedisBackend, type RedisQueueBackend, type StreamReadRaw } from 'bullmq';
import { Redis } from 'ioredis';
import { mendScript } from './mended-scripts.ts';
import { orderMembers } from './ordered-members.ts';
import { type Store, TICK_MS, TooSlow } from './store.ts';

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
 * BullMQ's own Redis backend, with what Redis leaves open under control: how much time has passed for keys that expire, and
 * the order in which scripts see the members of sets and hashes.
 *
 * @param url of a Redis server; keys are made and deleted under the prefixes of the runs only
 */
export function createRedisStore(name: string, url: string): Store {
  // A database of its own: KEYS walks all of one, and other tests fill the first.
  const client = new Redis(url, { maxRetriesPerRequest: null, db: 15 });
  const define = client.defineCommand.bind(client);
  client.defineCommand = (command, definition) => {
    define(command, { ...definition, lua: orderMembers(mendScript(command, definition.lua)) });
  };
  const heldAt = new Map<string, number>();
  return {
    name,
    createBackend(queue, options) {
      const backend = createRedisBackend(queue, { ...options, connection: client }, {});
      readWithoutWaiting(backend, client);
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

/** Reads the events as BullMQ does, but for the waiting: Redis ends it only at the next beat of its timer, 100 ms apart. */
function readWithoutWaiting(backend: RedisQueueBackend, client: Redis): void {
  backend.readEvents = async (id) => (await client.xread('STREAMS', backend.toKey('events'), id)) as StreamReadRaw;
}
