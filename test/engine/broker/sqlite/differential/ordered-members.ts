/**
 * Put before each of BullMQ's scripts, which then call `inOrder` in place of `redis.call`: members of sets and hashes come in
 * the order of their bytes (Lua's own comparison follows the locale of the server), and the suspects of the stalled check in
 * the order in which they became active.
 */
const IN_ORDER = `
local function precedes(a, b)
  for at = 1, math.min(#a, #b) do
    local x, y = string.byte(a, at), string.byte(b, at)
    if x ~= y then return x < y end
  end
  return #a < #b
end
local function byActivity(suspects, queue)
  local isSuspect, ordered = {}, {}
  for _, id in ipairs(suspects) do isSuspect[id] = true end
  local active = redis.call('LRANGE', queue .. 'active', 0, -1)
  for at = #active, 1, -1 do
    if isSuspect[active[at]] then
      ordered[#ordered + 1] = active[at]
      isSuspect[active[at]] = nil
    end
  end
  for _, id in ipairs(suspects) do
    if isSuspect[id] then ordered[#ordered + 1] = id end
  end
  return ordered
end
local function byField(pairsOfHash)
  local fields, values, ordered = {}, {}, {}
  for at = 1, #pairsOfHash, 2 do
    fields[#fields + 1] = pairsOfHash[at]
    values[pairsOfHash[at]] = pairsOfHash[at + 1]
  end
  table.sort(fields, precedes)
  for _, field in ipairs(fields) do
    ordered[#ordered + 1] = field
    ordered[#ordered + 1] = values[field]
  end
  return ordered
end
local function inOrder(command, key, ...)
  local reply = redis.call(command, key, ...)
  if command == 'HGETALL' then return byField(reply) end
  if command ~= 'SMEMBERS' then return reply end
  if string.sub(key, -8) == ':stalled' then return byActivity(reply, string.sub(key, 1, -8)) end
  table.sort(reply, precedes)
  return reply
end
`;

/**
 * BullMQ goes through children to remove and jobs that stall in the order in which Redis gives the members of a set or a
 * hash. That is any order, and it shows in the events and the lists. With this it is one of those orders, always the same.
 */
export function orderMembers(lua: string): string {
  return IN_ORDER + lua.replaceAll('redis.call', 'inOrder');
}
