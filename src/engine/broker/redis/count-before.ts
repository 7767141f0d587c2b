import type { RedisClient } from './redis-client.ts';

/**
 * Waiting jobs that are taken before this one: those between it and the right end of the list, and for one with a priority the whole
 * list and what ranks before it. Of a long list only the end is looked through, so the server is not held up.
 *
 * @param base `PREFIX:QUEUE`
 * @returns at most `limit`; null for a job that does not wait
 */
export async function countBefore(
  client: RedisClient,
  base: string,
  id: string,
  limit: number,
): Promise<number | null> {
  const [length, rank] = await Promise.all([client.llen(`${base}:wait`), client.zrank(`${base}:prioritized`, id)]);
  if (rank !== null) return Math.min(length + rank, limit);
  for (const list of ['wait', 'paused']) {
    const [place, total] = await Promise.all([
      client.lpos(`${base}:${list}`, id, 'RANK', -1, 'MAXLEN', limit),
      client.llen(`${base}:${list}`),
    ]);
    if (place !== null) return Math.max(0, total - 1 - place);
    if (total > limit) return limit;
  }
  return null;
}
