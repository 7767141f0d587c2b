import type { JobRecord, RecordHold, RecordParent } from '../core/job-record.ts';

/** How the parts of a `JobRecord` read in the values that stores keep of them, where more than one store needs it. */

/** The texts of a stored array; what is no array of texts has none. */
export function parseTexts(json: string | null): string[] {
  if (json === null) return [];
  try {
    const value: unknown = JSON.parse(json);
    return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
  } catch {
    return [];
  }
}

/** The field of a stored parent (`fpof`, ...) and the option of a child that say what the parent does when the child is a dead letter. */
export const ON_DEAD: readonly (readonly [NonNullable<RecordParent['onDead']>, field: string, option: string])[] = [
  ['fail', 'fpof', 'failParentOnFailure'],
  ['start', 'cpof', 'continueParentOnFailure'],
  ['wait', 'idof', 'ignoreDependencyOnFailure'],
  ['remove', 'rdof', 'removeDependencyOnFailure'],
];

/** @param from the stored parent, or the options of the child @param by which of the two it is */
export function readOnDead(from: Readonly<Record<string, unknown>>, by: 'field' | 'option'): RecordParent['onDead'] {
  return ON_DEAD.find(([, field, option]) => Boolean(from[by === 'field' ? field : option]))?.[0] ?? null;
}

/**
 * The hold on its unique key that a job is put back with, if nobody else has it. One that is not recorded is worked out: a time counts from
 * the call, whatever became of the job; without one the hold ends with the job.
 */
export function holdOf({ unique, hold, options, place, createdAt }: JobRecord): RecordHold | null {
  if (unique === null) return null;
  if (hold !== undefined) return hold;
  const { ttl, keepLastIfActive } = (options['deduplication'] ?? {}) as { ttl?: unknown; keepLastIfActive?: unknown };
  if (typeof ttl === 'number' && ttl > 0 && keepLastIfActive !== true) return { until: createdAt + ttl };
  return place === 'dead' || place === 'completed' ? null : { until: null };
}

/** Whether a recorded job has still to run. */
export function isUnfinished({ place }: JobRecord): boolean {
  return place !== 'dead' && place !== 'completed';
}

/** Why a job that its parent waited for is not put back. */
export function leftBehind({ parent }: JobRecord): string {
  return `its parent, job ${parent?.id} of queue "${parent?.queue}", has gone on without it`;
}
