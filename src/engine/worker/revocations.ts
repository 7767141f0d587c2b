/**
 * The revoked jobs of one worker: those that it holds, those that are on their way to it, and what it did with them.
 *
 * 1. A job that is taken with the mark is refused by the pool (refusal.ts); here it is only written down.
 * 2. A job that was taken before it was marked is revoked by an order over the control bus. One that runs is told by its pool;
 *    one that waits for a place gets the mark, which the pool looks at again before it runs it.
 * 3. An order may come before its job: the answer of the broker is still on its way, or the job waits for a slot. Orders for
 *    jobs that the broker says this worker has are therefore remembered for a while.
 */
import type { TakenJob } from '../broker/port.ts';
import type { RefusedJob, RevokeOrder, RevokeReceipt } from '../control/revoke-order.ts';
import type { Clock } from '../core/clock.ts';
import { MAX_TIMER_MS } from '../core/duration.ts';
import type { Outcome } from '../core/job.ts';
import type { Happened, Revocation } from '../core/revocation.ts';
import type { Pool } from './pool.ts';

/** A job reaches its pool within a moment, or a second when it waits for a slot; broker trouble takes longer. */
const REMEMBER_MS = 60_000;
const MAX_REMEMBERED = 50_000;
/** What is kept for `inspect revoked`. */
const MAX_LISTED = 1000;

interface HeldJob {
  readonly job: TakenJob;
  /** Resolves with the outcome of the attempt. */
  ended: Promise<Outcome>;
  /** Its function had begun when it was revoked. */
  hadBegun: boolean;
  isTerminated: boolean;
}

interface RevocationsOptions {
  readonly worker: string;
  readonly clock: Clock;
  readonly pool: Pool;
  /** The pool ends processes; any other gives up what it cannot end. */
  readonly canKill: boolean;
}

export class Revocations {
  readonly #options: RevocationsOptions;
  readonly #held = new Set<HeldJob>();
  readonly #remembered = new Map<string, { readonly revocation: Revocation; readonly until: number }>();
  #listed: RefusedJob[] = [];

  constructor(options: RevocationsOptions) {
    this.#options = options;
  }

  /** Runs an attempt; never rejects if `perform` does not. */
  watch(job: TakenJob, perform: () => Promise<Outcome>): Promise<Outcome> {
    if (this.#remembered.size > 0) job.revoked ??= this.#recall(keyOf(job));
    const held: HeldJob = { job, ended: NOT_YET, hadBegun: false, isTerminated: false };
    this.#held.add(held);
    held.ended = perform();
    // Every job passes here: no key is made for it and no further function waits, since hardly one is ever revoked.
    return held.ended.then(
      (outcome) => {
        this.#held.delete(held);
        if (job.revoked !== undefined && outcome.kind === 'ended' && outcome.state === 'REVOKED') this.#note(held);
        return outcome;
      },
      (error) => {
        this.#held.delete(held);
        throw error;
      },
    );
  }

  /** Ends jobs that this worker holds, and waits for their end. @returns a receipt for each of them */
  async revoke({ jobs, revocation, terminate, graceMs }: RevokeOrder): Promise<RevokeReceipt[]> {
    const { promise: over, resolve } = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => resolve(undefined), Math.min(graceMs, MAX_TIMER_MS));
    try {
      const byKey = new Map([...this.#held].map((held) => [keyOf(held.job), held]));
      const receipts = jobs.flatMap((wanted) => {
        const held = byKey.get(keyOf(wanted));
        if (held !== undefined) return [this.#end(held, { revocation, terminate, over })];
        if (wanted.worker === this.#options.worker) this.#remember(keyOf(wanted), revocation);
        return [];
      });
      return await Promise.all(receipts);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The revoked jobs that did not run to their end here, the latest first. */
  list(): readonly RefusedJob[] {
    return this.#listed;
  }

  async #end(
    held: HeldJob,
    { revocation, terminate, over }: { revocation: Revocation; terminate: boolean; over: Promise<undefined> },
  ): Promise<RevokeReceipt> {
    const { job } = held;
    job.revoked ??= revocation;
    held.isTerminated ||= terminate;
    if (this.#options.pool.revoke(job, { revocation, terminate })) held.hadBegun = true;
    const outcome = await Promise.race([held.ended, over]);
    const { id, task, queue } = job;
    return { id, task, queue, happened: outcome === undefined ? 'ignored the signal' : this.#read(held, outcome) };
  }

  #read(held: HeldJob, outcome: Outcome): Happened {
    switch (outcome.kind) {
      case 'succeeded':
      case 'dead':
      case 'failed':
      case 'replaced':
        return 'had finished';
      case 'ended':
        return outcome.state === 'REVOKED' ? this.#how(held) : 'had finished';
      case 'retry':
      case 'lost':
      case 'held':
      case 'postponed':
      case 'released':
      case 'blocked':
        return 'not started again';
    }
  }

  #how({ job, hadBegun, isTerminated }: HeldJob): Happened {
    if (!hadBegun) return job.attempts > 1 ? 'not started again' : 'never started';
    if (!isTerminated) return 'aborted';
    return this.#options.canKill ? 'killed' : 'given up';
  }

  #note(held: HeldJob): void {
    const { id, task, queue, revoked } = held.job;
    const happened = this.#how(held);
    const at = this.#options.clock.now();
    this.#listed = [
      { id, task, queue, at, happened, by: revoked?.by ?? null },
      ...this.#listed.slice(0, MAX_LISTED - 1),
    ];
  }

  #remember(key: string, revocation: Revocation): void {
    const now = this.#options.clock.monotonic();
    // In the order in which they were told, so those that are over come first.
    for (const [other, { until }] of this.#remembered) {
      if (until > now && this.#remembered.size < MAX_REMEMBERED) break;
      this.#remembered.delete(other);
    }
    this.#remembered.set(key, { revocation, until: now + REMEMBER_MS });
  }

  #recall(key: string): Revocation | undefined {
    const told = this.#remembered.get(key);
    this.#remembered.delete(key);
    return told !== undefined && told.until > this.#options.clock.monotonic() ? told.revocation : undefined;
  }
}

const NOT_YET = new Promise<never>(() => {});

/** Ids are unique within a queue alone: BullMQ numbers the jobs of each. */
function keyOf({ queue, id }: { readonly queue: string; readonly id: string }): string {
  return `${queue}\n${id}`;
}
