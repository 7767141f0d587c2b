import type { JobRecord, RecordChild, RecordParent, RecordPlace } from '../../../core/job-record.ts';
import { toDueAt } from '../job-state-script.ts';
import type { RedisClient } from '../redis-client.ts';
import { BULK_SCRIPT, bulkKeys } from './bulk-script.ts';
import { decodeOptions, type StoredFields, splitKey } from './stored-fields.ts';

/** What one call reads at most, so that large jobs hold the server up no longer than small ones. */
const BYTES_PER_CALL = 2_000_000;

/**
 * KEYS: `bulkKeys`. ARGV: begin of the keys of jobs, bytes after which to stop, ids. Gives of each job, until that is reached, its place,
 * its score there and its fields; and where it has them its log, pending, processed, ignored and failed children. Empty for one that is
 * not there.
 */
const READ_RECORDS = `${BULK_SCRIPT}
  local found, bytes, budget = {}, 0, tonumber(ARGV[2])
  for at = 3, #ARGV do
    local id = ARGV[at]
    local key = base .. id
    local job = redis.pcall('HGETALL', key)
    local record = {}
    if job[1] then
      local set, score = setOf(id)
      record = { set and set[1] or isRunning(id) and 'active' or 'waiting', score or '', job }
      for value = 2, #job, 2 do bytes = bytes + #job[value] end
      local log, pending, done, ignored, failed =
        key .. ':logs', key .. ':dependencies', key .. ':processed', key .. ':failed', key .. ':unsuccessful'
      if call('EXISTS', log, pending, done, ignored, failed) > 0 then
        record[4], record[5], record[6] = call('LRANGE', log, 0, -1), call('SMEMBERS', pending), call('HGETALL', done)
        record[7], record[8] = call('HGETALL', ignored), call('ZRANGE', failed, 0, -1)
        for part = 4, 8 do for _, text in ipairs(record[part]) do bytes = bytes + #text end end
      end
    end
    found[#found + 1] = record
    if bytes > budget then break end
  end
  return found`;

type RawRecord = [
  place: RecordPlace,
  score: string,
  fields: string[],
  log?: string[],
  pending?: string[],
  processed?: string[],
  ignored?: string[],
  failed?: string[],
];

/** @param prefix BullMQ's key prefix */
export async function readRecords(
  client: RedisClient,
  prefix: string,
  queue: string,
  ids: readonly string[],
): Promise<JobRecord[]> {
  const base = `${prefix}:${queue}`;
  const keys = bulkKeys(base);
  const records: JobRecord[] = [];
  for (let at = 0; at < ids.length; ) {
    const rest = ids.slice(at);
    const found = (await client.eval(READ_RECORDS, keys.length, ...keys, `${base}:`, BYTES_PER_CALL, ...rest)) as (
      | RawRecord
      | []
    )[];
    for (const [index, raw] of found.entries()) {
      if (raw.length > 0) records.push(toRecord(raw as RawRecord, { id: rest[index] as string, queue, prefix }));
    }
    at += found.length;
  }
  return records;
}

function toRecord(
  [place, score, fields, log = [], pending = [], processed = [], ignored = [], failed = []]: RawRecord,
  { id, queue, prefix }: { id: string; queue: string; prefix: string },
): JobRecord {
  const job: StoredFields = {};
  for (let at = 0; at < fields.length; at += 2) job[fields[at] as keyof StoredFields] = fields[at + 1] as string;
  const child = (key: string, end: RecordChild['end'], value: string | null): RecordChild => ({
    ...splitKey(key, prefix),
    end,
    value,
  });
  return {
    id,
    task: job.name ?? '',
    queue,
    place,
    data: job.data ?? '{}',
    options: decodeOptions(job.opts ?? '{}'),
    priority: Number(job.priority ?? 0),
    createdAt: Number(job.timestamp),
    delayMs: Number(job.delay ?? 0),
    dueAt: place === 'scheduled' ? toDueAt(score) : null,
    attemptsMade: Number(job.atm ?? 0),
    attemptsStarted: Number(job.ats ?? 0),
    workersLost: Number(job.stc ?? 0),
    startedAt: toNumber(job.processedOn),
    finishedAt: toNumber(job.finishedOn),
    worker: job.pb ?? null,
    failure: job.failedReason ?? null,
    stacks: parseStacks(job.stacktrace),
    result: job.returnvalue ?? null,
    progress: job.progress ?? null,
    deferredFailure: job.defa ?? null,
    unique: job.deid ?? null,
    schedulerId: job.rjk ?? null,
    parent: toParent(job.parentKey, job.parent, prefix),
    children: [
      ...pending.map((key) => child(key, 'pending', null)),
      ...toPairs(processed).map(([key, value]) => child(key, 'done', value)),
      ...toPairs(ignored).map(([key, value]) => child(key, 'ignored', value)),
      ...failed.map((key) => child(key, 'failed', null)),
    ],
    log,
  };
}

function toNumber(text: string | undefined): number | null {
  return text === undefined || text === '' ? null : Number(text);
}

function toPairs(flat: readonly string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, at) => [flat[2 * at] as string, flat[2 * at + 1] as string]);
}

function parseStacks(text: string | undefined): string[] {
  if (text === undefined) return [];
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.filter((stack): stack is string => typeof stack === 'string') : [];
  } catch {
    return [];
  }
}

/** BullMQ's flags of a child, as `RecordParent.onDead` calls them. */
const ON_DEAD = [
  ['fpof', 'fail'],
  ['cpof', 'start'],
  ['idof', 'wait'],
  ['rdof', 'remove'],
] as const;

function toParent(key: string | undefined, json: string | undefined, prefix: string): RecordParent | null {
  if (key === undefined || key === '') return null;
  let flags: Record<string, unknown> = {};
  try {
    flags = JSON.parse(json ?? '{}') as Record<string, unknown>;
  } catch {
    // Whoever wrote it, its key says who the parent is.
  }
  const [, onDead = null] = ON_DEAD.find(([flag]) => flags?.[flag] === true) ?? [];
  return { ...splitKey(key, prefix), onDead };
}
