import type { Clock } from '../../../core/clock.ts';
import type { BulkStore } from '../../bulk-store.ts';
import type { RedisClient } from '../redis-client.ts';
import { readRecords } from './redis-records.ts';
import { removeJobs } from './redis-removing.ts';
import { restoreJobs } from './redis-restoring.ts';

export interface RedisBulkOptions {
  /** BullMQ's key prefix. */
  readonly prefix: string;
  readonly clock: Clock;
}

/** Many jobs in one call, by scripts of tq's own beside BullMQ's. */
export function createRedisBulk(
  client: RedisClient,
  { prefix, clock }: RedisBulkOptions,
): Pick<BulkStore, 'readRecords' | 'restore' | 'remove'> {
  const baseOf = (queue: string): string => `${prefix}:${queue}`;
  return {
    readRecords: (queue, ids) => readRecords(client, prefix, queue, ids),
    restore: (queue, records) => restoreJobs(client, { queue, prefix, now: clock.now() }, records),
    remove: (queue, ids, from) => removeJobs(client, baseOf(queue), ids, from),
  };
}
