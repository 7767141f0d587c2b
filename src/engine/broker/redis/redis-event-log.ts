import { setTimeout as wait } from 'node:timers/promises';
import { array2obj } from 'bullmq';
import type { Clock } from '../../core/clock.ts';
import { untilAborted } from '../../core/until-aborted.ts';
import {
  type EventLogReader,
  LOOK_FOR_QUEUES_MS,
  mergeLogs,
  type QueueLog,
  type RawEntry,
  shareOf,
} from '../events/event-log.ts';
import { endClient, type RedisClient } from './redis-client.ts';

export interface RedisEventLogOptions {
  /** Makes a client whose commands fail with a lost server. */
  readonly createClient: () => RedisClient;
  readonly listQueues: () => Promise<string[]>;
  /** The clock of the server, epoch ms. */
  readonly readTime: () => Promise<number>;
  readonly prefix: string;
  readonly isCluster: boolean;
  readonly clock: Clock;
  readonly since: number | undefined;
}

/** How long the server waits for entries before it answers that there are none; queues that are new join after that. */
const BLOCK_MS = 500;
/** How often a store without queues is looked at. */
const PAUSE_MS = 100;
/** A server that is silent for so long beyond that is taken for lost. */
const SILENCE_MS = 5000;
/** Finding the queues may walk the whole key space; at most this share of the time goes into it. */
const SHARE_OF_LOOKING = 0.05;

type StreamEntry = [id: string, fields: string[]];

/** The streams that one connection may read together. */
interface Group {
  readonly client: RedisClient;
  /** Last id read, by queue. */
  readonly positions: Map<string, string>;
  /** A read that is under way; it never rejects. */
  reading: Promise<void> | undefined;
  read: readonly QueueLog[] | undefined;
  failure: unknown;
}

/**
 * BullMQ's event streams of all queues, over one connection that waits on all of them together. In a cluster it takes one
 * for each hash tag, since a command may only name keys of one slot.
 */
export function createRedisEventLog(options: RedisEventLogOptions): EventLogReader {
  const { createClient, listQueues, readTime, prefix, isCluster, clock, since } = options;
  const groups = new Map<string, Group>();
  const keyOf = (queue: string): string => `${prefix}:${queue}:events`;
  let begin = '';
  let nextLookAt = 0;
  let looking: Promise<void> | undefined;

  const groupOf = (queue: string): Group => {
    const name = isCluster ? hashTagOf(keyOf(queue)) : '';
    let group = groups.get(name);
    if (group === undefined) {
      const client = createClient();
      // What fails is said by the command that fails.
      client.on('error', () => {});
      group = { client, positions: new Map(), reading: undefined, read: undefined, failure: undefined };
      groups.set(name, group);
    }
    return group;
  };
  const knows = (queue: string): boolean =>
    groups.get(isCluster ? hashTagOf(keyOf(queue)) : '')?.positions.has(queue) === true;

  const lookForQueues = async (): Promise<void> => {
    const startedAt = clock.monotonic();
    const found = await listQueues();
    const tookMs = clock.monotonic() - startedAt;
    nextLookAt = clock.monotonic() + Math.max(LOOK_FOR_QUEUES_MS, tookMs / SHARE_OF_LOOKING);
    for (const queue of found) if (!knows(queue)) groupOf(queue).positions.set(queue, begin);
  };

  const ask = (group: Group): Promise<void> => {
    const queues = [...group.positions.keys()];
    const count = shareOf(queues.length);
    const ids = queues.map((queue) => group.positions.get(queue) ?? begin);
    const command = ['COUNT', count, 'BLOCK', BLOCK_MS, 'STREAMS', ...queues.map(keyOf), ...ids] as const;
    return withinTime(group.client, group.client.xread(...(command as unknown as XreadArguments))).then(
      (answer) => {
        group.read = (answer ?? []).map(([key, entries]) => toQueueLog(queueOf(key, prefix), entries, count));
      },
      (error: unknown) => {
        group.failure = error;
      },
    );
  };

  const collect = (): RawEntry[] => {
    const logs: QueueLog[] = [];
    for (const group of groups.values()) {
      logs.push(...(group.read ?? []));
      if (group.read !== undefined || group.failure !== undefined) group.reading = undefined;
      group.read = undefined;
    }
    const merged = mergeLogs(logs);
    for (const { queue, position } of merged) groupOf(queue).positions.set(queue, position);
    return merged;
  };

  return {
    async start() {
      const startAt = since ?? (await readTime());
      // After every id of the millisecond before.
      begin = `${Math.max(0, Math.floor(startAt) - 1)}-18446744073709551615`;
      await lookForQueues();
      if (since !== undefined) return;
      for (const { client, positions } of groups.values()) {
        for (const queue of positions.keys()) {
          const last = (await client.xrevrange(keyOf(queue), '+', '-', 'COUNT', 1)) as StreamEntry[];
          positions.set(queue, last[0]?.[0] ?? begin);
        }
      }
    },
    async read(signal) {
      if (looking === undefined && clock.monotonic() >= nextLookAt) {
        // Beside the reading; a store that is away is told by that.
        looking = lookForQueues()
          .catch(() => undefined)
          .finally(() => {
            looking = undefined;
          });
      }
      const reading = [...groups.values()].filter(({ positions }) => positions.size > 0);
      for (const group of reading) group.reading ??= ask(group);
      const pause = reading.length === 0 ? [wait(PAUSE_MS)] : [];
      await untilAborted(Promise.race([...pause, ...reading.map((group) => group.reading)]), signal);
      const entries = collect();
      const failed = reading.find(({ failure }) => failure !== undefined);
      if (failed === undefined || entries.length > 0) return entries;
      const { failure } = failed;
      for (const group of reading) group.failure = undefined;
      throw failure;
    },
    async close() {
      for (const { client } of groups.values()) endClient(client);
    },
  };
}

type XreadArguments = ['COUNT', number, 'BLOCK', number, 'STREAMS', ...string[]];

/** A connection that is cut without a word would be waited on for ever. */
async function withinTime<Answer>(client: RedisClient, answer: Promise<Answer>): Promise<Answer> {
  const watch = setTimeout(() => client.disconnect(true), BLOCK_MS + SILENCE_MS);
  try {
    return await answer;
  } finally {
    clearTimeout(watch);
  }
}

function toQueueLog(queue: string, found: readonly StreamEntry[], count: number): QueueLog {
  const entries = found.map(([position, fields]) => ({
    queue,
    position,
    at: Number(position.split('-')[0]),
    fields: array2obj(fields) as Record<string, string>,
  }));
  return { entries, hasMore: found.length >= count };
}

function queueOf(key: string, prefix: string): string {
  return key.slice(prefix.length + 1, -':events'.length);
}

/** What the slot of a key is made of: the part in braces, else the whole key. */
export function hashTagOf(key: string): string {
  return /\{([^}]+)\}/.exec(key)?.[1] ?? key;
}
