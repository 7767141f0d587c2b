import type { RedisClient } from '../redis-client.ts';

/**
 * What the scripts for many jobs of one queue share. Each is one step of the server over at most `BULK_PAGE` ids, so what it decides by
 * cannot change under it, and it is written to take a few milliseconds however long the queue is: Redis does nothing else meanwhile.
 */

/**
 * Jobs of one call where a page may be cut, which holds the server for some 0.5 ms: what workers of other queues ask comes in between
 * two. With 100 a worker of short tasks lost 30 percent of its rate beside a purge, with 25 it loses 10 and the purge takes a tenth longer
 * (bench/bulk.ts).
 */
export const JOBS_PER_CALL = 25;

const SETS = [
  'wait',
  'prioritized',
  'delayed',
  'waiting-children',
  'failed',
  'completed',
  'active',
  'paused',
  'meta',
  'events',
  'marker',
  'pc',
  'repeat',
  'id',
] as const;

export interface BulkQueue {
  readonly queue: string;
  /** BullMQ's key prefix. */
  readonly prefix: string;
  /** Epoch ms. */
  readonly now: number;
}

/** The keys of a queue that every script is given. Those of its jobs begin with `base` and a colon, as BullMQ's scripts make them too. */
export function bulkKeys(base: string): string[] {
  return SETS.map((set) => `${base}:${set}`);
}

/**
 * KEYS: `bulkKeys`. ARGV[1]: begin of the keys of jobs.
 *
 * `readFields(key, ...)` gives the fields of a job; none when the key is no hash, for an id may look like another key of the queue.
 * `setOf(id)` gives where a job stands that is neither running nor in a list: { place, key, BullMQ's name }, and its score.
 * `endsSchedule(id, scheduler)` tells whether a schedule entry would end with a job: it is the next that the entry makes.
 * `emit(event, ...)` writes into the queue's event log. `queue(id, priority)` makes a job the last of those that wait.
 * `schedule(id, dueAt)` makes it a scheduled one. `wake()` tells a waiting worker, unless the queue is held back.
 */
export const BULK_SCRIPT = `
  local call, base = redis.call, ARGV[1]
  local WAIT, PRIORITIZED, DELAYED, BLOCKED, DEAD, COMPLETED, ACTIVE, PAUSED, META, EVENTS, MARKER, COUNTER, SCHEDULES, IDS = unpack(KEYS)
  local function readFields(key, ...)
    local fields = redis.pcall('HMGET', key, ...)
    return fields.err and {} or fields
  end
  local sets = {}
  for _, set in ipairs({ { 'waiting', PRIORITIZED, 'prioritized' }, { 'scheduled', DELAYED, 'delayed' },
    { 'dead', DEAD, 'failed' }, { 'completed', COMPLETED, 'completed' }, { 'blocked', BLOCKED, 'waiting-children' } }) do
    if call('EXISTS', set[2]) == 1 then sets[#sets + 1] = set end
  end
  local function setOf(id)
    for _, set in ipairs(sets) do
      local score = call('ZSCORE', set[2], id)
      if score then return set, score end
    end
  end
  local function endsSchedule(id, scheduler)
    local nextAt = scheduler and call('ZSCORE', SCHEDULES, scheduler)
    return nextAt and id == 'repeat:' .. scheduler .. ':' .. nextAt
  end
  local running
  local function isRunning(id)
    if running == nil then
      running = {}
      for _, taken in ipairs(call('LRANGE', ACTIVE, 0, -1)) do running[taken] = true end
    end
    return running[id] == true
  end
  local longest
  local function emit(event, ...)
    longest = longest or call('HGET', META, 'opts.maxLenEvents') or 10000
    call('XADD', EVENTS, 'MAXLEN', '~', longest, '*', 'event', event, ...)
  end
  local function lastOf(priority)
    return priority * 0x100000000 + call('INCR', COUNTER) % 0x100000000
  end
  local function queue(id, priority)
    if priority == 0 then call('LPUSH', WAIT, id) else call('ZADD', PRIORITIZED, lastOf(priority), id) end
  end
  local function schedule(id, dueAt)
    local least, most = dueAt * 0x1000, (dueAt + 1) * 0x1000 - 1
    local last = call('ZREVRANGEBYSCORE', DELAYED, most, least, 'WITHSCORES', 'LIMIT', 0, 1)[2]
    call('ZADD', DELAYED, last and math.min(tonumber(last) + 1, most) or least, id)
    local first = call('ZRANGE', DELAYED, 0, 0, 'WITHSCORES')
    call('ZADD', MARKER, tonumber(first[2]) / 0x1000, '1')
  end
  local function isHeldBack(meta, active)
    local held = call('HMGET', meta, 'paused', 'concurrency')
    return held[1] or (held[2] and call('LLEN', active) >= tonumber(held[2]))
  end
  local function wake()
    if not isHeldBack(META, ACTIVE) then call('ZADD', MARKER, 0, '0') end
  end`;

/**
 * What takes jobs from their place and goes on with each in `leave(id, key, job, BullMQ's name of the place, score)`, in the order in which
 * they are named, if `may(id, key, job)` says so; `job` is { name, parentKey, deid, rjk, priority }. `take(ids, waitsFor, inLine)`:
 * `waitsFor(key)` lists the keys of the jobs without which one is not taken, or gives nil; `inLine` takes them in the order in which they
 * stand.
 *
 * A place in a list has no index, and to remove by value is to walk it: so those that are asked for are looked for among the neighbours of
 * one another, marked in their slots, and the marks removed together.
 *
 * ARGV[2]: the places to take from, ARGV[3]: where in the list to look, counted from the left; empty for its ends. Gives the ids that
 * were taken, and those that stand elsewhere in the list.
 */
export const TAKE_SCRIPT = `
  local function take(ids, waitsFor, inLine)
    local from, entries, byId, count = {}, {}, {}, 0
    for place in string.gmatch(ARGV[2], '[^,]+') do from[place] = true end
    for _, id in ipairs(ids) do
      local key = base .. id
      local job = not byId[id] and readFields(key, 'name', 'parentKey', 'deid', 'rjk', 'priority') or {}
      if job[1] and may(id, key, job) then
        local set, score = setOf(id)
        local entry
        if set and from[set[1]] then
          entry = { place = set[3], set = set[2], score = score, rank = tonumber(score) }
        elseif not set and from.waiting and not isRunning(id) then
          entry, count = { isListed = true }, count + 1
        end
        if entry then
          entry.id, entry.key, entry.job, entry.needs = id, key, job, waitsFor and waitsFor(key)
          entries[#entries + 1], byId[id] = entry, entry
        end
      end
    end

    local function look(list, name, first, last)
      for index, id in ipairs(call('LRANGE', list, first, last)) do
        local entry = byId[id]
        if entry and entry.isListed and not entry.list then
          entry.list, entry.place, entry.index, count = list, name, first + index - 1, count - 1
          entry.rank = -entry.index
        end
      end
    end
    local function lookAtEnds(list, name)
      local length, span = call('LLEN', list), count + 64
      local right = math.max(0, length - span)
      if length > 0 then look(list, name, right, length - 1) end
      if count > 0 and right > 0 then look(list, name, 0, math.min(span, right) - 1) end
    end
    if count > 0 and ARGV[3] == '' then lookAtEnds(WAIT, 'wait') end
    if count > 0 and ARGV[3] ~= '' then look(WAIT, 'wait', math.max(0, ARGV[3] - 8000), ARGV[3] + 2000) end
    if count > 0 then lookAtEnds(PAUSED, 'paused') end

    for _, entry in ipairs(entries) do entry.isElsewhere = entry.isListed and not entry.list end
    local changed = true
    while changed do
      changed = false
      for _, entry in ipairs(entries) do
        for _, key in ipairs(entry.needs or {}) do
          local needed = string.sub(key, 1, #base) == base and byId[string.sub(key, #base + 1)]
          if not entry.stays and (not needed or needed.stays) then entry.stays, changed = true, true
          elseif not entry.isElsewhere and needed and needed.isElsewhere then entry.isElsewhere, changed = true, true end
        end
      end
    end

    local taken, elsewhere = {}, {}
    for _, entry in ipairs(entries) do
      if entry.isElsewhere and not entry.stays then elsewhere[#elsewhere + 1] = entry.id
      elseif not entry.stays then taken[#taken + 1] = entry end
    end
    for _, list in ipairs({ WAIT, PAUSED }) do
      local left, right, middle = 0, 0, call('LLEN', list) / 2
      for _, entry in ipairs(taken) do
        if entry.list == list then
          call('LSET', list, entry.index, '')
          if entry.index < middle then left = left + 1 else right = right + 1 end
        end
      end
      if right > 0 then call('LREM', list, -right, '') end
      if left > 0 then call('LREM', list, left, '') end
    end
    for _, entry in ipairs(taken) do if entry.set then call('ZREM', entry.set, entry.id) end end
    if inLine then
      table.sort(taken, function(one, other)
        if one.place ~= other.place then return one.place < other.place end
        if one.rank ~= other.rank then return one.rank < other.rank end
        return one.id < other.id
      end)
    end
    for index, entry in ipairs(taken) do
      leave(entry.id, entry.key, entry.job, entry.place, entry.score)
      taken[index] = entry.id
    end
    return { taken, elsewhere }
  end`;

/** BullMQ numbers the jobs that bring no id, and takes a number that is there already for the same job. */
export function highestNumber(ids: readonly string[]): string {
  const numbers = ids.filter((id) => /^[1-9]\d{0,14}$/.test(id));
  return numbers.reduce((highest, id) => (Number(id) > Number(highest) ? id : highest), '');
}

/** One call of a script that takes. @param near where in the list to look, empty for its ends */
export type TakeCall = (ids: readonly string[], near: string) => Promise<[taken: string[], elsewhere: string[]]>;

/** Where in the list those were found that are not at its ends; empty when all were. */
interface Whereabouts {
  near: string;
}

/**
 * Takes a page a slice at a time. Once one is not at the ends of the list, the rest goes in one call: each call would walk the
 * list, and that holds the server longer than the jobs do.
 *
 * @returns those that were taken, in the order of the ids
 */
export async function takeInSlices(
  client: RedisClient,
  base: string,
  ids: readonly string[],
  take: TakeCall,
): Promise<string[]> {
  const done: string[] = [];
  const whereabouts = { near: '' };
  for (let at = 0; at < ids.length; ) {
    const slice = whereabouts.near === '' ? ids.slice(at, at + JOBS_PER_CALL) : ids.slice(at);
    done.push(...(await takeAll(client, base, slice, take, whereabouts)));
    at += slice.length;
  }
  return done;
}

/**
 * Takes until nothing is left that can be found: neighbours go together, strays cost a walk each.
 *
 * @param whereabouts where to look first; told where one was found
 * @returns those that were taken, in the order of the ids
 */
export async function takeAll(
  client: RedisClient,
  base: string,
  ids: readonly string[],
  take: TakeCall,
  whereabouts: Whereabouts = { near: '' },
): Promise<string[]> {
  if (ids.length === 0) return [];
  const done = new Set<string>();
  const unlisted: string[] = [];
  let [taken, rest] = await take(ids, whereabouts.near);
  for (;;) {
    for (const id of taken) done.add(id);
    const [stray, ...others] = rest;
    if (stray === undefined) break;
    const at = await client.lpos(`${base}:wait`, stray);
    if (at === null) {
      unlisted.push(stray);
      [taken, rest] = [[], others];
      continue;
    }
    whereabouts.near = String(at);
    [taken, rest] = await take(rest, whereabouts.near);
    // It has gone meanwhile, or it runs away from us.
    if (rest[0] === stray) rest = rest.slice(1);
  }
  // Those that had to wait for one that was elsewhere; the rest of them has left the list.
  if (unlisted.length > 0) for (const id of (await take(unlisted, ''))[0]) done.add(id);
  return ids.filter((id) => done.delete(id));
}
