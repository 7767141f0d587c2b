/**
 * The states of a job, one set for library, CLI, queries and pages (design.md §5).
 *
 * PENDING waits for a slot · SCHEDULED waits for its time · BLOCKED waits for children · STARTED runs now ·
 * RETRY has failed and waits for its next attempt · SUCCESS · FAILURE is a dead letter · REVOKED was cancelled or had
 * expired · IGNORED ended by `Ignore` · UNKNOWN: no queue holds this id.
 */
export const STATES = [
  'PENDING',
  'SCHEDULED',
  'BLOCKED',
  'STARTED',
  'RETRY',
  'SUCCESS',
  'FAILURE',
  'REVOKED',
  'IGNORED',
  'UNKNOWN',
] as const;

export type JobState = (typeof STATES)[number];

/** A state that a job does not leave by itself. */
export function isFinished(state: JobState): boolean {
  return state === 'SUCCESS' || state === 'FAILURE' || state === 'REVOKED' || state === 'IGNORED';
}
