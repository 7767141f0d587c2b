import { FRAMES_HEAD, MARKER_BEGIN, MAX_MARKER, MESSAGE_HEAD, parseField, STACK_HEAD } from '../job-summary.ts';
import type { SummaryRecord } from '../store.ts';
import { JOB_STATE, stateSets, toDueAt } from './job-state-script.ts';
import type { RedisClient } from './redis-client.ts';

/**
 * KEYS: completed, failed, delayed, waiting-children, active, then the jobs. ARGV: the begin of a marker, its longest length, the
 * lengths of the heads of a stack, of its frames and of a message, then the ids. Gives state, score in the delayed set, name,
 * timestamp, start, end, attempts, worker, deferred failure, failure, head of the last stack, that of its frames, progress and marker
 * of each job; an empty state for one that is not there. A result, which may be megabytes, is not read.
 *
 * The stacks are a JSON array of texts, as JavaScript or Python writes it. Only the last one is wanted, so it is cut out of the text and
 * the array is not decoded: a quote within a text has a backslash before it.
 */
const LIST_SUMMARIES = `${JOB_STATE}
  local function findLast(text, part)
    local last, at = nil, string.find(text, part, 1, true)
    while at do
      last = at + #part
      at = string.find(text, part, at + 1, true)
    end
    return last
  end
  local function findFrames(stack)
    local at = string.find(stack, '\\\\n    at ', 1, true)
    while at do
      local escapes = string.byte(stack, at - 1) == 92 and #string.match(string.sub(stack, 1, at - 1), '\\\\*$') or 0
      if escapes % 2 == 0 then return at end
      at = string.find(stack, '\\\\n    at ', at + 1, true)
    end
  end
  local found = {}
  for at = 6, #KEYS do
    local key, id = KEYS[at], ARGV[at]
    local job = readFields(key, 'name', 'timestamp', 'processedOn', 'finishedOn', 'atm', 'pb', 'defa', 'failedReason', 'progress')
    local state, due, stack, frames, marker = '', '', '', '', ''
    if job[1] then
      state = stateOf(id)
      if state == 'delayed' then due = redis.call('ZSCORE', KEYS[3], id) end
      if state == 'completed' and redis.call('HSTRLEN', key, 'returnvalue') <= tonumber(ARGV[2]) then
        local value = redis.call('HGET', key, 'returnvalue') or ''
        if string.sub(value, 1, #ARGV[1]) == ARGV[1] then marker = value end
      end
      if job[8] and state ~= 'completed' then
        local stacks = redis.call('HGET', key, 'stacktrace') or ''
        if string.sub(stacks, 1, 2) == '["' and string.sub(stacks, -2) == '"]' then
          stack = string.sub(stacks, 1, -3)
          stack = string.sub(stack, findLast(stack, '","') or findLast(stack, '", "') or 3)
        end
        local begin = findFrames(stack)
        if begin then frames = string.sub(stack, begin, begin + tonumber(ARGV[4])) end
        stack = string.sub(stack, 1, math.min(begin and begin - 1 or #stack, tonumber(ARGV[3])))
      end
    end
    local failure = string.sub(job[8] or '', 1, tonumber(ARGV[5]))
    found[#found + 1] = { state, due, job[1] or '', job[2] or '', job[3] or '', job[4] or '', job[5] or '', job[6] or '',
      job[7] or '', job[8] and 'y' .. failure or '', stack, frames, job[9] or '', marker }
  end
  return found`;

/** A character of UTF-16 is at most so many bytes. */
const MOST_BYTES = 3;

/** The begin of a text of JSON, without its quotes; an escape that the cut falls into is left out. */
function readCut(text: string): string {
  const whole = text.replace(/(?<=(?:^|[^\\])(?:\\\\)*)\\(?:u[\da-f]{0,3})?$/i, '');
  const read = parseField(`"${whole}"`);
  return typeof read === 'string' ? read : '';
}

/** @param base key prefix and queue: `bull:mail` */
export async function listSummaries(
  client: RedisClient,
  base: string,
  ids: readonly string[],
): Promise<(SummaryRecord | null)[]> {
  const keys = [...stateSets(base), ...ids.map((id) => `${base}:${id}`)];
  const bounds = [MARKER_BEGIN, MAX_MARKER, STACK_HEAD, FRAMES_HEAD * MOST_BYTES, MESSAGE_HEAD];
  const found = (await client.eval(LIST_SUMMARIES, keys.length, ...keys, ...bounds, ...ids)) as string[][];
  return found.map((fields) => {
    const [state = '', due = '', name = '', timestamp, processedOn = '', finishedOn = ''] = fields;
    const [attemptsMade = '', processedBy = '', deferredFailure = ''] = fields.slice(6);
    const [failure = '', stack = '', frames = '', progress = '', marker = ''] = fields.slice(9);
    const stackHead = readCut(stack) + readCut(frames);
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
