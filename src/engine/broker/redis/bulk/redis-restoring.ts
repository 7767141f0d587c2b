import type { JobRecord } from '../../../core/job-record.ts';
import { parseMark } from '../../../core/revocation.ts';
import type { Restored } from '../../bulk-port.ts';
import type { RedisClient } from '../redis-client.ts';
import { BULK_SCRIPT, bulkKeys, highestNumber } from './bulk-script.ts';
import { PLACING_SCRIPT } from './placing-script.ts';
import { encodeOptions } from './stored-fields.ts';

/**
 * KEYS: `bulkKeys`. ARGV: begin of the keys of jobs, now (epoch ms), the highest id that is a number or nothing, then for each job: id,
 * place, score there, creation time, priority, how long its unique key is held (empty: not, 0: until it ends, or ms), the key; its own
 * key's parent, begin of the keys of that queue, the parent's id; and three lists, each after its length: fields with values, log rows,
 * children (key, begin of the keys of its queue, id, end, value).
 *
 * Gives a letter for each job: r restored, p present, g its parent has gone on, l left for the next call.
 */
const RESTORE = `${BULK_SCRIPT} ${PLACING_SCRIPT}
  local now = tonumber(ARGV[2])
  local jobs, at = {}, 4
  local function list()
    local first, count = at + 1, tonumber(ARGV[at])
    at = first + count
    return { first = first, last = at - 1 }
  end
  while at <= #ARGV do
    local job = { id = ARGV[at], place = ARGV[at + 1], score = ARGV[at + 2], time = tonumber(ARGV[at + 3]),
      priority = tonumber(ARGV[at + 4]), hold = ARGV[at + 5], unique = ARGV[at + 6], parent = ARGV[at + 7],
      parentBase = ARGV[at + 8], parentId = ARGV[at + 9] }
    at = at + 10
    job.key, job.fields, job.log, job.children = base .. job.id, list(), list(), list()
    job.isOpen = job.place ~= 'dead' and job.place ~= 'completed'
    jobs[#jobs + 1] = job
  end

  local function isWaitedFor(job)
    return call('EXISTS', job.parent) == 0 or call('ZSCORE', job.parentBase .. 'waiting-children', job.parentId)
      or call('SISMEMBER', job.parent .. ':dependencies', job.key) == 1
  end
  local line, seen = {}, {}
  for _, job in ipairs(jobs) do
    if seen[job.id] or call('EXISTS', job.key) == 1 then job.answer = 'p'
    elseif job.isOpen and job.parent ~= '' and not isWaitedFor(job) then job.answer = 'g'
    else
      job.answer, seen[job.id] = 'r', true
      if job.place == 'waiting' then line[#line + 1] = job end
    end
  end
  placeInLine(line)

  local function holdUnique(job)
    local key = base .. 'de:' .. job.unique
    local holder = call('GET', key)
    if holder and (call('PTTL', key) ~= -1 or call('EXISTS', base .. holder) == 1) then return end
    if job.hold == '0' then call('SET', key, job.id) else call('SET', key, job.id, 'PX', job.hold) end
  end
  local goesOn = {}
  -- A child that has ended while its parent was away counts as it would have.
  local function takeUpChild(job, child, childBase, childId, ended, value)
    if ended == 'done' then call('HSET', job.key .. ':processed', child, value)
    elseif ended == 'ignored' then call('HSET', job.key .. ':failed', child, value)
    elseif ended == 'failed' then call('ZADD', job.key .. ':unsuccessful', now, child)
    elseif call('ZSCORE', childBase .. 'completed', childId) then
      call('HSET', job.key .. ':processed', child, call('HGET', child, 'returnvalue') or 'null')
    else
      local dead = call('ZSCORE', childBase .. 'failed', childId)
      local flags = dead and call('HGET', child, 'parent')
      local read, link = pcall(cjson.decode, flags or '{}')
      if not read or type(link) ~= 'table' then link = {} end
      if link.fpof then
        call('ZADD', job.key .. ':unsuccessful', dead, child)
        call('HSET', job.key, 'defa', 'child ' .. child .. ' failed')
        goesOn[job] = true
      elseif link.cpof or link.idof then
        call('HSET', job.key .. ':failed', child, call('HGET', child, 'failedReason') or '')
        goesOn[job] = goesOn[job] or link.cpof
      elseif not link.rdof then call('SADD', job.key .. ':dependencies', child)
      end
    end
  end
  local wakes, answers = false, {}
  for _, job in ipairs(jobs) do
    if job.answer == 'r' and not job.later then
      call('HSET', job.key, unpack(ARGV, job.fields.first, job.fields.last))
      for row = job.log.first, job.log.last do call('RPUSH', job.key .. ':logs', ARGV[row]) end
      for child = job.children.first, job.children.last, 5 do takeUpChild(job, unpack(ARGV, child, child + 4)) end
      if job.place == 'waiting' then
        wakes = true
        emit('waiting', 'jobId', job.id)
      elseif job.place == 'scheduled' then
        schedule(job.id, tonumber(job.score))
        emit('delayed', 'jobId', job.id, 'delay', job.score)
      else
        call('ZADD', job.place == 'dead' and DEAD or job.place == 'completed' and COMPLETED or BLOCKED, job.score, job.id)
        if job.place == 'blocked' then emit('waiting-children', 'jobId', job.id) end
      end
      if job.isOpen and job.parent ~= '' and call('EXISTS', job.parent) == 1 then
        call('HDEL', job.parent .. ':processed', job.key)
        call('HDEL', job.parent .. ':failed', job.key)
        call('ZREM', job.parent .. ':unsuccessful', job.key)
        call('SADD', job.parent .. ':dependencies', job.key)
      end
      if job.hold ~= '' then holdUnique(job) end
    end
    answers[#answers + 1] = job.later and 'l' or job.answer
  end
  -- A blocked job whose children have all ended is one that waits; the last of them may stand in this page too.
  for _, job in ipairs(jobs) do
    local isBlocked = job.answer == 'r' and job.place == 'blocked'
    if isBlocked and (goesOn[job] or call('SCARD', job.key .. ':dependencies') == 0) then
      call('ZREM', BLOCKED, job.id)
      local delay = tonumber(call('HGET', job.key, 'delay')) or 0
      if delay > 0 then
        schedule(job.id, now + delay)
        emit('delayed', 'jobId', job.id, 'delay', now + delay)
      else
        if job.priority == 0 then call('RPUSH', WAIT, job.id) else queue(job.id, job.priority) end
        emit('waiting', 'jobId', job.id, 'prev', 'waiting-children')
        wakes = true
      end
    end
  end
  -- The next job without an id of its own is to get a free one.
  if ARGV[3] ~= '' and tonumber(ARGV[3]) > (tonumber(call('GET', IDS) or '') or 0) then call('SET', IDS, ARGV[3]) end
  if wakes then wake() end
  return answers`;

/** What one call carries at most; a single larger job goes alone. */
const BYTES_PER_CALL = 2_000_000;
const JOBS_PER_CALL = 500;

export interface RestoringQueue {
  readonly queue: string;
  /** BullMQ's key prefix. */
  readonly prefix: string;
  /** Epoch ms. */
  readonly now: number;
}

/**
 * Those that wait go into their order by the time of their creation, those of the same time in the order in which they are given.
 *
 * @returns for each record what became of it, in the order of the records
 */
export async function restoreJobs(
  client: RedisClient,
  target: RestoringQueue,
  records: readonly JobRecord[],
): Promise<Restored[]> {
  const keys = bulkKeys(`${target.prefix}:${target.queue}`);
  const answers = new Map<JobRecord, Restored>();
  let left = records.toSorted((a, b) => a.createdAt - b.createdAt);
  while (left.length > 0) {
    const page = nextPage(left);
    const given = [`${target.prefix}:${target.queue}:`, target.now, highestNumber(page.map(({ id }) => id))];
    const jobs = page.flatMap((record) => toArguments(record, target));
    const letters = (await client.eval(RESTORE, keys.length, ...keys, ...given, ...jobs)) as string[];
    const later: JobRecord[] = [];
    for (const [index, record] of page.entries()) {
      if (letters[index] === 'l') later.push(record);
      else answers.set(record, toRestored(record, letters[index]));
    }
    left = [...later, ...left.slice(page.length)];
  }
  return records.map((record) => answers.get(record) ?? { id: record.id, kind: 'present' });
}

function nextPage(records: readonly JobRecord[]): JobRecord[] {
  let bytes = 0;
  const over = records.findIndex((record, index) => {
    bytes += record.data.length + (record.result?.length ?? 0);
    for (const row of record.log) bytes += row.length;
    return index > 0 && (bytes > BYTES_PER_CALL || index >= JOBS_PER_CALL);
  });
  return over === -1 ? [...records] : records.slice(0, over);
}

function toRestored(record: JobRecord, letter: string | undefined): Restored {
  const { id, parent } = record;
  if (letter === 'r') return { id, kind: 'restored' };
  if (letter === 'p') return { id, kind: 'present' };
  const reason = `its parent, job ${parent?.id} of queue "${parent?.queue}", has gone on without it`;
  return { id, kind: 'refused', reason };
}

function toArguments(record: JobRecord, { prefix, now }: RestoringQueue): (string | number)[] {
  const { id, createdAt, priority, parent, children, log, unique } = record;
  const place = record.place === 'active' ? 'waiting' : record.place;
  const fields = toFields(record, prefix);
  const parentBase = parent === null ? '' : `${prefix}:${parent.queue}:`;
  const family = children.flatMap((child) => {
    const base = `${prefix}:${child.queue}:`;
    return [`${base}${child.id}`, base, child.id, child.end, child.value ?? ''];
  });
  return [
    id,
    place,
    toScore(record),
    createdAt,
    priority,
    toHold(record, now),
    unique ?? '',
    parent === null ? '' : `${parentBase}${parent.id}`,
    parentBase,
    parent?.id ?? '',
    fields.length,
    ...fields,
    log.length,
    ...log,
    family.length,
    ...family,
  ];
}

function toScore({ place, createdAt, delayMs, dueAt, finishedAt }: JobRecord): number {
  if (place === 'scheduled') return dueAt ?? createdAt + delayMs;
  return place === 'dead' || place === 'completed' ? (finishedAt ?? createdAt) : createdAt;
}

/** A job holds its key until it ends, or for the time that its options say; one that was revoked has given it back. */
function toHold({ place, unique, options, createdAt, deferredFailure }: JobRecord, now: number): string {
  if (unique === null || place === 'dead' || place === 'completed' || parseMark(deferredFailure)) return '';
  const { ttl } = (options['deduplication'] ?? {}) as { ttl?: unknown };
  if (typeof ttl !== 'number' || ttl <= 0) return '0';
  const leftMs = Math.ceil(createdAt + ttl - now);
  return leftMs > 0 ? String(leftMs) : '';
}

const FLAGS = { fail: 'fpof', start: 'cpof', wait: 'idof', remove: 'rdof' } as const;

/** The fields of the job's hash with their values, in turn. */
function toFields(record: JobRecord, prefix: string): (string | number)[] {
  const { parent, stacks, attemptsMade, attemptsStarted, workersLost } = record;
  const fields: Record<string, string | number | null> = {
    name: record.task,
    data: record.data,
    opts: encodeOptions(record.options),
    timestamp: record.createdAt,
    delay: record.delayMs,
    priority: record.priority,
    processedOn: record.startedAt,
    finishedOn: record.finishedAt,
    atm: attemptsMade === 0 ? null : attemptsMade,
    ats: attemptsStarted === 0 ? null : attemptsStarted,
    stc: workersLost === 0 ? null : workersLost,
    pb: record.worker,
    failedReason: record.failure,
    stacktrace: stacks.length === 0 ? null : JSON.stringify(stacks),
    returnvalue: record.result,
    progress: record.progress,
    defa: record.deferredFailure,
    deid: record.unique,
    rjk: record.schedulerId,
  };
  if (parent !== null) {
    const queueKey = `${prefix}:${parent.queue}`;
    fields['parentKey'] = `${queueKey}:${parent.id}`;
    const flag = parent.onDead === null ? {} : { [FLAGS[parent.onDead]]: true };
    fields['parent'] = JSON.stringify({ id: parent.id, queueKey, ...flag });
  }
  return Object.entries(fields).flatMap(([name, value]) => (value === null ? [] : [name, value]));
}
