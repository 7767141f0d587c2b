import type { JobBrief } from '../../../src/engine/broker/port.ts';
import type { ArmedFiring, QueueSchedules, SchedulerState } from '../../../src/engine/broker/schedule-port.ts';
import { formatFiringId } from '../../../src/engine/core/schedule/firing.ts';

interface Scheduler {
  dueAt: number;
  made: number;
  firing: ArmedFiring;
}

export interface FakeSchedules extends QueueSchedules {
  /** Due times of the jobs that there were, by entry, in their order. */
  listFired(entry: string): number[];
  /** What was asked of it, one line a call. */
  readonly calls: readonly string[];
  /** Deletes a job, as an operator might. */
  deleteJob(id: string): void;
  /** A worker has taken it and is done with it; goes on from nothing. */
  finishJob(id: string): void;
  listBriefs(ids: readonly string[]): JobBrief[];
  /** Every call fails so, until it is undefined. */
  failure: Error | undefined;
}

/** The job schedulers of a queue in memory, with the promises of the port. */
export function createFakeSchedules(queue: string, now: () => number): FakeSchedules {
  const schedulers = new Map<string, Scheduler>();
  const jobs = new Map<string, 'there' | 'finished' | 'deleted'>();
  const calls: string[] = [];

  const stateOf = (id: string): SchedulerState | undefined => {
    const scheduler = schedulers.get(id);
    if (scheduler === undefined) return undefined;
    const { dueAt, made, firing } = scheduler;
    const job = jobs.get(formatFiringId(id, dueAt));
    const there = dueAt > now() ? 'scheduled' : 'waiting';
    const ahead = job === 'there' ? there : job === 'finished' ? 'finished' : 'missing';
    const { runsBefore, rule, job: template } = firing;
    return { id, dueAt, ahead, made, runsBefore, rule, task: template.task, text: null };
  };
  const add = (id: string, dueAt: number): boolean => {
    const job = formatFiringId(id, dueAt);
    if (jobs.get(job) === 'there' || jobs.get(job) === 'finished') return false;
    jobs.set(job, 'there');
    return true;
  };
  const begin = (call: string): void => {
    calls.push(call);
    if (fake.failure !== undefined) throw fake.failure;
  };

  const fake: FakeSchedules = {
    calls,
    failure: undefined,
    async arm(firing) {
      const { id, dueAt } = firing;
      begin(`arm ${id}`);
      const before = schedulers.get(id);
      const aheadIsDue =
        before !== undefined && before.dueAt <= now() && jobs.get(formatFiringId(id, before.dueAt)) === 'there';
      if (before !== undefined && !aheadIsDue) jobs.delete(formatFiringId(id, before.dueAt));
      if (!add(id, dueAt)) return false;
      schedulers.set(id, { dueAt, firing, made: (before?.made ?? 1) + (aheadIsDue ? 1 : 0) });
      return true;
    },
    async advance(id, from, to) {
      begin(`advance ${id}`);
      const scheduler = schedulers.get(id);
      if (scheduler?.dueAt !== from || !add(id, to)) return false;
      scheduler.dueAt = to;
      scheduler.made += 1;
      return true;
    },
    async remove(id) {
      begin(`remove ${id}`);
      const scheduler = schedulers.get(id);
      if (scheduler !== undefined && scheduler.dueAt > now()) jobs.delete(formatFiringId(id, scheduler.dueAt));
      return schedulers.delete(id);
    },
    async read(ids) {
      begin(`read ${ids.length}`);
      return ids.map(stateOf);
    },
    async list(offset, limit) {
      begin('list');
      return [...schedulers]
        .map(([id, { dueAt }]) => ({ id, dueAt }))
        .sort((a, b) => a.dueAt - b.dueAt)
        .slice(offset, offset + limit);
    },
    size: async () => schedulers.size,
    listFired: (entry) =>
      [...jobs]
        .filter(([id, state]) => id.startsWith(`repeat:${entry}:`) && state !== 'deleted')
        .map(([id]) => Number(id.split(':').at(-1)))
        .filter((at) => at <= now())
        .sort((a, b) => a - b),
    deleteJob: (id) => void jobs.set(id, 'deleted'),
    finishJob: (id) => void jobs.set(id, 'finished'),
    listBriefs: (ids) =>
      ids
        .filter((id) => jobs.get(id) === 'there')
        .map((id) => ({ id, task: 'report', queue, phase: 'waiting', attempts: 0, worker: null, revoked: undefined })),
  };
  return fake;
}
