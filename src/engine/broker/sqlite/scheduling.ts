import type { JobsOptions, RepeatableOptions } from 'bullmq';
import { enqueueNew } from './adding.ts';
import { deleteJob, formatOptions, hasJob, type JobHead, readJob } from './job-row.ts';
import type { OpenQueue } from './open-queue.ts';
import { refusal } from './refusal.ts';
import { discardJob } from './removing.ts';
import { readScheduler, removeSchedulerRow, saveScheduler, schedulerJobId } from './scheduler-row.ts';
import type { Transaction } from './transaction.ts';

/**
 * Job schedulers: each has exactly one job ahead, whose id names the scheduler and the instant. The worker that takes that
 * job asks for the next one (`advanceScheduler`), and names the job it holds, so a repeated request adds nothing.
 */

export interface SchedulerChange {
  readonly id: string;
  /** Epoch ms; for a pattern, which BullMQ has worked out. */
  readonly nextAt: number;
  readonly templateData: string;
  readonly templateOpts: JobsOptions;
  readonly options: RepeatableOptions & { readonly startDate?: number; readonly offset?: number | null };
  readonly jobOpts: JobsOptions;
}

/** How many busy slots an `every` schedule passes over before it gives up. */
const SLOTS_TRIED = 32;

/**
 * Makes or changes a scheduler, and puts its next job where the one before it was.
 *
 * @returns the id of that job and its delay in ms
 * @throws the refusals schedulerIdCollision and schedulerSlotsBusy
 */
export function putScheduler(
  transaction: Transaction,
  queue: OpenQueue,
  change: SchedulerChange,
  now: number,
): [string, number] {
  const { id, options } = change;
  const every = options.every;
  const previous = readScheduler(queue, id);
  let nextAt = change.nextAt;
  let offset = options.offset ?? repeatOffset(change.jobOpts);
  let isNewPace = false;
  if (every !== undefined) {
    isNewPace = previous !== undefined && Number(previous.fields['every']) !== every;
    const from = isNewPace ? undefined : previous?.nextAt;
    ({ nextAt, offset } = nextSlot({ previousAt: from, every, now, offset, startDate: options.startDate }));
  }
  // What would be removed is not known to be free before the new job's id is: look first, for a refusal changes nothing.
  const ahead = previous === undefined ? undefined : readJob(queue, schedulerJobId(id, previous.nextAt));
  const replaces = ahead !== undefined && isReplaceable(queue, ahead);
  if (replaces && previous !== undefined && every !== undefined && !isNewPace) nextAt = previous.nextAt;
  const isTaken = (at: number): boolean =>
    hasJob(queue, schedulerJobId(id, at)) && !(replaces && ahead.id === schedulerJobId(id, at));
  if (isTaken(nextAt)) {
    if (every !== undefined) nextAt = freeSlot(nextAt, every, isTaken);
    else throw refusal('schedulerIdCollision', { command: 'addJobScheduler' });
  }
  if (replaces) discardJob(transaction, queue, ahead, now);
  queue.maxEvents();
  saveScheduler(queue, { id, nextAt, fields: toFields(change, replaces ? options.offset : offset, previous?.fields) });
  const delay = Math.max(0, nextAt - now);
  const jobId = schedulerJobId(id, nextAt);
  addFiring(
    queue,
    { id, jobId, name: options.name ?? '', data: change.templateData, opts: change.jobOpts, delay },
    now,
  );
  return [jobId, delay];
}

/** BullMQ does not look at the list of a paused queue: there the job ahead stays, and the new one is added beside it. */
function isReplaceable(queue: OpenQueue, { state }: JobHead): boolean {
  return state === 'delayed' || state === 'prioritized' || (state === 'wait' && !queue.isPaused);
}

function freeSlot(taken: number, every: number, isTaken: (at: number) => boolean): number {
  for (let slot = 1; slot <= SLOTS_TRIED; slot += 1) {
    if (!isTaken(taken + slot * every)) return taken + slot * every;
  }
  throw refusal('schedulerSlotsBusy', { command: 'addJobScheduler' });
}

/**
 * Adds the job of the next firing.
 *
 * @param producerId the job that asks; only the one that the scheduler has ahead may
 * @returns the new job's id, or null when there is no such scheduler or another job has asked already
 */
export function advanceScheduler(
  queue: OpenQueue,
  request: { readonly id: string; readonly nextAt: number; readonly opts: JobsOptions; readonly producerId: string },
  now: number,
): string | null {
  const { id, opts, producerId } = request;
  const scheduler = readScheduler(queue, id);
  if (scheduler === undefined) return null;
  const { fields } = scheduler;
  const every = Number(fields['every'] ?? repeatOf(opts).every ?? 0);
  const { nextAt } =
    every > 0
      ? nextSlot({
          previousAt: scheduler.nextAt,
          every,
          now,
          offset: Number(fields['offset'] ?? repeatOffset(opts)),
          startDate: undefined,
        })
      : request;
  if (producerId !== schedulerJobId(id, scheduler.nextAt)) return null;
  const jobId = schedulerJobId(id, nextAt);
  queue.maxEvents();
  if (hasJob(queue, jobId)) {
    queue.emit(now, 'duplicated', 'jobId', jobId);
    return null;
  }
  saveScheduler(queue, { id, nextAt, fields: { ...fields, ic: String(Number(fields['ic'] ?? 0) + 1) } });
  const delay = Math.max(0, nextAt - now);
  addFiring(queue, { id, jobId, name: fields['name'] ?? '', data: fields['data'] ?? '{}', opts, delay }, now);
  return jobId;
}

/** @returns whether there was such a scheduler; its job ahead is removed with it */
export function removeScheduler(queue: OpenQueue, id: string, now: number): boolean {
  const scheduler = readScheduler(queue, id);
  if (scheduler === undefined) return false;
  const ahead = readJob(queue, schedulerJobId(id, scheduler.nextAt));
  if (ahead?.state === 'delayed') {
    deleteJob(queue, ahead);
    queue.emit(now, 'removed', 'jobId', ahead.id, 'prev', 'delayed');
  }
  return removeSchedulerRow(queue, id);
}

/** Adds the job of a firing; its id must be free. */
export function addFiring(
  queue: OpenQueue,
  firing: { id: string; jobId: string; name: string; data: string; opts: JobsOptions; delay: number },
  now: number,
): void {
  queue.jobsAdded += 1;
  const { id, jobId, name, data, delay } = firing;
  const opts = { ...firing.opts, delay, jobId };
  enqueueNew(
    queue,
    { id: jobId, name, data, opts, parentKey: null, parent: null, isChild: false, schedulerId: id },
    now,
    now,
  );
}

function repeatOffset(opts: JobsOptions): number {
  return repeatOf(opts).offset ?? 0;
}

/** What BullMQ's JobScheduler stores with each job it makes; the public type of a job's options does not have it. */
function repeatOf(opts: JobsOptions): { readonly every?: number; readonly offset?: number | null } {
  return (opts as { repeat?: { every?: number; offset?: number | null } }).repeat ?? {};
}

/**
 * The next instant of a schedule that fires every so many milliseconds: a step after the one before, or, when that is
 * over already, the next multiple of `every` plus the offset. As BullMQ's getJobSchedulerEveryNextMillis.
 */
function nextSlot(schedule: {
  previousAt: number | undefined;
  every: number;
  now: number;
  offset: number;
  startDate: number | undefined;
}): { nextAt: number; offset: number } {
  const { previousAt, every, now, startDate } = schedule;
  let { offset } = schedule;
  const aligned = (): number => {
    const slot = Math.floor(now / every) * every + offset;
    return slot <= now ? slot + every : slot;
  };
  let nextAt: number;
  if (previousAt !== undefined) {
    nextAt = previousAt + every;
    if (nextAt < now) nextAt = aligned();
  } else if (startDate !== undefined) {
    nextAt = Math.max(startDate, now);
  } else {
    nextAt = offset > 0 ? aligned() : now;
  }
  if (offset === 0) offset = nextAt - Math.floor(nextAt / every) * every;
  return { nextAt: Math.floor(nextAt), offset: Math.floor(offset) };
}

/** The stored fields, all text; absent ones are left out, as BullMQ reads them. */
function toFields(
  { options, templateData, templateOpts }: SchedulerChange,
  offset: number | null | undefined,
  previous: Readonly<Record<string, string>> | undefined,
): Record<string, string> {
  const kept = offset == null ? previous?.['offset'] : String(offset);
  const opts = formatOptions(templateOpts);
  const { name, tz, limit, pattern, startDate, endDate, every } = options;
  const fields: Record<string, string | number | null | undefined> = {
    name,
    tz,
    limit,
    pattern,
    startDate,
    endDate,
    every,
    offset: kept,
    ...(opts !== '{}' && { opts }),
    ...(templateData !== '{}' && templateData !== '' && { data: templateData }),
    ic: previous?.['ic'] ?? 1,
  };
  return Object.fromEntries(
    Object.entries(fields).flatMap(([field, value]) => (value == null ? [] : [[field, String(value)]])),
  );
}
