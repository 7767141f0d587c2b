import type { JobRecord, RecordChild, RecordHold, RecordParent, RecordPlace } from '../../../core/job-record.ts';
import { parseTexts, readOnDead } from '../../record-values.ts';
import { toDueAt } from '../job-state-script.ts';
import type { RedisClient } from '../redis-client.ts';
import { BULK_SCRIPT, type BulkQueue, bulkKeys, JOBS_PER_CALL } from './bulk-script.ts';
import { decodeOptions, type StoredFields, splitKey } from './stored-fields.ts';

/** What one call reads at most, so that large jobs hold the server up no longer than small ones. */
const BYTES_PER_CALL = 1_000_000;

/**
 * KEYS: `bulkKeys`. ARGV: begin of the keys of jobs, bytes after which to stop, ids. Gives of each job, until that is reached, its place,
 * its score there, its fields and how long it holds its unique key (ms, -1 until it ends, nothing when it does not); and where it has them its log, pending, processed, ignored and failed children. Empty for one that is
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
      local unique
      for value = 2, #job, 2 do
        bytes = bytes + #job[value]
        if job[value - 1] == 'deid' then unique = base .. 'de:' .. job[value] end
      end
      record[4] = unique and call('GET', unique) == id and call('PTTL', unique) or ''
      local log, pending, done, ignored, failed =
        key .. ':logs', key .. ':dependencies', key .. ':processed', key .. ':failed', key .. ':unsuccessful'
      if call('EXISTS', log, pending, done, ignored, failed) > 0 then
        record[5], record[6], record[7] = call('LRANGE', log, 0, -1), call('SMEMBERS', pending), call('HGETALL', done)
        record[8], record[9] = call('HGETALL', ignored), call('ZRANGE', failed, 0, -1)
        for part = 5, 9 do for _, text in ipairs(record[part]) do bytes = bytes + #text end end
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
  holdLeftMs: number | '',
  log?: string[],
  pending?: string[],
  processed?: string[],
  ignored?: string[],
  failed?: string[],
];

export async function readRecords(
  client: RedisClient,
  target: BulkQueue,
  ids: readonly string[],
): Promise<JobRecord[]> {
  const base = `${target.prefix}:${target.queue}`;
  const keys = bulkKeys(base);
  const records: JobRecord[] = [];
  for (let at = 0; at < ids.length; ) {
    const asked = ids.slice(at, at + JOBS_PER_CALL);
    const found = await client.eval(READ_RECORDS, keys.length, ...keys, `${base}:`, BYTES_PER_CALL, ...asked);
    for (const [index, raw] of (found as (RawRecord | [])[]).entries()) {
      if (raw.length > 0) records.push(toRecord(raw as RawRecord, asked[index] as string, target));
    }
    at += (found as unknown[]).length;
  }
  return records;
}

function toRecord(
  [place, score, fields, holdLeftMs, log = [], pending = [], processed = [], ignored = [], failed = []]: RawRecord,
  id: string,
  { queue, prefix, now }: BulkQueue,
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
    stacks: parseTexts(job.stacktrace ?? null),
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
    ...(job.deid !== undefined && { hold: toHold(holdLeftMs, now) }),
  };
}

function toHold(leftMs: number | '', now: number): RecordHold | null {
  if (leftMs === '') return null;
  return { until: leftMs < 0 ? null : now + leftMs };
}

function toNumber(text: string | undefined): number | null {
  return text === undefined || text === '' ? null : Number(text);
}

function toPairs(flat: readonly string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, at) => [flat[2 * at] as string, flat[2 * at + 1] as string]);
}

function toParent(key: string | undefined, json: string | undefined, prefix: string): RecordParent | null {
  if (key === undefined || key === '') return null;
  let flags: Record<string, unknown> = {};
  try {
    flags = JSON.parse(json ?? '{}') as Record<string, unknown>;
  } catch {
    // Whoever wrote it, its key says who the parent is.
  }
  return { ...splitKey(key, prefix), onDead: readOnDead(flags ?? {}, 'field') };
}
