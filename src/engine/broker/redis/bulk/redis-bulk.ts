import type { Clock } from '../../../core/clock.ts';
import type { BulkStore } from '../../bulk-store.ts';
import type { RedisClient } from '../redis-client.ts';
import type { BulkQueue } from './bulk-script.ts';
import { moveJobs } from './redis-moving.ts';
import { readRecords } from './redis-records.ts';
import { removeJobs } from './redis-removing.ts';
import { promoteJobs, reprocessJobs } from './redis-reprocessing.ts';
import { restoreJobs } from './redis-restoring.ts';
import { rewriteJobs } from './redis-rewriting.ts';

export interface RedisBulkOptions {
  /** BullMQ's key prefix. */
  readonly prefix: string;
  readonly clock: Clock;
}

/** Many jobs in one call, by scripts of tq's own beside BullMQ's. */
export function createRedisBulk(client: RedisClient, { prefix, clock }: RedisBulkOptions): BulkStore {
  const baseOf = (queue: string): string => `${prefix}:${queue}`;
  const placeOf = (queue: string): BulkQueue => ({ queue, prefix, now: clock.now() });
  return {
    readRecords: (queue, ids) => readRecords(client, placeOf(queue), ids),
    restore: (queue, records) => restoreJobs(client, placeOf(queue), records),
    remove: (queue, ids, from) => removeJobs(client, baseOf(queue), ids, from),
    move: (queue, ids, target, from) => moveJobs(client, { prefix, from: queue, to: target }, ids, from),
    rewrite: (queue, changes) => rewriteJobs(client, baseOf(queue), changes, clock.now()),
    reprocess: (queue, jobs) => reprocessJobs(client, baseOf(queue), jobs),
    promote: (queue, ids) => promoteJobs(client, baseOf(queue), ids),
  };
}
