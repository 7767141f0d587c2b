import type { NextFiring, SchedulerRecord, ScheduleStore } from '../schedule-store.ts';
import type { Database } from './database.ts';
import { deleteJob, hasJob, readJob } from './job-row.ts';
import type { OpenQueue } from './open-queue.ts';
import { discardJob } from './removing.ts';
import { readScheduler, removeSchedulerRow, saveScheduler, schedulerJobId } from './scheduler-row.ts';
import { addFiring } from './scheduling.ts';
import { STATE_NAMES } from './schema.ts';
import type { Transaction } from './transaction.ts';

/**
 * The due time of a scheduler is REAL, which SQLite would write into a text with a fraction. Each wanted id is looked up: without CROSS
 * SQLite goes through all schedulers of the queue instead.
 */
const READ = `SELECT wanted.value, scheduler.next_at, scheduler.fields, job.state FROM json_each(?3) AS wanted
  CROSS JOIN queue ON queue.prefix = ?1 AND queue.name = ?2
  CROSS JOIN scheduler ON scheduler.queue_id = queue.queue_id AND scheduler.id = wanted.value
  LEFT JOIN job ON job.queue_id = queue.queue_id
    AND job.id = 'repeat:' || wanted.value || ':' || CAST(scheduler.next_at AS INTEGER)`;

export function createSqliteSchedules(database: () => Database, prefix: string): ScheduleStore {
  return {
    async read(queue, ids) {
      const rows = await database().read(({ connection }) => connection.all(READ, prefix, queue, JSON.stringify(ids)));
      const found = new Map(rows.map(([id, ...row]) => [id as string, toRecord(row)]));
      return ids.map((id) => found.get(id) ?? null);
    },
    put: (queue, firing, now) =>
      database().write((transaction) => putFiring(transaction, transaction.queue(prefix, queue), firing, now)),
    remove: (queue, id, now) =>
      database().write((transaction) => removeUndue(transaction.queue(prefix, queue), id, now)),
  };
}

function toRecord([dueAt, stored, state]: readonly unknown[]): SchedulerRecord {
  const fields = JSON.parse(stored as string) as Readonly<Record<string, string | undefined>>;
  const { name = '', ic = '1', pattern = null, every = null, opts = null } = fields;
  const stateName = STATE_NAMES.get(state) ?? null;
  return { dueAt: dueAt as number, state: stateName, name, made: Number(ic), pattern, every, opts };
}

function putFiring(
  transaction: Transaction,
  queue: OpenQueue,
  { id, from, to, made, replaces, opts, template }: NextFiring,
  now: number,
): 'put' | 'taken' | 'moved' {
  const scheduler = readScheduler(queue, id);
  if ((scheduler?.nextAt ?? null) !== from) return 'moved';
  const jobId = schedulerJobId(id, to);
  const ahead = from === null || !replaces ? undefined : readJob(queue, schedulerJobId(id, from));
  if (ahead !== undefined && ahead.state !== 'delayed') return 'moved';
  if (hasJob(queue, jobId) && ahead?.id !== jobId) return 'taken';
  if (ahead !== undefined) {
    discardJob(transaction, queue, ahead, now);
    queue.emit(now, 'removed', 'jobId', ahead.id, 'prev', 'delayed');
  }
  const fields: Readonly<Record<string, string>> =
    template === undefined ? (scheduler?.fields ?? {}) : { ...template, opts: JSON.stringify(template.opts) };
  queue.maxEvents();
  saveScheduler(queue, { id, nextAt: to, fields: { ...fields, ic: String(made) } });
  const delay = Math.max(0, to - now);
  addFiring(queue, { id, jobId, name: fields['name'] ?? '', data: fields['data'] ?? '{}', opts, delay }, now);
  return 'put';
}

function removeUndue(queue: OpenQueue, id: string, now: number): boolean {
  const scheduler = readScheduler(queue, id);
  if (scheduler === undefined) return false;
  const ahead = readJob(queue, schedulerJobId(id, scheduler.nextAt));
  if (ahead?.state === 'delayed' && scheduler.nextAt > now) {
    deleteJob(queue, ahead);
    queue.emit(now, 'removed', 'jobId', ahead.id, 'prev', 'delayed');
  }
  return removeSchedulerRow(queue, id);
}
