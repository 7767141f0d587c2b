/**
 * Removes rows of the result store whose time is over, that are older than the app wants to keep, or more than it does.
 *
 * Every worker of the app looks once a minute whether it is the one to do it: a lease in the state of the broker says so, which it
 * renews while it works and gives back when it stops. Rows go in batches with pauses between them, so that writers are not held up.
 */
import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ResultStore } from '../broker/result-store/result-port.ts';
import type { StateStore } from '../broker/state-port.ts';
import type { Clock } from '../core/clock.ts';

const EVERY_MS = 60_000;
const LEASE_MS = 150_000;
const BATCH = 1000;
const PAUSE_MS = 50;

export interface ResultRetentionOptions {
  readonly store: ResultStore;
  readonly state: StateStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly worker: string;
  /** Rows of jobs that ended longer ago go; none do without it. */
  readonly maxAgeMs?: number | undefined;
  /** More rows than these go, the oldest first; none do without it. */
  readonly maxCount?: number | undefined;
  /** How often it looks. Default once a minute. */
  readonly everyMs?: number;
}

export class ResultRetention {
  readonly #options: ResultRetentionOptions;
  readonly #holder: string;
  readonly #key: string;
  readonly #stopping = new AbortController();
  #working: Promise<void> | undefined;
  #isFailing = false;

  constructor(options: ResultRetentionOptions) {
    this.#options = options;
    this.#holder = `${options.worker} ${randomUUID()}`;
    this.#key = `results/retention/${createHash('sha256').update(options.store.url).digest('hex').slice(0, 16)}`;
  }

  start(): void {
    this.#working ??= this.#work();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#working;
  }

  async #work(): Promise<void> {
    const { everyMs = EVERY_MS, state, logger } = this.#options;
    const { signal } = this.#stopping;
    for (;;) {
      await wait(everyMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) break;
      try {
        await this.#tidy();
        this.#isFailing = false;
      } catch (error) {
        if (!this.#isFailing) logger.warn({ err: error }, 'old results could not be removed; it is tried again');
        this.#isFailing = true;
      }
    }
    await state.release(this.#key, this.#holder).catch(() => undefined);
  }

  async #tidy(): Promise<void> {
    const { store, state, clock, maxAgeMs, maxCount, logger } = this.#options;
    const { signal } = this.#stopping;
    let total = 0;
    while (!signal.aborted) {
      const { holder } = await state.lease(this.#key, this.#holder, LEASE_MS);
      if (holder !== this.#holder) return;
      const finishedBy = maxAgeMs === undefined ? undefined : clock.now() - maxAgeMs;
      const removed = await store.purge({ finishedBy, keep: maxCount, limit: BATCH });
      total += removed;
      if (removed < BATCH) break;
      await wait(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
    if (total > 0) logger.debug({ removed: total }, 'old results were removed');
  }
}
