import type { NextFiring, SchedulerRecord, ScheduleStore } from '../schedule-store.ts';
import type { Database } from './database.ts';
import { deleteJob, hasJob, readJob } from './job-row.ts';
import type { OpenQueue } from './open-queue.ts';
import { discardJob } from './removing.ts';
import { readScheduler, removeSchedulerRow, saveScheduler, schedulerJobId } from './scheduler-row.ts';
import { addFiring } from './scheduling.ts';
import type { Transaction } from './transaction.ts';

export function createSqliteSchedules(database: () => Database, prefix: string): ScheduleStore {
  return {
    read: (queue, ids) =>
      database().read((transaction) => {
        const opened = transaction.queue(prefix, queue);
        return ids.map((id) => readRecord(opened, id));
      }),
    put: (queue, firing, now) =>
      database().write((transaction) => putFiring(transaction, transaction.queue(prefix, queue), firing, now)),
    remove: (queue, id, now) =>
      database().write((transaction) => removeUndue(transaction.queue(prefix, queue), id, now)),
  };
}

function readRecord(queue: OpenQueue, id: string): SchedulerRecord | null {
  const scheduler = readScheduler(queue, id);
  if (scheduler === undefined) return null;
  const { nextAt: dueAt, fields } = scheduler;
  const state = readJob(queue, schedulerJobId(id, dueAt))?.state ?? null;
  const { name = '', ic = '1', pattern = null, every = null, opts = null } = fields;
  return { dueAt, state, name, made: Number(ic), pattern, every, opts };
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
