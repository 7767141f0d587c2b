import type { ScanPlace } from '../../bulk-port.ts';
import type { RedisClient } from '../redis-client.ts';
import {
  BULK_SCRIPT,
  bulkKeys,
  JOBS_PER_CALL,
  TAKE_SCRIPT,
  type TakeCall,
  takeAll,
  takeInSlices,
} from './bulk-script.ts';

/**
 * What BullMQ's removal does besides: the parent goes on without the job, the unique key is free, all keys of the job are gone. Where it takes
 * the children along, this leaves a job alone that waits for a child which is not removed with it: nobody has named the child.
 */
const REMOVE = `${BULK_SCRIPT}
  local function may(id, key, job) return not endsSchedule(id, job[4]) end
  local function leaveParent(key, parent)
    if call('EXISTS', parent) == 0 or call('SREM', parent .. ':dependencies', key) == 0 then return end
    if call('SCARD', parent .. ':dependencies') > 0 then return end
    local id = string.match(parent, '.*:(.*)')
    local of = string.sub(parent, 1, #parent - #id)
    if call('ZREM', of .. 'waiting-children', id) == 0 then return end
    call('RPUSH', of .. 'wait', id)
    if not isHeldBack(of .. 'meta', of .. 'active') then call('ZADD', of .. 'marker', 0, '0') end
    call('XADD', of .. 'events', '*', 'event', 'waiting', 'jobId', id, 'prev', 'waiting-children')
  end
  local function leave(id, key, job, previous)
    if job[2] and job[2] ~= '' then leaveParent(key, job[2]) end
    if job[3] and call('GET', base .. 'de:' .. job[3]) == id then
      call('DEL', base .. 'de:' .. job[3], base .. 'dn:' .. job[3])
    end
    call('UNLINK', key, key .. ':logs', key .. ':dependencies', key .. ':processed', key .. ':failed', key .. ':unsuccessful')
    emit('removed', 'jobId', id, 'prev', previous)
  end
  -- More children than a page has jobs are not all in the page; how many of them are left is then not looked at.
  local function listChildren(key)
    local there, count = {}, call('SCARD', key .. ':dependencies')
    if count == 0 then return end
    if count > 5000 then return { '' } end
    for _, child in ipairs(call('SMEMBERS', key .. ':dependencies')) do
      if call('EXISTS', child) == 1 then there[#there + 1] = child end
    end
    return there
  end
  ${TAKE_SCRIPT}
  return take({ unpack(ARGV, 4) }, listChildren)`;

/** @param base key prefix and queue: `bull:mail` */
export async function removeJobs(
  client: RedisClient,
  base: string,
  ids: readonly string[],
  from: readonly ScanPlace[],
): Promise<string[]> {
  const keys = bulkKeys(base);
  const take: TakeCall = async (some, near) => {
    const answer = await client.eval(REMOVE, keys.length, ...keys, `${base}:`, from.join(), near, ...some);
    return answer as [string[], string[]];
  };
  // A blocked job goes with those that it waits for, or it would run when they have gone.
  if (from.includes('blocked')) return await takeAll(client, base, ids, take);
  const removed = new Set(await takeInSlices(client, base, ids, take));
  // One that still counts a job of a later call among its children was left alone.
  const left = ids.length > JOBS_PER_CALL ? ids.filter((id) => !removed.has(id)) : [];
  for (const id of await takeAll(client, base, left, take)) removed.add(id);
  return ids.filter((id) => removed.delete(id));
}
