import type { JobJson, ParentKeyOpts } from 'bullmq';
import { addChild } from './child-ledger.ts';
import { deduplicate, type NextJob } from './deduplication.ts';
import { delayedPlace, waitingPlace } from './job-place.ts';
import { hasJob, insertJob, type JobHead, readJob, readJobJson, updateJob } from './job-row.ts';
import type { OpenQueue } from './open-queue.ts';
import { openParent, type ParentPlace, releaseIfComplete } from './parent-release.ts';
import { asFailure, refusal, refusalCode } from './refusal.ts';
import type { Transaction } from './transaction.ts';

export interface Addition {
  readonly job: JobJson;
  /** Empty for the queue's next number. */
  readonly jobId: string;
  readonly parentKeyOpts: ParentKeyOpts;
}

/**
 * Adds a job: to `waiting-children` when it is the parent of a flow, to `delayed`, or to where it may run.
 *
 * An id that is taken adds nothing; the job that has it is given the parent of the new one, if it has none. A
 * deduplication id that is held adds nothing either (see deduplication.ts).
 *
 * @returns the id of the job that was added, or of the one that stands in its way
 * @throws the refusals missingParent and parentCannotBeReplaced
 */
export function addJob(transaction: Transaction, queue: OpenQueue, addition: Addition, now: number): string {
  return add(transaction, queue, addition, now, undefined);
}

/** @returns the ids in order; when one is refused, none is added */
export function addJobs(
  transaction: Transaction,
  queue: OpenQueue,
  additions: readonly Addition[],
  now: number,
): string[] {
  for (const { job, parentKeyOpts } of additions) assertParent(transaction, job, parentKeyOpts);
  return additions.map((addition, index) => {
    try {
      return addJob(transaction, queue, addition, now);
    } catch (error) {
      // Jobs before this one are written already: as a failure it undoes them, a refusal would leave them.
      throw index === 0 ? error : asFailure(error);
    }
  });
}

export interface FlowNode extends Addition {
  readonly prefix: string;
  readonly queueName: string;
}

/**
 * Adds a tree of jobs, parents first. A parent is let go only when the whole tree is in: a child that had been completed
 * before would else release it too early.
 *
 * @returns for each node its id, or the code with which it was refused
 */
export function addFlow(transaction: Transaction, nodes: readonly FlowNode[], now: number): [null, string | number][] {
  const parents = new Map<string, ParentPlace>();
  const rejectedParents = new Set<string>();
  const answers = nodes.map((node): [null, string | number] => {
    const queue = transaction.queue(node.prefix, node.queueName);
    const { parentKey } = node.parentKeyOpts;
    if (parentKey !== undefined && node.job.parent !== undefined) {
      parents.set(parentKey, openParent(transaction, parentKey, JSON.stringify(node.job.parent)));
    }
    try {
      return [null, add(transaction, queue, node, now, rejectedParents)];
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (code === refusalCode('missingParent') || code === refusalCode('parentCannotBeReplaced')) {
        return [null, code as number];
      }
      throw error;
    }
  });
  for (const [key, parent] of parents) if (!rejectedParents.has(key)) releaseIfComplete(parent, now);
  return answers;
}

/** @param rejectedParents given within a flow: takes the parents that could not get a child, and puts off their release */
function add(
  transaction: Transaction,
  queue: OpenQueue,
  addition: Addition,
  now: number,
  rejectedParents: Set<string> | undefined,
): string {
  const { job, jobId, parentKeyOpts } = addition;
  const parent = assertParent(transaction, job, parentKeyOpts);
  queue.jobsAdded += 1;
  queue.maxEvents();
  const id = jobId === '' || jobId === undefined ? String(queue.jobsAdded) : jobId;
  const isChild = Boolean(parentKeyOpts.parentDependenciesKey);
  if (jobId !== '' && jobId !== undefined) {
    const existing = readJob(queue, id);
    if (existing !== undefined) {
      adoptExisting(transaction, queue, existing, { ...addition, parent, isChild, rejectedParents });
      queue.emit(now, 'duplicated', 'jobId', id);
      return id;
    }
  }
  const next = toNextJob(job, id, isChild);
  const isParent = parentKeyOpts.addToWaitingChildren === true;
  if (job.opts.deduplication?.id) {
    const holder = deduplicate(queue, next, { now, timestamp: job.timestamp, mayReplace: !isParent });
    if (holder !== undefined) return holder;
  }
  if (isParent) {
    insert(queue, next, job.timestamp, now, { state: 'waiting-children', rank: job.timestamp });
    queue.emit(now, 'waiting-children', 'jobId', id);
  } else {
    enqueueNew(queue, next, job.timestamp, now);
  }
  if (isChild && parent !== undefined) addChild(parent.queue, parent.id, 'unprocessed', queue.jobKey(id));
  return id;
}

/**
 * Stores a new job at once where its options send it: delayed, prioritized or waiting.
 *
 * @param timestamp what its delay counts from, epoch ms
 */
export function enqueueNew(queue: OpenQueue, job: NextJob, timestamp: number, now: number): void {
  const { delay = 0, priority = 0, lifo = false } = job.opts;
  // BullMQ's priority counts in the list a job goes to; a job that is delayed first gets its place when it is due.
  if (delay > 0) {
    const place = delayedPlace(queue, timestamp, delay);
    insert(queue, job, timestamp, now, place);
    queue.emit(now, 'delayed', 'jobId', job.id, 'delay', String(place.dueAt));
  } else {
    insert(queue, job, timestamp, now, waitingPlace(queue, priority, lifo));
    queue.emit(now, 'waiting', 'jobId', job.id);
  }
}

function insert(
  queue: OpenQueue,
  job: NextJob,
  timestamp: number,
  now: number,
  { state, rank }: { state: Parameters<typeof insertJob>[2]; rank: number },
): void {
  const { delay = 0, priority = 0, deduplication } = job.opts;
  const deduplicationId = deduplication?.id ?? null;
  const { id, name, data, opts, parentKey, parent, schedulerId } = job;
  insertJob(
    queue,
    { id, name, data, opts, timestamp, delay, priority, parentKey, parent, schedulerId, deduplicationId },
    state,
    rank,
  );
  queue.emit(now, 'added', 'jobId', id, 'name', name);
}

function toNextJob(job: JobJson, id: string, isChild: boolean): NextJob {
  const parentKey = job.parentKey ?? null;
  return {
    id,
    name: job.name,
    data: job.data,
    opts: job.opts,
    parentKey,
    parent: parentKey === null || job.parent === undefined ? null : JSON.stringify(job.parent),
    isChild,
    schedulerId: job.repeatJobKey ?? null,
  };
}

/** A child cannot be added to a parent that is not there. */
function assertParent(transaction: Transaction, job: JobJson, opts: ParentKeyOpts): ParentPlace | undefined {
  if (!job.parentKey) return undefined;
  const parent = openParent(transaction, job.parentKey, job.parent === undefined ? null : JSON.stringify(job.parent));
  if (!hasJob(parent.queue, parent.id)) {
    throw refusal('missingParent', { parentKey: opts.parentKey, command: 'addJob' });
  }
  return parent;
}

interface Adoption extends Addition {
  readonly parent: ParentPlace | undefined;
  readonly isChild: boolean;
  readonly rejectedParents: Set<string> | undefined;
}

/** Gives a job that is there already the parent of the one that was to be added under its id. */
function adoptExisting(
  transaction: Transaction,
  queue: OpenQueue,
  existing: JobHead,
  { job, parentKeyOpts, parent, isChild, rejectedParents }: Adoption,
): void {
  if (parent === undefined || job.parentKey === undefined) return;
  if (existing.parentKey !== null && existing.parentKey !== job.parentKey) {
    const current = openParent(transaction, existing.parentKey, existing.parent);
    if (hasJob(current.queue, current.id)) {
      rejectedParents?.add(job.parentKey);
      throw refusal('parentCannotBeReplaced', { parentKey: parentKeyOpts.parentKey, command: 'addJob' });
    }
  }
  const key = queue.jobKey(existing.id);
  if (existing.state === 'completed') {
    const returnValue = readJobJson(queue, existing.id)?.returnvalue ?? 'null';
    addChild(parent.queue, parent.id, 'processed', key, { value: returnValue });
    if (rejectedParents === undefined) releaseIfComplete(parent, job.timestamp);
  } else if (isChild) {
    addChild(parent.queue, parent.id, 'unprocessed', key);
  }
  updateJob(queue, existing, {
    parent_key: job.parentKey,
    parent: job.parent === undefined ? null : JSON.stringify(job.parent),
  });
}
