import { setTimeout as wait } from 'node:timers/promises';
import { inBatches } from '../../../core/batches.ts';
import type { BulkStore } from '../../bulk-store.ts';
import type { Database } from '../database.ts';
import type { Transaction } from '../transaction.ts';
import { promoteJobs, reprocessJobs, rewriteJobs } from './changing.ts';
import { moveJobs } from './moving.ts';
import { readRecords } from './record-reading.ts';
import { removeJobs } from './removing.ts';
import { restoreJobs } from './restoring.ts';

/** Jobs of one transaction where a page may be cut: it holds the write lock of the file for some 1 to 2 ms. */
const JOBS_AT_ONCE = 100;

/**
 * How long the lock is left alone, as a multiple of how long it was held: while another process writes, and when none was seen to for a
 * second. Beside a purge a worker of short tasks lost 22 percent of its rate with 1.5, 18 with 2 and 14 with 3; without smaller
 * transactions and a pause it lost 71.
 */
const PAUSE = { shared: 3, alone: 1 } as const;
const SHARED_FOR_MS = 1000;

/**
 * A page of jobs in a few transactions. Who waits for the write lock of a file stands in no line: it looks again and again. So after
 * each transaction on a part of a page the lock is left alone for a while, and workers of other queues come in between.
 */
export function createSqliteBulk(database: () => Database, prefix: string): BulkStore {
  /** Monotonic, in milliseconds. */
  let freeUntil = 0;
  const inTurns = <Item>(
    items: readonly Item[],
    operation: (transaction: Transaction, slice: readonly Item[], now: number) => string[],
    size = JOBS_AT_ONCE,
  ): Promise<string[]> =>
    inBatches(items, size, async (slice) => {
      const { clock } = database();
      const earlyMs = freeUntil - clock.monotonic();
      if (earlyMs > 0) await wait(earlyMs);
      let since = 0;
      const done = await write((transaction, now) => {
        since = clock.monotonic();
        return operation(transaction, slice, now);
      });
      const until = clock.monotonic();
      const isShared = until - database().othersWroteAt < SHARED_FOR_MS;
      freeUntil = until + (isShared ? PAUSE.shared : PAUSE.alone) * (until - since);
      return done;
    });
  const write = <Result>(operation: (transaction: Transaction, now: number) => Result): Promise<Result> =>
    database().write((transaction) => operation(transaction, database().clock.now()));
  return {
    readRecords: (queue, ids) =>
      database().readAlone((transaction) => readRecords(transaction.queue(prefix, queue), ids, database().clock.now())),
    restore: (queue, records) =>
      write((transaction, now) => restoreJobs(transaction, transaction.queue(prefix, queue), records, now)),
    // Space is given back by the workers that come by: beside the removal of a million jobs it takes as long as that itself.
    remove: async (queue, ids, from) => {
      const remove = (transaction: Transaction, some: readonly string[], now: number): string[] =>
        removeJobs(transaction, transaction.queue(prefix, queue), { ids: some, from }, now);
      // A blocked job goes with those that it waits for, or it would run when they have gone.
      if (from.includes('blocked')) return await inTurns(ids, remove, ids.length);
      const removed = new Set(await inTurns(ids, remove));
      // One that still counts a job of a later transaction among its children was left alone.
      const left = ids.length > JOBS_AT_ONCE ? ids.filter((id) => !removed.has(id)) : [];
      for (const id of await inTurns(left, remove, left.length)) removed.add(id);
      return ids.filter((id) => removed.delete(id));
    },
    move: (queue, ids, target, from) =>
      write((transaction, now) =>
        moveJobs(transaction.queue(prefix, queue), transaction.queue(prefix, target), { ids, from }, now),
      ),
    rewrite: (queue, changes) =>
      inTurns(changes, (transaction, some, now) => rewriteJobs(transaction.queue(prefix, queue), some, now)),
    reprocess: (queue, jobs) =>
      inTurns(jobs, (transaction, some, now) =>
        reprocessJobs(transaction, transaction.queue(prefix, queue), some, now),
      ),
    promote: (queue, ids) =>
      inTurns(ids, (transaction, some, now) => promoteJobs(transaction.queue(prefix, queue), some, now)),
  };
}
