import { statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { ok } from '../../core/checkup/finding.ts';
import { isOvergrown, type StrayKey } from '../../core/checkup/leftovers.ts';
import { EVENTS_BOUND, listSchedules, type ScheduleParts, toEventsBound } from '../checkup/schedules.ts';
import { type BrokerCheckup, LEFTOVERS_LISTED } from '../checkup-port.ts';
import type { Database } from './database.ts';
import { checkSqliteSettings } from './sqlite-settings.ts';

/** A larger file is not looked through: that takes a second for some hundred MiB, in which this process does nothing else. */
const LARGEST_LOOKED_THROUGH = 256 * 2 ** 20;

/** A key that has an end ends by itself. */
const STRAY = `deduplication.expires_at IS NULL AND NOT EXISTS (
  SELECT 1 FROM job WHERE job.queue_id = deduplication.queue_id AND job.id = deduplication.job_id)`;
const THE_QUEUE = '(SELECT queue_id FROM queue WHERE prefix = ?1 AND name = ?2)';
const LIST_STRAY = `SELECT id, job_id FROM deduplication WHERE queue_id = ${THE_QUEUE} AND ${STRAY} ORDER BY id LIMIT ?3`;
const REMOVE_STRAY = `DELETE FROM deduplication WHERE queue_id = ${THE_QUEUE} AND id = ?3 AND job_id = ?4 AND ${STRAY}`;
const READ_EVENTS = `SELECT event_count, (SELECT value FROM meta WHERE meta.queue_id = queue.queue_id AND field = ?3)
  FROM queue WHERE prefix = ?1 AND name = ?2`;

interface CheckupParts extends ScheduleParts {
  readonly prefix: string;
  readonly path: string;
  readonly synchronous: 'normal' | 'full';
}

/** A job is one row, so its record cannot be in no list: there are no orphans. */
export function createSqliteCheckup(database: () => Database, parts: CheckupParts): BrokerCheckup {
  const { prefix, path, synchronous, backendOf } = parts;
  const read = (sql: string, ...values: (string | number)[]) =>
    database().read((transaction) => transaction.connection.all(sql, ...values));
  return {
    async checkSettings() {
      if (path === ':memory:') return [ok('durability', 'the jobs are in the memory of this process')];
      const fileBytes = sizeOf(path);
      const [row] = fileBytes > LARGEST_LOOKED_THROUGH ? [] : await read('PRAGMA quick_check(1)');
      const { bavail, bsize, type } = statfsSync(dirname(path));
      return checkSqliteSettings({
        ...{ path, synchronous, fileBytes },
        walBytes: sizeOf(`${path}-wal`),
        freeBytes: bavail * bsize,
        fileSystem: type,
        integrity: row === undefined ? null : String(row[0]),
      });
    },
    readTime: async () => null,
    async listLeftovers(names) {
      const queues = [];
      for (const queue of names) {
        const stray = await read(LIST_STRAY, prefix, queue, LEFTOVERS_LISTED);
        const [events] = await read(READ_EVENTS, prefix, queue, EVENTS_BOUND);
        queues.push({
          queue,
          strayKeys: stray.map(([key, holder]): StrayKey => ({ key: key as string, holder: holder as string })),
          orphans: [],
          events: { length: (events?.[0] as number) ?? 0, bound: toEventsBound(events?.[1] as string | null) },
          schedules: await listSchedules(queue, parts),
        });
      }
      return { queues, isWhole: true };
    },
    async removeLeftovers(leftovers) {
      const removed = { keys: 0, orphans: 0, events: 0 };
      for (const { queue, strayKeys, events } of leftovers) {
        removed.keys += await database().write(({ connection }) =>
          strayKeys.reduce((sum, { key, holder }) => sum + connection.run(REMOVE_STRAY, prefix, queue, key, holder), 0),
        );
        if (isOvergrown(events)) removed.events += await backendOf(queue).trimEvents(events.bound);
      }
      return removed;
    },
  };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
