import type { ScannedIds } from '../store.ts';
import type { RedisClient } from './redis-client.ts';

/**
 * Pages of a sorted set by score and member: a page begins behind the last member of the one before, whether that is still there or not,
 * and however many share its score.
 *
 * KEYS: the set. ARGV: `first` or `last`, how many, then score and member of the last one given and the score at which the scan ends;
 * without these it begins. Gives that end, then members and scores in turn. Finds the place by halving, so it costs some twenty
 * looks in a million members.
 */
const SCAN = `
  -- As Redis compares members, byte by byte; Lua's own way depends on the locale.
  local function isBehind(a, b)
    local shorter = math.min(#a, #b)
    for at = 1, shorter do
      local left, right = string.byte(a, at), string.byte(b, at)
      if left ~= right then return left > right end
    end
    return #a > #b
  end
  local size = redis.call('ZCARD', KEYS[1])
  local down, limit, stop = ARGV[1] == 'last', tonumber(ARGV[2]), ARGV[5]
  -- The rank of the first member that lies behind the last one given, or is it when the scan goes down.
  local low, high = 0, size
  if ARGV[3] then
    local score = tonumber(ARGV[3])
    while low < high do
      local middle = math.floor((low + high) / 2)
      local found = redis.call('ZRANGE', KEYS[1], middle, middle, 'WITHSCORES')
      local other = tonumber(found[2])
      local behind = other > score or other == score and (isBehind(found[1], ARGV[4]) or down and found[1] == ARGV[4])
      if behind then high = middle else low = middle + 1 end
    end
  else
    local ends = redis.call(down and 'ZRANGE' or 'ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
    stop = ends[2] or '0'
    if down then low = size end
  end
  local page
  if down then
    page = redis.call('ZREVRANGE', KEYS[1], size - low, size - low + limit - 1, 'WITHSCORES')
  else
    page = redis.call('ZRANGE', KEYS[1], low, low + limit - 1, 'WITHSCORES')
  end
  table.insert(page, 1, stop)
  return page`;

interface SetCursor {
  readonly score: string;
  readonly member: string;
  /** The score that was the last when the scan began: what is put behind it meanwhile is not met. */
  readonly stop: string;
}

export interface SetScan {
  readonly key: string;
  readonly from: 'first' | 'last';
  readonly limit: number;
  readonly after: unknown;
}

export async function scanSortedSet(client: RedisClient, { key, from, limit, after }: SetScan): Promise<ScannedIds> {
  const cursor = after as SetCursor | undefined;
  const place = cursor === undefined ? [] : [cursor.score, cursor.member, cursor.stop];
  const [stop = '0', ...page] = (await client.eval(SCAN, 1, key, from, limit, ...place)) as string[];
  const ids: string[] = [];
  for (let index = 0; index < page.length; index += 2) {
    const [member, score] = [page[index] as string, page[index + 1] as string];
    const isBehind = from === 'first' ? Number(score) > Number(stop) : Number(score) < Number(stop);
    if (isBehind) return { ids, next: undefined };
    ids.push(member);
  }
  const [member, score] = page.slice(-2);
  if (ids.length < limit || member === undefined || score === undefined) return { ids, next: undefined };
  return { ids, next: { score, member, stop } satisfies SetCursor };
}
