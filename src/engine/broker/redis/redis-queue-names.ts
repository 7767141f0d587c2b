/**
 * The names of the queues on Redis. Every BullMQ queue has a hash `PREFIX:QUEUE:meta`, and there is no list of them: only a walk through
 * all keys of the database finds them. A million keys take seconds, and fifty millions minutes. So:
 *
 * 1. tq enters the name of a queue that it writes into or takes jobs from, once for each broker that is open.
 * 2. A small key space is walked by every reader, which misses nothing.
 * 3. A large one is walked by a worker now and then (worker/queue-name-walk.ts). It enters what it finds, and until when that holds.
 * 4. Until then readers take the names that were entered, without those of queues that are gone. After that they walk themselves.
 *
 * Reading changes nothing. What plain BullMQ made since the last walk of a large key space is not listed before the next one.
 *
 * `PREFIX:$tq:queues`, a sorted set: the names by the instant at which they were entered last, and two marks. By the server's clock.
 */
import { Cluster, type Redis } from 'ioredis';
import type { Clock } from '../../core/clock.ts';
import type { QueueListing } from '../port.ts';
import type { QueueNames } from '../queue-names-port.ts';
import { isTrouble } from '../trouble.ts';
import type { RedisClient } from './redis-client.ts';
import { NOW } from './redis-state.ts';

/** Keys that a reader walks through in about 100 ms. */
const WALKED_KEYS = 100_000;
const READER_STEP = 5000;
/** Of a walk beside the work: a millisecond of the server, or two. */
const WORKER_STEP = 500;
/** What a longer step took was the way there, or this process. */
const LONGEST_STEP_MS = 5;
const MIN_INTERVAL_MS = 300_000;
const MAX_INTERVAL_MS = 86_400_000;
/** A walk takes at most one part in so many of the server's time. */
const SHARE = 100;
/** How many intervals the names of a walk hold. */
const HOLDS = 3;
/** Names that nobody has entered for so long go; longer than the names of any walk hold. */
const FORGET_MS = 7 * 86_400_000;
/** After a failure a name is not entered again before that. */
const RETRY_MS = 60_000;
const ENTERED_AT_ONCE = 1000;

/** When the next walk is due, and until when the names of the last one hold. No queue has a colon in its name. */
const DUE = ':due';
const UNTIL = ':until';

/** KEYS: names. ARGV: names to enter. */
const ENTER = `${NOW}
  for _, name in ipairs(ARGV) do redis.call('ZADD', KEYS[1], now, name) end
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ${FORGET_MS})
  return 1`;

/** KEYS: names. ARGV: how long until the next walk, in ms. */
const NOTE_WALK = `${NOW}
  local interval = tonumber(ARGV[1])
  redis.call('ZADD', KEYS[1], now + interval, '${DUE}', now + interval * ${HOLDS}, '${UNTIL}')
  return 1`;

/**
 * KEYS: names. ARGV: 1 to read the names. Gives 1 when the next walk is due, 1 while the last one holds, and then the names. A clock
 * that was set back makes the marks worthless.
 */
const READ = `${NOW}
  local due = tonumber(redis.call('ZSCORE', KEYS[1], '${DUE}') or 0)
  local left = tonumber(redis.call('ZSCORE', KEYS[1], '${UNTIL}') or 0) - now
  local whole = (left + now - due) * ${HOLDS / (HOLDS - 1)}
  if left <= 0 or left > whole + 1000 then return {1, 0, {}} end
  return {now >= due and 1 or 0, 1, ARGV[1] == '1' and redis.call('ZRANGE', KEYS[1], 0, -1) or {}}`;

export interface RedisQueueNamesOptions {
  /** BullMQ's key prefix. */
  readonly prefix: string;
  readonly clock: Clock;
  /** Up to so many keys in the database every reader walks them. Default 100,000. */
  readonly walkedKeys?: number | undefined;
}

export class RedisQueueNames implements QueueNames {
  readonly #client: RedisClient;
  readonly #prefix: string;
  readonly #clock: Clock;
  readonly #walkedKeys: number;
  /** Queues whose names were entered, by the monotonic instant before which they are not entered again. */
  readonly #entered = new Map<string, number>();

  constructor(client: RedisClient, { prefix, clock, walkedKeys = WALKED_KEYS }: RedisQueueNamesOptions) {
    this.#client = client;
    this.#prefix = prefix;
    this.#clock = clock;
    this.#walkedKeys = walkedKeys;
  }

  /** Enters the name of a queue beside whatever is written into it; nobody waits for that, and nothing fails with it. */
  note(queue: string): void {
    if (this.#clock.monotonic() < (this.#entered.get(queue) ?? 0)) return;
    this.#entered.set(queue, Number.POSITIVE_INFINITY);
    this.#enter([queue]).catch(() => this.#entered.set(queue, this.#clock.monotonic() + RETRY_MS));
  }

  async list({ among, isWhole = false }: QueueListing = {}): Promise<string[]> {
    if (among !== undefined) return await this.#listExisting([...new Set(among)]);
    if (isWhole) return await this.#walkAll();
    const [names, keys] = await Promise.all([this.#readNames(), this.#countKeys()]);
    return keys > this.#walkedKeys && names !== undefined ? await this.#listExisting(names) : await this.#walkAll();
  }

  async isWalkDue(): Promise<boolean> {
    if ((await this.#countKeys()) <= this.#walkedKeys) return false;
    const [isDue] = await this.#read(false);
    return isDue === 1;
  }

  async *walk(): AsyncIterable<number> {
    const names = new Set<string>();
    let totalMs = 0;
    for (const node of this.#listNodes()) {
      let isCut = false;
      const cut = (): void => {
        isCut = true;
      };
      node.once('close', cut);
      try {
        let cursor = '0';
        do {
          const startedAt = this.#clock.monotonic();
          cursor = await this.#step(node, cursor, WORKER_STEP, names);
          const tookMs = Math.min(LONGEST_STEP_MS, this.#clock.monotonic() - startedAt);
          totalMs += tookMs;
          yield tookMs;
          // The cursor means nothing to a server that has taken over meanwhile.
          if (isCut) throw new Error('the connection was lost in the middle of the walk');
        } while (cursor !== '0');
      } finally {
        node.off('close', cut);
      }
    }
    const found = [...names];
    for (let at = 0; at < found.length; at += ENTERED_AT_ONCE) await this.#enter(found.slice(at, at + ENTERED_AT_ONCE));
    const intervalMs = Math.min(MAX_INTERVAL_MS, Math.max(MIN_INTERVAL_MS, totalMs * SHARE));
    await this.#client.eval(NOTE_WALK, 1, this.#key, intervalMs);
  }

  get #key(): string {
    return `${this.#prefix}:$tq:queues`;
  }

  async #enter(names: readonly string[]): Promise<void> {
    await this.#client.eval(ENTER, 1, this.#key, ...names);
  }

  /** Undefined when the last walk holds no more, or they cannot be read. */
  async #readNames(): Promise<string[] | undefined> {
    try {
      const [, holds, entered] = await this.#read(true);
      return holds === 1 ? entered.filter((name) => !name.startsWith(':')) : undefined;
    } catch (error) {
      if (isTrouble(error)) throw error;
      return undefined;
    }
  }

  async #read(withNames: boolean): Promise<[isDue: number, holds: number, entered: string[]]> {
    return (await this.#client.eval(READ, 1, this.#key, withNames ? 1 : 0)) as [number, number, string[]];
  }

  /** In one round trip; one by one, for in a cluster they may lie on several nodes. */
  async #listExisting(names: readonly string[]): Promise<string[]> {
    const found = await Promise.all(names.map((name) => this.#client.exists(`${this.#prefix}:${name}:meta`)));
    return names.filter((_, index) => found[index] === 1).sort();
  }

  /** Of the database that the client has selected. A user without the right to ask walks, as in a small one. */
  async #countKeys(): Promise<number> {
    try {
      const counts = await Promise.all(this.#listNodes().map((node) => node.dbsize()));
      return counts.reduce((sum, count) => sum + count, 0);
    } catch (error) {
      if (isTrouble(error)) throw error;
      return 0;
    }
  }

  async #walkAll(): Promise<string[]> {
    const names = new Set<string>();
    for (const node of this.#listNodes()) {
      let cursor = '0';
      do cursor = await this.#step(node, cursor, READER_STEP, names);
      while (cursor !== '0');
    }
    return [...names].sort();
  }

  /** @returns the next cursor */
  async #step(node: Redis, cursor: string, count: number, names: Set<string>): Promise<string> {
    const pattern = `${this.#prefix.replace(/[*?[\]\\]/g, '\\$&')}:*:meta`;
    const [next, keys] = await node.scan(cursor, 'MATCH', pattern, 'COUNT', count);
    for (const key of keys) {
      const name = key.slice(this.#prefix.length + 1, -':meta'.length);
      if (name !== '' && !name.includes(':')) names.add(name);
    }
    return next;
  }

  #listNodes(): Redis[] {
    return this.#client instanceof Cluster ? this.#client.nodes('master') : [this.#client];
  }
}
