import { Cluster } from 'ioredis';
import { createError } from '../../../core/errors.ts';
import type { ScanPlace } from '../../bulk-port.ts';
import type { RedisClient } from '../redis-client.ts';
import { hashTagOf } from '../redis-event-log.ts';
import { BULK_SCRIPT, bulkKeys, highestNumber, TAKE_SCRIPT, takeAll } from './bulk-script.ts';

/**
 * KEYS: `bulkKeys` of both queues. ARGV: begin of the keys of jobs, places, where in the list to look (see `TAKE_SCRIPT`), begin of the keys
 * of jobs of the other queue, the highest id that is a number or nothing, ids. A job whose id is taken there stays too; a unique key that is
 * held there stays with its holder.
 */
const MOVE = `${BULK_SCRIPT}
  local target, isWoken = ARGV[4], false
  local function face(from)
    WAIT, PRIORITIZED, DELAYED, BLOCKED, DEAD, COMPLETED, ACTIVE, PAUSED, META, EVENTS, MARKER, COUNTER, SCHEDULES, IDS =
      unpack(KEYS, from, from + 13)
    longest = nil
  end
  local function holds(of, id, unique) return unique and call('GET', of .. 'de:' .. unique) == id end
  local function may(id, key, job)
    if job[4] or (job[2] and job[2] ~= '') or call('EXISTS', target .. id) == 1 then return false end
    return call('EXISTS', key .. ':dependencies', key .. ':processed', key .. ':failed', key .. ':unsuccessful') == 0
  end
  local function moveUnique(id, unique)
    local key = base .. 'de:' .. unique
    local leftMs = call('PTTL', key)
    call('DEL', key, base .. 'dn:' .. unique)
    if leftMs > 0 then call('SET', target .. 'de:' .. unique, id, 'NX', 'PX', leftMs)
    else call('SET', target .. 'de:' .. unique, id, 'NX') end
  end
  local function leave(id, key, job, previous, score)
    call('RENAME', key, target .. id)
    if call('EXISTS', key .. ':logs') == 1 then call('RENAME', key .. ':logs', target .. id .. ':logs') end
    if holds(base, id, job[3]) then moveUnique(id, job[3]) end
    emit('removed', 'jobId', id, 'prev', previous)
    face(15)
    if previous == 'delayed' then
      local dueAt = math.floor(score / 0x1000)
      schedule(id, dueAt)
      emit('delayed', 'jobId', id, 'delay', dueAt)
    elseif previous == 'failed' or previous == 'completed' or previous == 'waiting-children' then
      call('ZADD', previous == 'failed' and DEAD or previous == 'completed' and COMPLETED or BLOCKED, score, id)
    else
      queue(id, tonumber(job[5] or '') or 0)
      emit('waiting', 'jobId', id)
      isWoken = true
    end
    face(1)
  end
  ${TAKE_SCRIPT}
  local answer = take({ unpack(ARGV, 6) }, nil, true)
  face(15)
  if #answer[1] > 0 and ARGV[5] ~= '' and tonumber(ARGV[5]) > (tonumber(call('GET', IDS) or '') or 0) then
    call('SET', IDS, ARGV[5])
  end
  if isWoken then wake() end
  return answer`;

/**
 * Moves jobs to the end of another queue of this server, in the order in which they stand.
 *
 * @throws QUEUES_APART
 */
export async function moveJobs(
  client: RedisClient,
  { prefix, from, to }: { readonly prefix: string; readonly from: string; readonly to: string },
  ids: readonly string[],
  places: readonly ScanPlace[],
): Promise<string[]> {
  if (from === to) return [];
  const [source, target] = [`${prefix}:${from}`, `${prefix}:${to}`];
  if (client instanceof Cluster && hashTagOf(source) !== hashTagOf(target)) {
    throw createError('QUEUES_APART', { from, to, prefix });
  }
  const keys = [...bulkKeys(source), ...bulkKeys(target)];
  return takeAll(client, source, ids, async (some, near) => {
    const given = [`${source}:`, places.join(), near, `${target}:`, highestNumber(some), ...some];
    return (await client.eval(MOVE, keys.length, ...keys, ...given)) as [string[], string[]];
  });
}
