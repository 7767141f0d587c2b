import { setTimeout as wait } from 'node:timers/promises';
import type { IQueueBackend, JobJson } from 'bullmq';
import { createError, messageOf, TqError } from '../../core/errors.ts';
import { untilAborted } from '../../core/until-aborted.ts';
import { attempt } from '../attempt.ts';
import type { JobEventFeed, JobEvents, JobFacts, ListenOptions, LogEntry } from '../event-port.ts';
import type { Store } from '../store.ts';
import { isTrouble, unavailable } from '../trouble.ts';
import { toJobFacts, toLogEntry } from './log-entry.ts';

/** Listens to the event logs of a store. */
export class BullJobEvents implements JobEvents {
  readonly #store: Store;
  readonly #closing = new AbortController();
  readonly #feeds = new Set<Promise<void>>();

  constructor(store: Store) {
    this.#store = store;
  }

  listen(options: ListenOptions): JobEventFeed {
    const signal = AbortSignal.any([options.signal, this.#closing.signal]);
    return new BullJobEventFeed(this.#store, { ...options, signal }, (ended) => {
      this.#feeds.add(ended);
      void ended.then(() => this.#feeds.delete(ended));
    });
  }

  /** Ends every feed, and resolves when their connections are gone. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#feeds);
  }
}

/**
 * 1. The first batch opens a reader of the store and finds its place in the logs.
 * 2. Each further one is read when it is asked for, and waits until there is something.
 * 3. A read that fails because the store is away is tried again until it works: the reader goes on where it was.
 * 4. The end, by the signal or by the caller, closes the reader.
 */
class BullJobEventFeed implements JobEventFeed {
  readonly #store: Store;
  readonly #options: ListenOptions;
  readonly #track: (ended: Promise<void>) => void;
  readonly #backends = new Map<string, IQueueBackend>();
  #lostAt: number | undefined;

  constructor(store: Store, options: ListenOptions, track: (ended: Promise<void>) => void) {
    this.#store = store;
    this.#options = options;
    this.#track = track;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly LogEntry[], void, void> {
    const { signal, since, onListening } = this.#options;
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    this.#track(ended);
    const reader = this.#store.openEventLog(since);
    try {
      const started = attempt(this.#store, 'listening to the queues', async () => {
        if (!signal.aborted) await reader.start();
      });
      await untilAborted(started, signal);
      if (!signal.aborted) onListening?.();
      while (!signal.aborted) {
        const entries = (await this.#patiently('reading the events', () => reader.read(signal))) ?? [];
        const known = entries.map(toLogEntry).filter((entry) => entry !== undefined);
        if (known.length > 0 && !signal.aborted) yield known;
      }
    } finally {
      await reader.close().catch(() => undefined);
      end();
    }
  }

  async readFacts(queue: string, ids: readonly string[]): Promise<ReadonlyMap<string, JobFacts>> {
    let backend = this.#backends.get(queue);
    if (backend === undefined) {
      backend = this.#store.queueBackend(queue);
      this.#backends.set(queue, backend);
    }
    const from = backend;
    const read = await this.#patiently('reading jobs', () =>
      Promise.all(ids.map((id) => readFactsOf(from, queue, id))),
    );
    return new Map((read ?? []).filter((pair) => pair !== undefined));
  }

  /** @returns undefined when the feed ended before the store came back */
  async #patiently<Result>(doing: string, operation: () => Promise<Result>): Promise<Result | undefined> {
    const { signal, onTrouble, onRecovered } = this.#options;
    const { clock, url, faultBehind } = this.#store;
    for (let attempts = 0; !signal.aborted; attempts += 1) {
      try {
        const result = await untilAborted(operation(), signal);
        if (this.#lostAt !== undefined && !signal.aborted) onRecovered?.(clock.monotonic() - this.#lostAt);
        this.#lostAt = undefined;
        return result;
      } catch (error) {
        if (signal.aborted) break;
        if (!isTrouble(error)) {
          if (error instanceof TqError) throw error;
          throw createError('INTERNAL', { doing: `${doing} on ${url}`, reason: messageOf(error) }, error);
        }
        if (this.#lostAt === undefined) {
          this.#lostAt = clock.monotonic();
          onTrouble?.(unavailable(url, doing, faultBehind(error)));
        }
        await wait(Math.min(50 * 2 ** attempts, 1000), undefined, { signal }).catch(() => undefined);
      }
    }
    return undefined;
  }
}

/** @throws what says that the store is away; a record that cannot be read is none */
async function readFactsOf(
  backend: IQueueBackend,
  queue: string,
  id: string,
): Promise<[id: string, facts: JobFacts] | undefined> {
  try {
    const json: JobJson | undefined = await backend.getJobData(id);
    return json === undefined ? undefined : [id, toJobFacts({ ...json, id }, queue)];
  } catch (error) {
    if (isTrouble(error)) throw error;
    return undefined;
  }
}
