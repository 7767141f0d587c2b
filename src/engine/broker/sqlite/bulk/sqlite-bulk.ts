import type { BulkStore } from '../../bulk-store.ts';
import type { Database } from '../database.ts';
import type { Transaction } from '../transaction.ts';
import { promoteJobs, reprocessJobs, rewriteJobs } from './changing.ts';
import { moveJobs } from './moving.ts';
import { readRecords } from './record-reading.ts';
import { removeJobs } from './removing.ts';
import { restoreJobs } from './restoring.ts';

/** A page of jobs in one transaction. A page of 500 small jobs holds the write lock of the file for some 10 ms. */
export function createSqliteBulk(database: () => Database, prefix: string): BulkStore {
  const write = <Result>(operation: (transaction: Transaction, now: number) => Result): Promise<Result> =>
    database().write((transaction) => operation(transaction, database().clock.now()));
  return {
    readRecords: (queue, ids) =>
      database().read((transaction) => readRecords(transaction.queue(prefix, queue), ids, database().clock.now())),
    restore: (queue, records) =>
      write((transaction, now) => restoreJobs(transaction, transaction.queue(prefix, queue), records, now)),
    // Space is given back by the workers that come by: beside the removal of a million jobs it takes as long as that itself.
    remove: (queue, ids, from) =>
      write((transaction, now) => removeJobs(transaction, transaction.queue(prefix, queue), { ids, from }, now)),
    move: (queue, ids, target, from) =>
      write((transaction, now) =>
        moveJobs(transaction.queue(prefix, queue), transaction.queue(prefix, target), { ids, from }, now),
      ),
    rewrite: (queue, changes) =>
      write((transaction, now) => rewriteJobs(transaction.queue(prefix, queue), changes, now)),
    reprocess: (queue, jobs) =>
      write((transaction, now) => reprocessJobs(transaction, transaction.queue(prefix, queue), jobs, now)),
    promote: (queue, ids) => write((transaction, now) => promoteJobs(transaction.queue(prefix, queue), ids, now)),
  };
}
