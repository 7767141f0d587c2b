import type { JobRecord } from '../../../core/job-record.ts';
import { delayedPlace, dueAtOf, type Place } from '../job-place.ts';
import type { OpenQueue } from '../open-queue.ts';
import { ranksByAge } from './rank-by-age.ts';

/** Old places where they are known, else by the times of the jobs. */
export function findPlaces(queue: OpenQueue, records: readonly JobRecord[]): ReadonlyMap<JobRecord, Place> {
  const places = new Map<JobRecord, Place>();
  const unplaced = new Map<number, JobRecord[]>();
  const lastRanks = new Map<number, number>();
  for (const record of records.toSorted(byAge)) {
    const place = findPlace(queue, record, lastRanks);
    const others = unplaced.get(record.priority);
    if (place !== undefined) places.set(record, place);
    else if (others === undefined) unplaced.set(record.priority, [record]);
    else others.push(record);
  }
  for (const [priority, waiting] of unplaced) {
    const ranks = ranksByAge(queue, waiting, priority);
    const state = priority > 0 ? 'prioritized' : 'wait';
    for (const [index, record] of waiting.entries()) places.set(record, { state, rank: ranks[index] as number });
  }
  return places;
}

function byAge(one: JobRecord, other: JobRecord): number {
  return one.createdAt - other.createdAt || (one.rank ?? 0) - (other.rank ?? 0);
}

/** @param lastRanks by instant, of those that are due then and are just being placed */
function findPlace(queue: OpenQueue, record: JobRecord, lastRanks: Map<number, number>): Place | undefined {
  const { place, rank, createdAt, finishedAt, priority } = record;
  switch (place) {
    case 'dead':
    case 'completed':
      queue.forgetOldestFinished();
      return { state: place === 'dead' ? 'failed' : 'completed', rank: finishedAt ?? createdAt };
    case 'blocked':
      return { state: 'waiting-children', rank: rank ?? createdAt };
    case 'scheduled': {
      const dueAt = record.dueAt ?? createdAt + record.delayMs;
      if (rank !== undefined && dueAtOf(rank) === dueAt) return { state: 'delayed', rank };
      const last = lastRanks.get(dueAt);
      const next = last === undefined ? delayedPlace(queue, dueAt, 0).rank : last + 1;
      lastRanks.set(dueAt, next);
      return { state: 'delayed', rank: next };
    }
    default:
      // The numbers of a priority begin anew once no job has one, so old ones say nothing.
      if (place === 'waiting' && priority === 0 && rank !== undefined && queue.hasGivenOut(rank))
        return { state: 'wait', rank };
      return undefined;
  }
}
