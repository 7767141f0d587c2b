import { inBatches } from '../../../core/batches.ts';
import type { DeadJob } from '../../bulk-port.ts';
import type { RedisClient } from '../redis-client.ts';
import { BULK_SCRIPT, bulkKeys, JOBS_PER_CALL } from './bulk-script.ts';

/**
 * KEYS: `bulkKeys`. ARGV: begin of the keys of jobs, then for each job: id, when it is known to have died (or nothing), 1 with new data, the
 * data, 1 with a note, the note. Gives the ids that went back. What BullMQ's reprocessJob leaves of an earlier run is forgotten too.
 */
const REPROCESS = `${BULK_SCRIPT}
  local function rejoinParent(key)
    local parent = call('HGET', key, 'parentKey')
    if not parent or parent == '' or call('EXISTS', parent) == 0 then return end
    if call('ZREM', parent .. ':unsuccessful', key) == 1 or call('HDEL', parent .. ':failed', key) == 1 then
      call('SADD', parent .. ':dependencies', key)
    end
  end
  local done = {}
  for at = 2, #ARGV, 6 do
    local id, diedAt = ARGV[at], ARGV[at + 1]
    local key = base .. id
    local job = call('ZSCORE', DEAD, id) and readFields(key, 'name', 'finishedOn', 'priority') or {}
    if job[1] and (diedAt == '' or tonumber(job[2] or '') == tonumber(diedAt)) then
      call('ZREM', DEAD, id)
      call('HDEL', key, 'finishedOn', 'processedOn', 'failedReason', 'atm', 'ats', 'stc', 'defa')
      if ARGV[at + 2] == '1' then call('HSET', key, 'data', ARGV[at + 3]) end
      if ARGV[at + 4] == '1' then call('RPUSH', key .. ':logs', ARGV[at + 5]) end
      queue(id, tonumber(job[3] or '') or 0)
      rejoinParent(key)
      emit('waiting', 'jobId', id, 'prev', 'failed')
      done[#done + 1] = id
    end
  end
  if #done > 0 then wake() end
  return done`;

/** KEYS: `bulkKeys`. ARGV: begin of the keys of jobs, ids. Gives those that were scheduled. */
const PROMOTE = `${BULK_SCRIPT}
  local done = {}
  for at = 2, #ARGV do
    local id = ARGV[at]
    if call('ZREM', DELAYED, id) == 1 then
      queue(id, tonumber(call('HGET', base .. id, 'priority') or '') or 0)
      call('HSET', base .. id, 'delay', 0)
      emit('waiting', 'jobId', id, 'prev', 'delayed')
      done[#done + 1] = id
    end
  end
  if #done > 0 then wake() end
  return done`;

/** Puts dead letters at the end of those that wait, in this order. @param base key prefix and queue: `bull:mail` */
export async function reprocessJobs(client: RedisClient, base: string, jobs: readonly DeadJob[]): Promise<string[]> {
  const keys = bulkKeys(base);
  return await inBatches(jobs, JOBS_PER_CALL, async (slice) => {
    const given = slice.flatMap(({ id, finishedAt, data, note }) => [
      id,
      finishedAt ?? '',
      data === undefined ? 0 : 1,
      data ?? '',
      note === undefined ? 0 : 1,
      note ?? '',
    ]);
    return (await client.eval(REPROCESS, keys.length, ...keys, `${base}:`, ...given)) as string[];
  });
}

export async function promoteJobs(client: RedisClient, base: string, ids: readonly string[]): Promise<string[]> {
  const keys = bulkKeys(base);
  const promote = async (slice: readonly string[]): Promise<string[]> =>
    (await client.eval(PROMOTE, keys.length, ...keys, `${base}:`, ...slice)) as string[];
  return await inBatches(ids, JOBS_PER_CALL, promote);
}
