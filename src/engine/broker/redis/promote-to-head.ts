import type { RedisClient } from './redis-client.ts';

/**
 * BullMQ's `promote` for many jobs, which puts them at the head instead of at the end. The head of the list is its right end;
 * of a priority it is the score without an arrival number, where jobs stand in the order of their ids.
 *
 * KEYS: delayed, wait, prioritized, meta, active, events, marker. ARGV: begin of the jobs' keys, then ids, the first to go first.
 * Gives the ids that were delayed.
 */
const PROMOTE_TO_HEAD = `
  local moved = {}
  for index = #ARGV, 2, -1 do
    local id = ARGV[index]
    if redis.call('ZREM', KEYS[1], id) == 1 then
      local job = ARGV[1] .. id
      local priority = tonumber(redis.call('HGET', job, 'priority')) or 0
      if priority == 0 then redis.call('RPUSH', KEYS[2], id)
      else redis.call('ZADD', KEYS[3], priority * 0x100000000, id) end
      redis.call('HSET', job, 'delay', 0)
      redis.call('XADD', KEYS[6], '*', 'event', 'waiting', 'jobId', id, 'prev', 'delayed')
      moved[#moved + 1] = id
    end
  end
  if #moved == 0 then return moved end
  local queue = redis.call('HMGET', KEYS[4], 'paused', 'concurrency')
  local maxed = queue[2] and redis.call('LLEN', KEYS[5]) >= tonumber(queue[2])
  if not queue[1] and not maxed then redis.call('ZADD', KEYS[7], 0, '0') end
  return moved`;

export async function promoteToHead(client: RedisClient, base: string, ids: readonly string[]): Promise<string[]> {
  const keys = ['delayed', 'wait', 'prioritized', 'meta', 'active', 'events', 'marker'].map((key) => `${base}:${key}`);
  return (await client.eval(PROMOTE_TO_HEAD, keys.length, ...keys, `${base}:`, ...ids)) as string[];
}
