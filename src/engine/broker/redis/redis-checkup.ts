import { Cluster } from 'ioredis';
import { isOvergrown } from '../../core/checkup/leftovers.ts';
import { EVENTS_BOUND, listSchedules, type ScheduleParts, toEventsBound } from '../checkup/schedules.ts';
import type { BrokerCheckup } from '../checkup-port.ts';
import type { RedisClient } from './redis-client.ts';
import { findRedisLeftovers, removeRedisOrphan, removeRedisStrayKey } from './redis-leftovers.ts';
import { checkRedisSettings } from './redis-settings.ts';

/** Events that one command cuts off. */
const TRIMMED_AT_ONCE = 10_000;

interface CheckupParts extends ScheduleParts {
  readonly prefix: string;
  readonly readTime: () => Promise<number>;
}

export function createRedisCheckup(client: RedisClient, parts: CheckupParts): BrokerCheckup {
  const { prefix, readTime } = parts;
  const baseOf = (queue: string): string => `${prefix}:${queue}`;
  return {
    async checkSettings() {
      // Of a cluster each primary has its own; the checks of one stand for all.
      const node = client instanceof Cluster ? (client.nodes('master')[0] ?? client) : client;
      const [info, save] = await Promise.all([node.info(), readSave(node)]);
      return checkRedisSettings(info, save);
    },
    readTime,
    async listLeftovers(names) {
      const { found, isWhole } = await findRedisLeftovers(client, prefix, names);
      const queues = [];
      for (const queue of names) {
        const [length, bound, schedules] = await Promise.all([
          client.xlen(`${baseOf(queue)}:events`),
          client.hget(`${baseOf(queue)}:meta`, EVENTS_BOUND),
          listSchedules(queue, parts),
        ]);
        const events = { length, bound: toEventsBound(bound) };
        queues.push({ queue, strayKeys: [], orphans: [], ...found.get(queue), events, schedules });
      }
      return { queues, isWhole };
    },
    async removeLeftovers(leftovers) {
      const removed = { keys: 0, orphans: 0, events: 0 };
      for (const { queue, strayKeys, orphans, events } of leftovers) {
        const base = baseOf(queue);
        for (const key of strayKeys) if (await removeRedisStrayKey(client, base, key)) removed.keys += 1;
        for (const id of orphans ?? []) if (await removeRedisOrphan(client, base, id)) removed.orphans += 1;
        if (isOvergrown(events)) removed.events += await trimEvents(client, `${base}:events`, events.bound);
      }
      return removed;
    },
  };
}

/** Managed servers forbid CONFIG. */
async function readSave(node: Pick<RedisClient, 'config'>): Promise<string | null> {
  try {
    const answer = (await node.config('GET', 'save')) as string[];
    return answer[1] ?? null;
  } catch {
    return null;
  }
}

async function trimEvents(client: RedisClient, key: string, bound: number): Promise<number> {
  let removed = 0;
  for (;;) {
    const cut = await client.xtrim(key, 'MAXLEN', '~', bound, 'LIMIT', TRIMMED_AT_ONCE);
    removed += cut;
    if (cut === 0) return removed;
  }
}
