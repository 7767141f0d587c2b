import type { JobChange } from '../../bulk-port.ts';
import { encodePriority } from '../../stored-job.ts';
import type { RedisClient } from '../redis-client.ts';
import { BULK_SCRIPT, bulkKeys, TAKE_SCRIPT, type TakeCall, takeInSlices } from './bulk-script.ts';

/**
 * Changes jobs where they are. Only one that waits without a priority and gets one has to leave its place.
 *
 * KEYS: `bulkKeys`. ARGV: begin of the keys of jobs, `waiting`, where in the list to look (see `TAKE_SCRIPT`), now (epoch ms), then for each
 * job: id, 1 with new data, the data that it must have, the data, BullMQ's priority or nothing, due time (epoch ms) or nothing.
 */
const REWRITE = `${BULK_SCRIPT}
  local now, changes, order, done, moves = tonumber(ARGV[4]), {}, {}, {}, {}
  for at = 5, #ARGV, 6 do
    order[#order + 1] = ARGV[at]
    changes[ARGV[at]] = { hasData = ARGV[at + 1] == '1', seen = ARGV[at + 2], next = ARGV[at + 3],
      priority = ARGV[at + 4], dueAt = ARGV[at + 5] }
  end
  local function may(id, key)
    local change = changes[id]
    return not change.hasData or call('HGET', key, 'data') == change.seen
  end
  local function apply(id, key)
    local change = changes[id]
    if change.hasData then call('HSET', key, 'data', change.next) end
    if change.priority ~= '' then call('HSET', key, 'priority', change.priority) end
    if change.dueAt ~= '' then
      call('ZREM', DELAYED, id)
      call('HSET', key, 'delay', math.max(0, change.dueAt - now))
      schedule(id, tonumber(change.dueAt))
      emit('delayed', 'jobId', id, 'delay', change.dueAt)
    end
  end
  local function leave(id, key)
    queue(id, tonumber(changes[id].priority))
    apply(id, key)
  end
  ${TAKE_SCRIPT}
  local seen = {}
  for _, id in ipairs(order) do
    local key, change = base .. id, changes[id]
    local job = not seen[id] and readFields(key, 'name', 'priority') or {}
    seen[id] = true
    local set = setOf(id)
    local place = set and set[1] or not isRunning(id) and 'waiting'
    local isNew = change.priority ~= '' and tonumber(change.priority) ~= (tonumber(job[2] or '') or 0)
    if job[1] and place and place ~= 'completed' and (change.dueAt == '' or place == 'scheduled') and may(id, key) then
      if place == 'waiting' and isNew and not set then
        moves[#moves + 1] = id
      else
        if place == 'waiting' and isNew then queue(id, tonumber(change.priority)) end
        apply(id, key)
        done[#done + 1] = id
      end
    end
  end
  local taken, elsewhere = unpack(take(moves))
  for _, id in ipairs(taken) do done[#done + 1] = id end
  if #taken > 0 then wake() end
  return { done, elsewhere }`;

/**
 * @param base key prefix and queue: `bull:mail`
 * @param now epoch ms
 */
export async function rewriteJobs(
  client: RedisClient,
  base: string,
  changes: readonly JobChange[],
  now: number,
): Promise<string[]> {
  const keys = bulkKeys(base);
  const byId = new Map(changes.map((change) => [change.id, change]));
  const rewrite: TakeCall = async (ids, near) => {
    const given = ids.flatMap((id) => toArguments(byId.get(id) ?? { id }));
    const answer = await client.eval(REWRITE, keys.length, ...keys, `${base}:`, 'waiting', near, now, ...given);
    return answer as [string[], string[]];
  };
  return await takeInSlices(client, base, [...byId.keys()], rewrite);
}

function toArguments({ id, data, priority, dueAt }: JobChange): (string | number)[] {
  return [
    id,
    data === undefined ? 0 : 1,
    data?.seen ?? '',
    data?.next ?? '',
    priority === undefined ? '' : encodePriority(priority),
    dueAt ?? '',
  ];
}
