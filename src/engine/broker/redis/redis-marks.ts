import { MARK_PREFIX } from '../../core/revocation.ts';
import type { MarkRecord } from '../store.ts';
import { JOB_STATE, stateSets } from './job-state-script.ts';
import type { RedisClient } from './redis-client.ts';

/**
 * KEYS: completed, failed, delayed, waiting-children, active, then the jobs. ARGV: '' or the mark, the begin of every mark,
 * then the ids. Gives name, state, attempts, worker, deferred failure, scheduler and deduplication id of each job, all
 * empty for one that is not there.
 */
const LIST_MARKS = `${JOB_STATE}
  local found = {}
  for at = 6, #KEYS do
    local key, id = KEYS[at], ARGV[at - 3]
    local job = readFields(key, 'name', 'atm', 'pb', 'defa', 'rjk', 'deid')
    local state = ''
    if job[1] then
      state = stateOf(id)
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
  const keys = [...stateSets(base), ...ids.map((id) => `${base}:${id}`)];
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
