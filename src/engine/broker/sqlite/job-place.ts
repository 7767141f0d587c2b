import { readHighestRank } from './job-row.ts';
import type { OpenQueue } from './open-queue.ts';
import type { State } from './schema.ts';

/** Where a job stands: its state and its rank among the jobs of that state. */
export interface Place {
  readonly state: State;
  readonly rank: number;
}

/** Ranks of one millisecond in the delayed state; BullMQ's score is the due time times this, plus the order of arrival. */
const RANKS_PER_MS = 0x1000;

/** Where a job that may run now goes. @param lifo to the head of the list, for a job without priority */
export function waitingPlace(queue: OpenQueue, priority: number, lifo: boolean): Place {
  queue.notices.jobs = true;
  if (priority > 0) return { state: 'prioritized', rank: queue.rankOfPriority(priority) };
  return { state: 'wait', rank: lifo ? queue.rankAtHead() : queue.rankAtTail() };
}

/** Before all other jobs: of its priority, or of the list. For jobs that are handed back. */
export function headPlace(queue: OpenQueue, priority: number): Place {
  queue.notices.jobs = true;
  if (priority > 0) return { state: 'prioritized', rank: priority * 0x1_0000_0000 };
  return { state: 'wait', rank: queue.rankAtHead() };
}

/** Where a job goes that is due `delay` ms after `timestamp`; behind those that are due in the same millisecond. */
export function delayedPlace(queue: OpenQueue, timestamp: number, delay: number): Place & { readonly dueAt: number } {
  queue.notices.jobs = true;
  const dueAt = delay > 0 ? timestamp + delay : timestamp;
  const first = dueAt * RANKS_PER_MS;
  const last = (dueAt + 1) * RANKS_PER_MS - 1;
  const highest = readHighestRank(queue, 'delayed', first, last);
  return { state: 'delayed', rank: highest === null ? first : Math.min(highest + 1, last), dueAt };
}

/** The rank of the first job of a millisecond, whoever else is due in it. */
export function delayedRank(dueAt: number): number {
  return dueAt * RANKS_PER_MS;
}

/** When a delayed job of this rank is due, epoch ms. */
export function dueAtOf(rank: number): number {
  return Math.floor(rank / RANKS_PER_MS);
}

/** The highest rank of the jobs that are due at this instant. */
export function lastRankDue(now: number): number {
  return (now + 1) * RANKS_PER_MS - 1;
}
