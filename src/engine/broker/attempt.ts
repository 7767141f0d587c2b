import { setTimeout as wait } from 'node:timers/promises';
import { createError, TqError } from '../core/errors.ts';
import type { Store } from './store.ts';
import { isTrouble, unavailable } from './trouble.ts';

/**
 * Runs an operation of a producer or a reader. A lost store is waited for, up to the patience of the store; an operation
 * that was cut is done again, which is harmless because every job brings its own id.
 *
 * @param doing what a person would call it, for the error: `sending task "email.send" to queue "high"`
 * @throws BROKER_UNAVAILABLE when the patience is spent, INTERNAL when the store refused the operation
 */
export async function attempt<Result>(store: Store, doing: string, operation: () => Promise<Result>): Promise<Result> {
  const startedAt = store.clock.monotonic();
  for (let attempts = 0; ; attempts += 1) {
    try {
      return await operation();
    } catch (error) {
      if (error instanceof TqError) throw error;
      if (!isTrouble(error)) {
        throw createError('INTERNAL', { doing: `${doing} on ${store.url}`, reason: (error as Error).message }, error);
      }
      const waitMs = Math.min(50 * 2 ** attempts, 2000);
      if (store.clock.monotonic() - startedAt + waitMs > store.patienceMs) throw unavailable(store.url, doing, error);
      await wait(waitMs);
    }
  }
}
