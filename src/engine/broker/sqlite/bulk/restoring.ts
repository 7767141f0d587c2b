import type { JobRecord, RecordChild, RecordParent } from '../../../core/job-record.ts';
import type { Restored } from '../../bulk-port.ts';
import { holdOf, isUnfinished, leftBehind, ON_DEAD } from '../../record-values.ts';
import { addChild, hasChild } from '../child-ledger.ts';
import { takeHold } from '../deduplication.ts';
import { dueAtOf, type Place } from '../job-place.ts';
import { formatOptions, hasJob, type JobHead, readJob, readJobJson } from '../job-row.ts';
import type { OpenQueue } from '../open-queue.ts';
import { completeChild, failChild, type ParentPlace, releaseIfComplete } from '../parent-release.ts';
import { type ChildKind, STATE_CODES } from '../schema.ts';
import type { Transaction } from '../transaction.ts';
import { findPlaces } from './old-places.ts';

/**
 * Puts recorded jobs back:
 *
 * 1. Parents before their children, so that what a child finds of its parent is what the parent was recorded with.
 * 2. A job whose id is there is left as it is. One that was still to run, and that its parent has gone on without, is refused.
 * 3. Each gets its row at its old place, its log, what it knew of its children, and its unique key if nobody else holds it.
 * 4. A parent that still waits counts it as out again. What has ended in the meantime is told to the parent: a job may come back
 *    before or after its parent.
 */
export function restoreJobs(
  transaction: Transaction,
  queue: OpenQueue,
  records: readonly JobRecord[],
  now: number,
): Restored[] {
  const answers = new Map<JobRecord, Restored>();
  const refused = new Set<string>();
  const parents = new Map<string, ParentPlace>();
  const places = findPlaces(
    queue,
    records.filter(({ id }) => !hasJob(queue, id)),
  );
  for (const record of parentsFirst(records)) {
    const { id, parent } = record;
    const place = places.get(record);
    if (place === undefined || hasJob(queue, id)) {
      answers.set(record, { id, kind: 'present' });
    } else if (isLeftBehind(transaction, queue, record) || (parent?.queue === queue.name && refused.has(parent.id))) {
      refused.add(id);
      answers.set(record, { id, kind: 'refused', reason: leftBehind(record) });
    } else {
      putBack(transaction, queue, record, place, now);
      for (const parent of joinFamily(transaction, queue, record, now)) {
        parents.set(`${parent.queue.key}:${parent.id}`, parent);
      }
      answers.set(record, { id, kind: 'restored' });
    }
  }
  for (const parent of parents.values()) releaseIfComplete(parent, now);
  return records.map((record) => answers.get(record) as Restored);
}

function parentsFirst(records: readonly JobRecord[]): JobRecord[] {
  const byId = new Map(records.map((record) => [record.id, record]));
  const sorted = new Set<JobRecord>();
  const add = (record: JobRecord, path: ReadonlySet<JobRecord>): void => {
    if (sorted.has(record) || path.has(record)) return;
    const parent = record.parent === null ? undefined : byId.get(record.parent.id);
    if (parent !== undefined) add(parent, new Set([...path, record]));
    sorted.add(record);
  };
  for (const record of records) add(record, new Set());
  return [...sorted];
}

/** Whether the parent of a job that has still to run is there and does not wait for it any more. */
function isLeftBehind(transaction: Transaction, queue: OpenQueue, record: JobRecord): boolean {
  const { id, parent } = record;
  if (parent === null || !isUnfinished(record)) return false;
  const place = toPlace(transaction, queue, parent);
  const waiting = readJob(place.queue, place.id);
  // While its parent is away it runs for itself; the parent that comes back later finds it.
  if (waiting === undefined || isOut(place, queue.jobKey(id))) return false;
  return waiting.state !== 'waiting-children' || isEnded(place, queue.jobKey(id));
}

function isOut({ queue, id }: ParentPlace, key: string): boolean {
  return hasChild(queue, id, 'unprocessed', key);
}

function isEnded({ queue, id }: ParentPlace, key: string): boolean {
  return (['processed', 'ignored', 'failed'] as const).some((kind) => hasChild(queue, id, kind, key));
}

function toPlace(transaction: Transaction, queue: OpenQueue, { queue: name, id }: RecordParent): ParentPlace {
  return { queue: transaction.queue(queue.prefix, name), id };
}

const INSERT = `INSERT INTO job (queue_id, id, state, rank, timestamp, delay, priority, attempts_made, attempts_started, stalled_count,
  processed_on, finished_on, processed_by, parent_key, parent, scheduler_id, deduplication_id, deferred_failure, failed_reason, progress,
  name, opts, stacktrace, return_value, data)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const ADD_LINE = 'INSERT OR REPLACE INTO log (queue_id, job_id, line_no, line) VALUES (?, ?, ?, ?)';

function putBack(transaction: Transaction, queue: OpenQueue, record: JobRecord, place: Place, now: number): void {
  const { connection } = transaction;
  const { id, parent, stacks, unique } = record;
  queue.maxEvents();
  connection.run(
    INSERT,
    queue.id,
    id,
    STATE_CODES[place.state],
    place.rank,
    record.createdAt,
    record.delayMs,
    record.priority,
    record.attemptsMade,
    record.attemptsStarted,
    record.workersLost,
    record.startedAt,
    record.finishedAt,
    record.worker,
    parent === null ? null : `${queue.prefix}:${parent.queue}:${parent.id}`,
    parent === null ? null : formatParent(queue, parent),
    record.schedulerId,
    unique,
    record.deferredFailure,
    record.failure,
    record.progress,
    record.task,
    formatOptions(record.options),
    stacks.length === 0 ? null : JSON.stringify(stacks),
    record.result,
    record.data,
  );
  queue.addToCount(place.state, 1);
  for (const [index, line] of record.log.entries()) connection.run(ADD_LINE, queue.id, id, index + 1, line);
  const hold = holdOf(record);
  if (unique !== null && hold !== null) takeHold(queue, unique, { jobId: id, expiresAt: hold.until }, now);
  tell(queue, id, place, now);
}

function formatParent({ prefix }: OpenQueue, { queue, id, onDead }: RecordParent): string {
  const field = ON_DEAD.find(([kind]) => kind === onDead)?.[1];
  return JSON.stringify({ id, queueKey: `${prefix}:${queue}`, ...(field !== undefined && { [field]: true }) });
}

/** Those who watch the queue learn that there is a job to run; what had ended ends no second time. */
export function tell(queue: OpenQueue, id: string, { state, rank }: Place, now: number): void {
  if (state === 'failed' || state === 'completed') return;
  if (state === 'delayed') queue.emit(now, 'delayed', 'jobId', id, 'delay', String(dueAtOf(rank)));
  else queue.emit(now, state === 'waiting-children' ? state : 'waiting', 'jobId', id);
  queue.notices.jobs = true;
}

const KINDS: Readonly<Record<RecordChild['end'], ChildKind>> = {
  pending: 'unprocessed',
  done: 'processed',
  ignored: 'ignored',
  failed: 'failed',
};

/** @returns parents that may have nobody left to wait for */
function joinFamily(transaction: Transaction, queue: OpenQueue, record: JobRecord, now: number): ParentPlace[] {
  const own: ParentPlace = { queue, id: record.id };
  const pending = record.children.filter(({ end }) => end === 'pending');
  for (const [index, { queue: name, id, end, value }] of record.children.entries()) {
    const key = transaction.queue(queue.prefix, name).jobKey(id);
    addChild(queue, record.id, KINDS[end], key, { value, score: index });
  }
  for (const { queue: name, id } of pending) {
    const childQueue = transaction.queue(queue.prefix, name);
    const child = readJob(childQueue, id);
    if (child !== undefined) tellEnd(childQueue, child, own, now);
  }
  const families = pending.length > 0 || record.place === 'blocked' ? [own] : [];
  if (record.parent === null) return families;
  const parent = toPlace(transaction, queue, record.parent);
  const key = queue.jobKey(record.id);
  const waiting = readJob(parent.queue, parent.id);
  if (waiting === undefined) return families;
  // A dead letter that its parent waits for in spite of it is out as well.
  const isWaitedFor = isUnfinished(record) || (record.place === 'dead' && record.parent.onDead === null);
  if (isWaitedFor && waiting.state === 'waiting-children' && !isEnded(parent, key)) {
    addChild(parent.queue, parent.id, 'unprocessed', key);
  } else if (isOut(parent, key)) {
    tellEnd(queue, readJob(queue, record.id) as JobHead, parent, now);
  }
  return [...families, parent];
}

/** A child that has ended already ends for a parent that takes it to be out. */
function tellEnd(queue: OpenQueue, child: JobHead, parent: ParentPlace, now: number): void {
  const key = queue.jobKey(child.id);
  const own = child.parentKey === null ? undefined : child.parentKey === parent.queue.jobKey(parent.id);
  if (own !== true || (child.state !== 'completed' && child.state !== 'failed')) return;
  const json = readJobJson(queue, child.id);
  if (child.state === 'completed') completeChild(parent, key, String(json?.returnvalue ?? 'null'), now);
  else failChild(parent, { key, parent: child.parent, failedReason: json?.failedReason ?? '' }, now);
}
