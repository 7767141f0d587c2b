/**
 * Removes rows of the result store whose time is over, that are older than the app wants to keep, or more than it does. One worker of
 * the app does it for all (leased-chore.ts). Rows go in batches with pauses between them, so that writers are not held up.
 */
import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import type { ResultStore } from '../broker/result-store/result-port.ts';
import type { StateStore } from '../broker/state-port.ts';
import type { Clock } from '../core/clock.ts';
import { type ChoreTurn, LeasedChore } from './leased-chore.ts';

const BATCH = 1000;

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

export function createResultRetention(options: ResultRetentionOptions): LeasedChore {
  const { store } = options;
  const key = `results/retention/${createHash('sha256').update(store.url).digest('hex').slice(0, 16)}`;
  return new LeasedChore({
    ...options,
    complaint: 'old results could not be removed; it is tried again',
    act: (turn) => removeOld(options, key, turn),
  });
}

async function removeOld(options: ResultRetentionOptions, key: string, turn: ChoreTurn): Promise<void> {
  const { store, clock, maxAgeMs, maxCount, logger } = options;
  let total = 0;
  while (await turn.holds(key)) {
    const finishedBy = maxAgeMs === undefined ? undefined : clock.now() - maxAgeMs;
    const removed = await store.purge({ finishedBy, keep: maxCount, limit: BATCH });
    total += removed;
    if (removed < BATCH) break;
    await turn.pause();
  }
  if (total > 0) logger.debug({ removed: total }, 'old results were removed');
}
