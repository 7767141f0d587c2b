import { MARK_PREFIX } from '../../core/revocation.ts';
import type { MarkRecord } from '../store.ts';
import type { RedisClient } from './redis-client.ts';

/**
 * KEYS: completed, failed, delayed, waiting-children, active, then the jobs. ARGV: '' or the mark, the begin of every mark,
 * then the ids. Gives name, state, attempts, worker, deferred failure, scheduler and deduplication id of each job, all
 * empty for one that is not there.
 *
 * A key that is no hash with a name is another key of the queue, which an id may look like.
 */
const LIST_MARKS = `
  local active
  local found = {}
  for at = 6, #KEYS do
    local key, id = KEYS[at], ARGV[at - 3]
    local job = {}
    if redis.call('TYPE', key).ok == 'hash' then
      job = redis.call('HMGET', key, 'name', 'atm', 'pb', 'defa', 'rjk', 'deid')
    end
    local state = ''
    if job[1] then
      if active == nil then
        active = {}
        for _, taken in ipairs(redis.call('LRANGE', KEYS[5], 0, -1)) do active[taken] = true end
      end
      if redis.call('ZSCORE', KEYS[1], id) then state = 'completed'
      elseif redis.call('ZSCORE', KEYS[2], id) then state = 'failed'
      elseif redis.call('ZSCORE', KEYS[3], id) then state = 'delayed'
      elseif redis.call('ZSCORE', KEYS[4], id) then state = 'waiting-children'
      elseif active[id] then state = 'active'
      else state = 'waiting' end
      local isMarked = job[4] and string.sub(job[4], 1, #ARGV[2]) == ARGV[2]
      if ARGV[1] ~= '' and state ~= 'completed' and state ~= 'failed' and not isMarked then
        redis.call('HSET', key, 'defa', ARGV[1])
        job[4] = ARGV[1]
      end
    end
    found[#found + 1] = { job[1] or '', state, job[2] or '0', job[3] or '', job[4] or '', job[5] or '', job[6] or '' }
  end
  return found`;

/** @param base key prefix and queue: `bull:mail` */
export async function listMarks(
  client: RedisClient,
  base: string,
  ids: readonly string[],
  mark = '',
): Promise<(MarkRecord | null)[]> {
  const sets = ['completed', 'failed', 'delayed', 'waiting-children', 'active'].map((set) => `${base}:${set}`);
  const keys = [...sets, ...ids.map((id) => `${base}:${id}`)];
  const found = await client.eval(LIST_MARKS, keys.length, ...keys, mark, MARK_PREFIX, ...ids);
  return (found as string[][]).map(
    ([
      name = '',
      state = '',
      attemptsMade,
      processedBy = '',
      deferredFailure = '',
      schedulerId = '',
      deduplicationId = '',
    ]) =>
      state === ''
        ? null
        : {
            name,
            state,
            attemptsMade: Number(attemptsMade),
            processedBy: processedBy === '' ? null : processedBy,
            deferredFailure: deferredFailure === '' ? null : deferredFailure,
            schedulerId: schedulerId === '' ? null : schedulerId,
            deduplicationId: deduplicationId === '' ? null : deduplicationId,
          },
  );
}
