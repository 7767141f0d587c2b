/**
 * Puts jobs among those that wait, into the order in which they were added: each goes in front of the first that was added later.
 *
 * BullMQ keeps the ones without a priority in a list, its right end is the head. There is no way to put something into the middle of a
 * list but to walk it or to take off one end and put it back. So:
 *
 * 1. Within `NEAR` of an end, that end is taken off once, and put back with all the jobs that belong into it.
 * 2. Further in, each job costs a walk of the list (20 ms in a million). What is too much for one call is left for the next one.
 *
 * A list is in the order of adding but for jobs that came back into it (retries, scheduled ones): up to `EXACT` jobs are looked at
 * one by one, of more only those at the end, and the place is found by halving.
 *
 * Jobs are { id, time, priority }, sorted by time. `placeInLine(jobs)` sets `later` on those that were too much. A job counts as added when
 * its field `timestamp` says.
 */
export const PLACING_SCRIPT = `
  local EXACT, NEAR, SEARCHES, WALK = 1000, 5000, 60, 300000
  local spent = 0
  local function timeOf(id)
    local time = call('HGET', base .. id, 'timestamp')
    return tonumber(time or '') or 0
  end
  local function findPlaces(count, idAt, jobs)
    local at, times, stopped = 0, {}, false
    local function isNewer(index, time)
      times[index] = times[index] or timeOf(idAt(index))
      return times[index] > time
    end
    for _, job in ipairs(jobs) do
      if count <= EXACT then
        while at < count and not isNewer(at, job.time) do at = at + 1 end
      elseif at < count and not isNewer(at, job.time) then
        if spent >= SEARCHES then stopped = true end
        spent = spent + 1
        local searched, low, high = at, at + 1, count
        while low < high and not stopped do
          local middle = math.floor((low + high) / 2)
          if isNewer(middle, job.time) then high = middle else low = middle + 1 end
        end
        at = low
        for index = math.max(count - 100, searched), at - 1 do
          if isNewer(index, job.time) then
            at = index
            break
          end
        end
      end
      job.at, job.later = at, stopped
    end
  end
  local function pushAll(push, ids)
    for from = 1, #ids, 1000 do call(push, WAIT, unpack(ids, from, math.min(from + 999, #ids))) end
  end
  local function placeInList(jobs)
    local count = call('LLEN', WAIT)
    local idAt = function(index) return call('LINDEX', WAIT, -1 - index) end
    if count <= EXACT then
      local all = call('LRANGE', WAIT, 0, -1)
      idAt = function(index) return all[count - index] end
    end
    findPlaces(count, idAt, jobs)
    local head, tail, walked, stopped = {}, {}, 0, false
    for _, job in ipairs(jobs) do
      local behind = count - job.at
      if stopped or job.later then stopped = true
      elseif job.at <= NEAR and job.at <= behind then head[#head + 1] = job
      elseif behind <= NEAR then tail[#tail + 1] = job
      else
        stopped = walked > 0 and walked + behind > WALK
        walked = walked + behind
        if not stopped then job.pivot = idAt(job.at) end
      end
      job.later = stopped
    end
    for _, job in ipairs(jobs) do if job.pivot then call('LINSERT', WAIT, 'AFTER', job.pivot, job.id) end end
    if #tail > 0 then
      local depth = count - tail[1].at
      local ids, next = {}, 1
      local taken = depth > 0 and call('LRANGE', WAIT, 0, depth - 1) or {}
      if depth > 0 then call('LTRIM', WAIT, depth, -1) end
      for index = tail[1].at, count do
        while tail[next] and tail[next].at == index do ids[#ids + 1], next = tail[next].id, next + 1 end
        ids[#ids + 1] = taken[count - index]
      end
      pushAll('LPUSH', ids)
    end
    if #head > 0 then
      local depth = head[#head].at
      local ids, next = {}, #head
      local taken = depth > 0 and call('LRANGE', WAIT, -depth, -1) or {}
      if depth > 0 then call('LTRIM', WAIT, 0, -depth - 1) end
      for index = depth, 0, -1 do
        ids[#ids + 1] = taken[depth - index]
        while head[next] and head[next].at == index do ids[#ids + 1], next = head[next].id, next - 1 end
      end
      pushAll('RPUSH', ids)
    end
  end
  local function placeByPriority(priority, jobs)
    local least = priority * 0x100000000
    local first = call('ZCOUNT', PRIORITIZED, '-inf', string.format('(%.0f', least))
    local count = call('ZCOUNT', PRIORITIZED, least, string.format('(%.0f', least + 0x100000000))
    local at = function(index) return call('ZRANGE', PRIORITIZED, first + index, first + index, 'WITHSCORES') end
    findPlaces(count, function(index) return at(index)[1] end, jobs)
    local scores, from = {}, 1
    while from <= #jobs do
      local to = from
      while jobs[to + 1] and jobs[to + 1].at == jobs[from].at do to = to + 1 end
      local place = jobs[from].at
      local before = place > 0 and tonumber(at(place - 1)[2]) or least
      local after = place < count and tonumber(at(place)[2])
      local step = after and math.min(1, (after - before) / (to - from + 2))
      for index = from, to do
        if not jobs[index].later then
          scores[#scores + 1] = step and before + (index - from + 1) * step or lastOf(priority)
          scores[#scores + 1] = jobs[index].id
        end
      end
      from = to + 1
    end
    for index = 1, #scores, 2 do call('ZADD', PRIORITIZED, scores[index], scores[index + 1]) end
  end
  local function placeInLine(jobs)
    local lines = {}
    for _, job in ipairs(jobs) do
      lines[job.priority] = lines[job.priority] or {}
      table.insert(lines[job.priority], job)
    end
    for priority, line in pairs(lines) do
      if priority == 0 then placeInList(line) else placeByPriority(priority, line) end
    end
  end`;
