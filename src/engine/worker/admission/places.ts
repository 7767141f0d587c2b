import type { Logger } from 'pino';
import type { Broker } from '../../broker/port.ts';
import { type HeldEntry, type HeldLine, heldPrefix, mayBeHeld, parseHeld } from './held-index.ts';

/**
 * The places of tasks with a concurrency limit, as one worker takes them, and how the next job gets one that is free again.
 *
 * 1. A job takes a place before it runs: a lease in the state, which its worker renews. A place of a worker that died is free
 *    when its lease is over.
 * 2. When its job has ended, the worker gives the place back and lets the oldest job go that is held for it.
 * 3. A worker that was refused a place lets the oldest job go when the first lease would be over: that one is refused again,
 *    or finds the place of a worker that died. So no job waits for a worker that is not there, at the price of one move a
 *    lease and key.
 *
 * A job that was let go has no place yet: a new job of the same key may be faster. It is held again then, first in its line.
 * Jobs are looked for in the queues that this worker serves; those in other queues come back by their own wait.
 */
export interface PlacesOptions {
  readonly broker: Pick<Broker, 'state' | 'queue'>;
  readonly queues: () => readonly string[];
  /** Unique for this worker's life: two holders never mean the same. */
  readonly owner: string;
  readonly leaseMs: number;
  readonly logger: Logger;
}

export interface PlaceRequest {
  readonly jobId: string;
  /** Ids are unique within a queue alone. */
  readonly queue: string;
  readonly task: string;
  readonly line: HeldLine;
  /** Names the places in the state. */
  readonly key: string;
  readonly limit: number;
}

/** After a lease is over, how long until it is looked whether the place is free. */
const GRACE_MS = 100;
/** A job that was just about to be moved is let go again after this time, so often. */
const RETRY_MS = 100;
const RETRIES = 20;
/** Entries that are looked at for each job that is to be let go: others may let jobs go at the same time. */
const SPARE = 8;

export class Places {
  readonly #options: PlacesOptions;
  readonly #held = new Map<string, PlaceRequest>();
  /** When a line is looked after, by its key. */
  readonly #watches = new Map<string, NodeJS.Timeout>();
  readonly #pending = new Set<Promise<void>>();
  #renewal: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: PlacesOptions) {
    this.#options = options;
  }

  /**
   * @param returning the job was held before: when more places are free, others that wait can go too
   * @returns whether the job has a place now
   */
  async take(request: PlaceRequest, returning: boolean): Promise<boolean> {
    const { key, limit } = request;
    const { broker, leaseMs } = this.#options;
    const { taken, free, leftMs } = await broker.state.occupy(key, this.#holderOf(request), {
      places: limit,
      ttlMs: leaseMs,
    });
    if (!taken) {
      this.watch(request, leftMs + GRACE_MS);
      return false;
    }
    this.#held.set(this.#holderOf(request), request);
    this.#renewal ??= setInterval(() => this.#renewAll(), leaseMs / 3);
    if (returning && free > 0) void this.#inBackground(this.#letGo(request, free));
    return true;
  }

  /**
   * Gives the place of a job back, and lets the next one go. Resolves when that is done, and never rejects: a worker that
   * waits for it finds the next job when it looks for one, with no wake-up between.
   */
  async giveBack(request: PlaceRequest): Promise<void> {
    const holder = this.#holderOf(request);
    if (!this.#held.delete(holder)) return;
    if (this.#held.size === 0) {
      clearInterval(this.#renewal);
      this.#renewal = undefined;
    }
    const { state } = this.#options.broker;
    await this.#inBackground(state.vacate(request.key, holder).then(() => this.#letGo(request, 1)));
  }

  /** Looks after a line once, after this time. */
  watch(request: Pick<PlaceRequest, 'task' | 'line' | 'key'>, afterMs: number): void {
    if (this.#stopped || this.#watches.has(request.key)) return;
    const timer = setTimeout(() => {
      this.#watches.delete(request.key);
      void this.#inBackground(this.#letGo(request, 1));
    }, afterMs);
    this.#watches.set(request.key, timer);
  }

  /** Resolves when what it began is done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#renewal);
    for (const timer of this.#watches.values()) clearTimeout(timer);
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  #holderOf({ jobId, queue }: PlaceRequest): string {
    return `${this.#options.owner}/${queue}/${jobId}`;
  }

  #renewAll(): void {
    const { broker, leaseMs, logger } = this.#options;
    for (const [holder, { key, limit, jobId, task }] of this.#held) {
      void this.#inBackground(
        broker.state.occupy(key, holder, { places: limit, ttlMs: leaseMs }).then(({ taken }): unknown => {
          // The job has ended meanwhile, and its place would be taken again.
          if (!this.#held.has(holder)) return broker.state.vacate(key, holder);
          if (taken) return;
          logger.warn(
            { task_id: jobId, task_name: task },
            'the place of a running job is taken; more run than its task allows',
          );
        }),
      );
    }
  }

  /** Lets the oldest jobs of a line go, over all queues. */
  async #letGo(line: Pick<PlaceRequest, 'task' | 'line' | 'key'>, wanted: number, tried = 0): Promise<void> {
    if (this.#stopped && tried > 0) return;
    const { broker, queues } = this.#options;
    const lists = await Promise.all(
      queues().map(async (queue) => {
        const entries = await broker.state.list(heldPrefix(queue, line.task, line.line), wanted + SPARE);
        return entries.map((entry) => ({ ...parseHeld(entry), queue, place: placeOf(entry.key) }));
      }),
    );
    const entries = lists.flat().sort((a, b) => (a.place < b.place ? -1 : 1));
    const over: HeldEntry[] = [];
    let gone = 0;
    let moving = 0;
    for (const entry of entries) {
      if (gone === wanted) break;
      const queue = broker.queue(entry.queue);
      if ((await queue.promoteToHead([entry.id])).length > 0) gone += 1;
      else if (mayBeHeld(await queue.readJob(entry.id))) {
        // Its worker has written the entry and not moved it yet, or moves it right now.
        moving += 1;
        continue;
      }
      over.push(entry);
    }
    await broker.state.removeAll(over);
    if (gone === wanted || moving === 0 || tried >= RETRIES || this.#stopped) return;
    const timer = setTimeout(() => void this.#inBackground(this.#letGo(line, wanted - gone, tried + 1)), RETRY_MS);
    timer.unref();
  }

  #inBackground(work: Promise<unknown>): Promise<void> {
    const done = work.then(
      () => undefined,
      (error) => this.#options.logger.debug({ err: error }, 'the places of a limited task could not be looked after'),
    );
    this.#pending.add(done);
    void done.finally(() => this.#pending.delete(done));
    return done;
  }
}

/** The worker and the job of a holder of a place, as the state names it; undefined for one that nobody of us wrote. */
export function parseHolder(holder: string): { worker: string; queue: string; id: string } | undefined {
  const [, worker, queue, id] = /^(.+)\/[\da-f-]{36}\/([^/]+)\/(.+)$/s.exec(holder) ?? [];
  return worker === undefined || queue === undefined || id === undefined ? undefined : { worker, queue, id };
}

/** What orders the jobs of a line over all queues: when they were created, and their ids. */
function placeOf(key: string): string {
  return key.split('/').slice(4).join('/');
}
