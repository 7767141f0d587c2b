import type { Finding } from '../core/checkup/finding.ts';
import type { QueueLeftovers, RemovedLeftovers } from '../core/checkup/leftovers.ts';

/**
 * Looks into a store for what can harm its jobs. Everything is bounded: no command holds the store up, and what is too large to be
 * looked through is said to be so. Every store keeps the same promises (test/engine/broker/contract/checking.ts):
 *
 * 1. Looking changes nothing.
 * 2. What is removed is looked at again in the same moment: what has come back to life meanwhile stays.
 */
export interface BrokerCheckup {
  /** What the settings of the store and its server mean for jobs. */
  checkSettings(): Promise<Finding[]>;
  /** The instant by the clock of the store's server, epoch ms; null for a store that has that of this machine. */
  readTime(): Promise<number | null>;
  listLeftovers(queues: readonly string[]): Promise<Leftovers>;
  /** Removes stray keys, orphans and events beyond the bound. */
  removeLeftovers(leftovers: readonly QueueLeftovers[]): Promise<RemovedLeftovers>;
}

export interface Leftovers {
  readonly queues: readonly QueueLeftovers[];
  /** False when the store holds more than was looked through: there may be more. */
  readonly isWhole: boolean;
}

/** Stray keys, orphans and schedules that are listed of a queue. */
export const LEFTOVERS_LISTED = 10_000;
