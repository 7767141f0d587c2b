import { setTimeout as wait } from 'node:timers/promises';
import { createError, TqError } from '../core/errors.ts';
import type { Store } from './store.ts';
import { isTrouble, unavailable } from './trouble.ts';

/** An operation that ran for longer had the store, and waited for a job: it is lost only now, and patience begins now. */
const LONGEST_CONNECT_MS = 15_000;

/**
 * Runs an operation of a producer or a reader. A lost store is waited for, up to the patience of the store; an operation
 * that was cut is done again, which is harmless because every job brings its own id.
 *
 * @param doing what a person would call it, for the error: `sending task "email.send" to queue "high"`
 * @throws BROKER_UNAVAILABLE when the patience is spent, INTERNAL when the store refused the operation
 */
export async function attempt<Result>(store: Store, doing: string, operation: () => Promise<Result>): Promise<Result> {
  let lostAt: number | undefined;
  for (let attempts = 0; ; attempts += 1) {
    const triedAt = store.clock.monotonic();
    try {
      return await operation();
    } catch (error) {
      if (!isTrouble(error)) {
        if (error instanceof TqError) throw error;
        throw createError('INTERNAL', { doing: `${doing} on ${store.url}`, reason: (error as Error).message }, error);
      }
      const failedAt = store.clock.monotonic();
      if (lostAt === undefined || failedAt - triedAt > Math.max(store.patienceMs, LONGEST_CONNECT_MS)) {
        lostAt = failedAt;
        attempts = 0;
      }
      const waitMs = Math.min(50 * 2 ** attempts, 2000);
      if (failedAt - lostAt + waitMs > store.patienceMs) throw unavailable(store.url, doing, store.faultBehind(error));
      await wait(waitMs);
    }
  }
}
