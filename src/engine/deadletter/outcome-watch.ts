import { setTimeout as wait } from 'node:timers/promises';
import { BULK_PAGE } from '../broker/bulk-port.ts';
import type { Broker } from '../broker/port.ts';
import type { Clock } from '../core/clock.ts';
import type { JobSummary } from '../core/job.ts';

export interface WatchOptions {
  readonly broker: Broker;
  readonly clock: Clock;
  /** More failures than this, in percent of the jobs that have come to something, are too many. */
  readonly failingPercent: number;
  /** When nothing comes to anything for so long, there is nobody to run the jobs. */
  readonly patienceMs: number;
}

/** Fewer say too little. */
const MIN_ENDED = 20;
const FIRST_AHEAD = 20;
const MOST_AHEAD = 1000;
const LOOK_EVERY_MS = 100;

/**
 * Watches what jobs come to that were put back to work. A failed attempt counts as a failure, whatever its retries come to: they
 * may be hours away. At first few jobs are let go ahead of their outcomes, then twice as many with each look that finds nothing
 * wrong, up to a thousand: so many may fail beyond those that were seen.
 */
export class OutcomeWatch {
  succeeded = 0;
  failed = 0;
  readonly #options: WatchOptions;
  /** By queue. */
  readonly #pending = new Map<string, Set<string>>();
  #ahead = FIRST_AHEAD;
  #lastEndAt: number;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#lastEndAt = options.clock.monotonic();
  }

  add(queue: string, ids: readonly string[]): void {
    if (this.pending === 0) this.#lastEndAt = this.#options.clock.monotonic();
    const pending = this.#pending.get(queue) ?? new Set();
    this.#pending.set(queue, pending);
    for (const id of ids) pending.add(id);
  }

  /** Jobs that have come to nothing yet. */
  get pending(): number {
    return [...this.#pending.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** Jobs that may be let go before the next look. */
  get room(): number {
    return Math.max(0, this.#ahead - this.pending);
  }

  /** @param all no further job comes, so a few are enough to judge by */
  isFailing(all = false): boolean {
    const ended = this.succeeded + this.failed;
    if (ended === 0 || (ended < MIN_ENDED && !(all && this.pending === 0))) return false;
    return (this.failed * 100) / ended > this.#options.failingPercent;
  }

  /**
   * Looks until there is room for another job, or with `all` until none is pending.
   *
   * @returns why no more jobs should be let go; undefined when all is well
   */
  async wait(signal: AbortSignal, all = false): Promise<'failing' | 'idle' | 'stopped' | undefined> {
    for (;;) {
      await this.#look();
      if (this.isFailing(all)) return 'failing';
      if (all ? this.pending === 0 : this.room > 0) return undefined;
      if (signal.aborted) return 'stopped';
      if (this.#options.clock.monotonic() - this.#lastEndAt >= this.#options.patienceMs) return 'idle';
      await wait(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #look(): Promise<void> {
    const before = this.succeeded + this.failed;
    for (const [queue, pending] of this.#pending) {
      const ids = [...pending];
      for (let at = 0; at < ids.length; at += BULK_PAGE) {
        await this.#lookAt(queue, ids.slice(at, at + BULK_PAGE), pending);
      }
    }
    if (this.succeeded + this.failed === before) return;
    this.#lastEndAt = this.#options.clock.monotonic();
    if (!this.isFailing()) this.#ahead = Math.min(MOST_AHEAD, this.#ahead * 2);
  }

  async #lookAt(queue: string, ids: readonly string[], pending: Set<string>): Promise<void> {
    const found = await this.#options.broker.queue(queue).listSummaries(ids);
    const jobs = new Map(found.map((job) => [job.id, job]));
    for (const id of ids) {
      const end = judge(jobs.get(id));
      if (end === undefined) continue;
      pending.delete(id);
      this[end] += 1;
    }
  }
}

/** A job that is not there any more has succeeded without keeping a result: a dead letter would have stayed. */
function judge(job: JobSummary | undefined): 'succeeded' | 'failed' | undefined {
  switch (job?.state) {
    case undefined:
    case 'SUCCESS':
    case 'IGNORED':
    case 'REVOKED':
      return 'succeeded';
    case 'FAILURE':
    case 'RETRY':
      return 'failed';
    case 'STARTED':
      return job.attempts > 1 ? 'failed' : undefined;
    default:
      return undefined;
  }
}
