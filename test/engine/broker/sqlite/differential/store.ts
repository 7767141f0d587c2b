import type { BackendFactory, IQueueBackend } from 'bullmq';

/** A BullMQ backend whose classes all take the same, empty connection: the store behind it knows where its data is. */
export type AnyBackendFactory = BackendFactory<IQueueBackend, string>;

/**
 * One side of the comparison: a way to make BullMQ's objects, and what it takes to keep its time with the test's clock.
 * A store that asks `Date.now()` at each call needs nothing, since the test steps that.
 */
export interface Store {
  readonly name: string;
  readonly createBackend: AnyBackendFactory;
  /**
   * Undoes what real time has done since the last call to what the store's own clock rules.
   *
   * @throws TooSlow when it has done too much
   */
  hold(prefix: string): Promise<void>;
  /** Lets `ms` pass for what the store's own clock rules. */
  advance(prefix: string, ms: number): Promise<void>;
  /** Forgets all that was stored under the prefix. */
  clear(prefix: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * The step of the test's time, in milliseconds. Every duration that Redis's own clock rules (locks, deduplication, rate
 * limits, the pause between two stalled checks) and every advance of the clock is a multiple of it, so that what real time
 * takes from a time to live is made good by rounding up.
 */
export const TICK_MS = 1000;

/** A time to live as it was when the step began; what says "none" is kept. */
export function roundToTick(ttlMs: unknown): unknown {
  return typeof ttlMs === 'number' && ttlMs > 0 ? Math.ceil(ttlMs / TICK_MS) * TICK_MS : ttlMs;
}

/** Real time has taken more than a tick from the times to live, so that what they say means nothing. */
export class TooSlow extends Error {}
