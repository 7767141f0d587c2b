import type { ScanPlace } from '../broker/bulk-port.ts';
import type { JobSummary, StoredJob } from '../core/job.ts';
import type { JobState } from '../core/state.ts';

/** The states that jobs of a place can be in. A revoked job that waits stays where it is until a worker files it away. */
export const STATES_OF_PLACE: Readonly<Record<ScanPlace, readonly JobState[]>> = {
  waiting: ['PENDING', 'RETRY', 'REVOKED'],
  active: ['STARTED'],
  scheduled: ['SCHEDULED', 'RETRY', 'REVOKED'],
  blocked: ['BLOCKED', 'REVOKED'],
  dead: ['FAILURE'],
  completed: ['SUCCESS', 'FAILURE', 'REVOKED', 'IGNORED'],
};

export const PLACES = Object.keys(STATES_OF_PLACE) as readonly ScanPlace[];

/**
 * Where a job stands, by what it says itself. Two things it does not say: a revoked job may be blocked rather than waiting, and one that
 * failed may be the finished head of a workflow rather than a dead letter.
 *
 * @param seenIn where it was met; believed if its state can be there
 */
export function placeOf(
  { state, dueAt, finishedAt }: Pick<StoredJob | JobSummary, 'state' | 'dueAt' | 'finishedAt'>,
  seenIn?: ScanPlace,
): ScanPlace | undefined {
  if (seenIn !== undefined && STATES_OF_PLACE[seenIn].includes(state)) return seenIn;
  if (dueAt !== null && STATES_OF_PLACE.scheduled.includes(state)) return 'scheduled';
  if (state === 'REVOKED' && finishedAt !== null) return 'completed';
  return PLACES.find((place) => STATES_OF_PLACE[place].includes(state));
}
