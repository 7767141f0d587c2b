import type { Clock } from '../../../core/clock.ts';
import type { BulkStore } from '../../bulk-store.ts';
import type { Query, Transact } from '../transaction.ts';
import { promoteJobs, reprocessJobs, rewriteJobs } from './changing.ts';
import { moveJobs } from './moving.ts';
import { readRecords } from './record-reading.ts';
import { removeJobs } from './removing.ts';
import { restoreJobs } from './restoring.ts';

/** A page of jobs in one transaction of a few statements, over BullMQ's tables and with its locks. */
export function createPostgresBulk(query: Query, transact: Transact, clock: Clock): BulkStore {
  return {
    readRecords: (queue, ids) => readRecords(query, queue, ids, clock.now()),
    restore: async (queue, records) =>
      records.length === 0 ? [] : await restoreJobs(transact, queue, records, clock.now()),
    remove: (queue, ids, from) => removeJobs(transact, queue, { ids, from }, clock.now()),
    move: (queue, ids, target, from) => moveJobs(transact, queue, { ids, from, target }, clock.now()),
    rewrite: (queue, changes) => rewriteJobs(transact, queue, changes, clock.now()),
    reprocess: (queue, jobs) => reprocessJobs(transact, queue, jobs),
    promote: (queue, ids) => promoteJobs(transact, queue, ids),
  };
}
