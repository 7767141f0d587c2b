import type { JobJson } from 'bullmq';
import { parseField } from '../job-summary.ts';
import type { WholeRecord } from '../store.ts';
import { JOB_STATE, stateSets, toDueAt } from './job-state-script.ts';
import type { RedisClient } from './redis-client.ts';

/** What is read of a job: the names that BullMQ has for the fields of its hash. */
const FIELDS = [
  ...['name', 'data', 'returnvalue', 'stacktrace', 'progress', 'priority', 'timestamp', 'processedOn', 'finishedOn'],
  ...['atm', 'attemptsMade', 'ats', 'stc', 'pb', 'failedReason', 'defa', 'deid', 'rjk'],
] as const;

/**
 * KEYS: completed, failed, delayed, waiting-children, active, then the jobs. ARGV: how many bytes of data and results, then the ids.
 * Gives of each job its state, its score in the delayed set and its fields, those that are not there as nothing; an empty state for a job
 * that is not there. Ends before the job that would be too much, unless it is the first.
 */
const READ_WHOLE = `${JOB_STATE}
  local found = {}
  local bytes = 0
  for at = 6, #KEYS do
    local job = readFields(KEYS[at], ${FIELDS.map((field) => `'${field}'`).join()})
    bytes = bytes + #(job[2] or '') + #(job[3] or '')
    if bytes > tonumber(ARGV[1]) and #found > 0 then break end
    local state, due = '', ''
    if job[1] then
      state = stateOf(ARGV[at - 4])
      if state == 'delayed' then due = redis.call('ZSCORE', KEYS[3], ARGV[at - 4]) end
    end
    found[#found + 1] = { state, due, unpack(job, 1, ${FIELDS.length}) }
  end
  return found`;

/**
 * @param base key prefix and queue: `bull:mail`
 * @returns as many of the jobs, from the first on, as hold `maxBytes`, at least one; null for one that is not there
 */
export async function readWhole(
  client: RedisClient,
  base: string,
  ids: readonly string[],
  maxBytes: number,
): Promise<(WholeRecord | null)[]> {
  const keys = [...stateSets(base), ...ids.map((id) => `${base}:${id}`)];
  const found = (await client.eval(READ_WHOLE, keys.length, ...keys, maxBytes, ...ids)) as (string | null)[][];
  return found.map(([state, due, ...values], index) => {
    if (!state) return null;
    const raw = Object.fromEntries(FIELDS.map((field, at) => [field, values[at] ?? undefined]));
    return { json: toJson(raw, ids[index] as string), state, dueAt: due ? toDueAt(due) : null };
  });
}

function toJson(raw: Readonly<Record<string, string | undefined>>, id: string): JobJson {
  const number = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
  const json: { [Field in keyof JobJson]: JobJson[Field] | undefined } = {
    id,
    name: raw['name'],
    data: raw['data'] ?? '{}',
    opts: {},
    progress: (parseField(raw['progress']) ?? 0) as JobJson['progress'],
    priority: number(raw['priority']),
    timestamp: Number(raw['timestamp']),
    attemptsMade: number(raw['attemptsMade'] ?? raw['atm']) ?? 0,
    attemptsStarted: number(raw['ats']) ?? 0,
    stalledCounter: number(raw['stc']) ?? 0,
    processedOn: number(raw['processedOn']),
    finishedOn: number(raw['finishedOn']),
    processedBy: raw['pb'],
    failedReason: raw['failedReason'],
    deferredFailure: raw['defa'],
    deduplicationId: raw['deid'],
    repeatJobKey: raw['rjk'],
    stacktrace: raw['stacktrace'],
    returnvalue: raw['returnvalue'],
  };
  return json as JobJson;
}
