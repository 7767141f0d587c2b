import { MARKER_BEGIN, MAX_MARKER, MESSAGE_HEAD, parseField, STACK_HEAD } from '../job-summary.ts';
import type { SummaryRecord } from '../store.ts';
import { JOB_STATE, stateSets, toDueAt } from './job-state-script.ts';
import type { RedisClient } from './redis-client.ts';

/**
 * KEYS: completed, failed, delayed, waiting-children, active, then the jobs. ARGV: the begin of a marker, its longest length, the
 * lengths of a stack's and of a message's head, then the ids. Gives state, score in the delayed set, name, timestamp, start, end,
 * attempts, worker, deferred failure, failure, head of the last stack, progress and marker of each job; an empty state for one
 * that is not there. A result, which may be megabytes, is not read.
 */
const LIST_SUMMARIES = `${JOB_STATE}
  local found = {}
  for at = 6, #KEYS do
    local key, id = KEYS[at], ARGV[at - 1]
    local job = readFields(key, 'name', 'timestamp', 'processedOn', 'finishedOn', 'atm', 'pb', 'defa', 'failedReason', 'progress')
    local state, due, stack, marker = '', '', '', ''
    if job[1] then
      state = stateOf(id)
      if state == 'delayed' then due = redis.call('ZSCORE', KEYS[3], id) end
      if state == 'completed' and redis.call('HSTRLEN', key, 'returnvalue') <= tonumber(ARGV[2]) then
        local value = redis.call('HGET', key, 'returnvalue') or ''
        if string.sub(value, 1, #ARGV[1]) == ARGV[1] then marker = value end
      end
      if job[8] and state ~= 'completed' then
        local read, stacks = pcall(cjson.decode, redis.call('HGET', key, 'stacktrace') or '[]')
        if read and type(stacks) == 'table' and type(stacks[#stacks]) == 'string' then
          stack = string.sub(stacks[#stacks], 1, tonumber(ARGV[3]))
        end
      end
    end
    local failure = string.sub(job[8] or '', 1, tonumber(ARGV[4]))
    found[#found + 1] = { state, due, job[1] or '', job[2] or '', job[3] or '', job[4] or '', job[5] or '', job[6] or '',
      job[7] or '', job[8] and 'y' .. failure or '', stack, job[9] or '', marker }
  end
  return found`;

/** @param base key prefix and queue: `bull:mail` */
export async function listSummaries(
  client: RedisClient,
  base: string,
  ids: readonly string[],
): Promise<(SummaryRecord | null)[]> {
  const keys = [...stateSets(base), ...ids.map((id) => `${base}:${id}`)];
  const bounds = [MARKER_BEGIN, MAX_MARKER, STACK_HEAD, MESSAGE_HEAD];
  const found = (await client.eval(LIST_SUMMARIES, keys.length, ...keys, ...bounds, ...ids)) as string[][];
  return found.map((fields) => {
    const [state = '', due = '', name = '', timestamp, processedOn = '', finishedOn = ''] = fields;
    const [attemptsMade = '', processedBy = '', deferredFailure = ''] = fields.slice(6);
    const [failure = '', stackHead = '', progress = '', marker = ''] = fields.slice(9);
    if (state === '') return null;
    return {
      state,
      dueAt: due === '' ? null : toDueAt(due),
      name,
      timestamp: Number(timestamp),
      attemptsMade: Number(attemptsMade),
      ...(processedOn !== '' && { processedOn: Number(processedOn) }),
      ...(finishedOn !== '' && { finishedOn: Number(finishedOn) }),
      ...(processedBy !== '' && { processedBy }),
      ...(deferredFailure !== '' && { deferredFailure }),
      ...(failure !== '' && { failedReason: failure.slice(1) }),
      ...(stackHead !== '' && { stackHead }),
      progress: parseField(progress),
      ...(marker !== '' && { returnvalue: marker }),
    };
  });
}
