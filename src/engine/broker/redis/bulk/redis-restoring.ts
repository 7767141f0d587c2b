import type { JobRecord } from '../../../core/job-record.ts';
import { parseMark } from '../../../core/revocation.ts';
import type { Restored } from '../../bulk-port.ts';
import { holdOf, isUnfinished, leftBehind, ON_DEAD } from '../../record-values.ts';
import type { RedisClient } from '../redis-client.ts';
import { BULK_SCRIPT, type BulkQueue, bulkKeys, highestNumber } from './bulk-script.ts';
import { PLACING_SCRIPT } from './placing-script.ts';
import { encodeOptions } from './stored-fields.ts';

/**
 * KEYS: `bulkKeys`. ARGV: begin of the keys of jobs, now (epoch ms), the highest id that is a number or nothing, then for each job: id,
 * place, score there, creation time, priority, how long its unique key is held (empty: not, 0: until it ends, or ms), the key; its
 * parent's key (or nothing), begin of the keys of that queue, the parent's id, 1 when that waits for it; and three lists, each after its length: fields with values, log rows,
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
      priority = tonumber(ARGV[at + 4]), hold = ARGV[at + 5], unique = ARGV[at + 6] }
    if ARGV[at + 7] ~= '' then
      job.parent = { key = ARGV[at + 7], base = ARGV[at + 8], id = ARGV[at + 9], waits = ARGV[at + 10] == '1' }
    end
    at = at + 11
    job.key, job.fields, job.log, job.children = base .. job.id, list(), list(), list()
    job.isOpen = job.place ~= 'dead' and job.place ~= 'completed'
    jobs[#jobs + 1] = job
  end

  local function isEnded(parent, key)
    return call('HEXISTS', parent .. ':processed', key) == 1 or call('HEXISTS', parent .. ':failed', key) == 1
      or call('ZSCORE', parent .. ':unsuccessful', key)
  end
  local function isOut(parent, key) return call('SISMEMBER', parent .. ':dependencies', key) == 1 end
  local function isBlocked(parent) return call('ZSCORE', parent.base .. 'waiting-children', parent.id) end
  local refused = {}
  -- While its parent is away it runs for itself; the parent that comes back later finds it.
  local function isLeftBehind(job)
    local parent = job.parent
    if not job.isOpen or not parent then return false end
    if refused[parent.key] then return true end
    if call('EXISTS', parent.key) == 0 or isOut(parent.key, job.key) then return false end
    return not isBlocked(parent) or isEnded(parent.key, job.key)
  end
  local line, seen = {}, {}
  for _, job in ipairs(jobs) do
    if seen[job.id] or call('EXISTS', job.key) == 1 then job.answer = 'p'
    elseif isLeftBehind(job) then job.answer, refused[job.key] = 'g', true
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
  local goesOn, parents = {}, {}
  -- A child that has ended while its parent was away, or that comes back as one that has, counts as it would have.
  local function tellEnd(parent, child)
    if call('HGET', child.key, 'parentKey') ~= parent.key then return end
    if call('ZSCORE', child.base .. 'completed', child.id) then
      call('SREM', parent.key .. ':dependencies', child.key)
      call('HSET', parent.key .. ':processed', child.key, call('HGET', child.key, 'returnvalue') or 'null')
      return
    end
    local diedAt = call('ZSCORE', child.base .. 'failed', child.id)
    if not diedAt then return end
    local read, link = pcall(cjson.decode, call('HGET', child.key, 'parent') or '{}')
    if not read or type(link) ~= 'table' or not (link.fpof or link.cpof or link.idof or link.rdof) then return end
    call('SREM', parent.key .. ':dependencies', child.key)
    if link.fpof then
      call('ZADD', parent.key .. ':unsuccessful', diedAt, child.key)
      call('HSET', parent.key, 'defa', 'child ' .. child.key .. ' failed')
    elseif not link.rdof then
      call('HSET', parent.key .. ':failed', child.key, call('HGET', child.key, 'failedReason') or '')
    end
    goesOn[parent.key] = goesOn[parent.key] or link.fpof or link.cpof
  end
  local function takeUpChild(parent, child, ended, value)
    if ended == 'done' then call('HSET', parent.key .. ':processed', child.key, value)
    elseif ended == 'ignored' then call('HSET', parent.key .. ':failed', child.key, value)
    elseif ended == 'failed' then call('ZADD', parent.key .. ':unsuccessful', now, child.key)
    else
      call('SADD', parent.key .. ':dependencies', child.key)
      tellEnd(parent, child)
    end
  end
  local function rejoin(job)
    local parent = job.parent
    if not parent or call('EXISTS', parent.key) == 0 then return end
    if parent.waits and isBlocked(parent) and not isEnded(parent.key, job.key) then
      call('SADD', parent.key .. ':dependencies', job.key)
    elseif isOut(parent.key, job.key) then
      tellEnd(parent, { key = job.key, base = base, id = job.id })
    end
    parents[parent.key] = parent
  end
  -- A blocked job that waits for nobody is one that waits to run; it may be in another queue.
  local function release(parent)
    local of = parent.base
    local out = call('SCARD', parent.key .. ':dependencies')
    if (out > 0 and not goesOn[parent.key]) or call('ZREM', of .. 'waiting-children', parent.id) == 0 then return end
    local job = call('HMGET', parent.key, 'priority', 'delay')
    local priority, delay = tonumber(job[1] or '') or 0, tonumber(job[2] or '') or 0
    if delay > 0 then
      call('ZADD', of .. 'delayed', (now + delay) * 0x1000, parent.id)
      call('ZADD', of .. 'marker', call('ZRANGE', of .. 'delayed', 0, 0, 'WITHSCORES')[2] / 0x1000, '1')
      call('XADD', of .. 'events', '*', 'event', 'delayed', 'jobId', parent.id, 'delay', now + delay)
      return
    end
    if priority == 0 then call('RPUSH', of .. 'wait', parent.id)
    else call('ZADD', of .. 'prioritized', priority * 0x100000000 + call('INCR', of .. 'pc') % 0x100000000, parent.id) end
    call('XADD', of .. 'events', '*', 'event', 'waiting', 'jobId', parent.id, 'prev', 'waiting-children')
    if not isHeldBack(of .. 'meta', of .. 'active') then call('ZADD', of .. 'marker', 0, '0') end
  end
  local wakes, answers = false, {}
  for _, job in ipairs(jobs) do
    if job.answer == 'r' and not job.later then
      call('HSET', job.key, unpack(ARGV, job.fields.first, job.fields.last))
      for row = job.log.first, job.log.last do call('RPUSH', job.key .. ':logs', ARGV[row]) end
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
      local own = { key = job.key, base = base, id = job.id }
      for at = job.children.first, job.children.last, 5 do
        takeUpChild(own, { key = ARGV[at], base = ARGV[at + 1], id = ARGV[at + 2] }, ARGV[at + 3], ARGV[at + 4])
      end
      if job.place == 'blocked' then parents[job.key] = own end
      rejoin(job)
      if job.hold ~= '' then holdUnique(job) end
    end
    answers[#answers + 1] = job.later and 'l' or job.answer
  end
  for _, parent in pairs(parents) do release(parent) end
  -- The next job without an id of its own is to get a free one.
  if ARGV[3] ~= '' and tonumber(ARGV[3]) > (tonumber(call('GET', IDS) or '') or 0) then call('SET', IDS, ARGV[3]) end
  if wakes then wake() end
  return answers`;

/** What one call carries at most; a single larger job goes alone. */
const BYTES_PER_CALL = 2_000_000;
const JOBS_PER_CALL = 500;

/**
 * Those that wait go into their order by the time of their creation, those of the same time in the order in which they are given.
 *
 * @returns for each record what became of it, in the order of the records
 */
export async function restoreJobs(
  client: RedisClient,
  target: BulkQueue,
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
    bytes += record.data.length + (record.result?.length ?? 0) + 500 * record.children.length;
    for (const row of record.log) bytes += row.length;
    return index > 0 && (bytes > BYTES_PER_CALL || index >= JOBS_PER_CALL);
  });
  return over === -1 ? [...records] : records.slice(0, over);
}

function toRestored(record: JobRecord, letter: string | undefined): Restored {
  const { id } = record;
  if (letter === 'r') return { id, kind: 'restored' };
  return letter === 'p' ? { id, kind: 'present' } : { id, kind: 'refused', reason: leftBehind(record) };
}

function toArguments(record: JobRecord, { prefix, now }: BulkQueue): (string | number)[] {
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
    isUnfinished(record) || (place === 'dead' && parent?.onDead === null) ? 1 : 0,
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

/** One that was revoked has given its key back, where the record does not say. */
function toHold(record: JobRecord, now: number): string {
  const hold = holdOf(record);
  if (hold === null || (record.hold === undefined && parseMark(record.deferredFailure))) return '';
  if (hold.until === null) return '0';
  const leftMs = Math.ceil(hold.until - now);
  return leftMs > 0 ? String(leftMs) : '';
}

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
    const flag = ON_DEAD.find(([onDead]) => onDead === parent.onDead)?.[1];
    fields['parent'] = JSON.stringify({ id: parent.id, queueKey, ...(flag !== undefined && { [flag]: true }) });
  }
  return Object.entries(fields).flatMap(([name, value]) => (value === null ? [] : [name, value]));
}
