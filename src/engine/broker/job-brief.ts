import { parseMark } from '../core/revocation.ts';
import type { JobBrief } from './port.ts';
import type { MarkRecord } from './store.ts';

const PHASES: Readonly<Record<string, JobBrief['phase']>> = {
  active: 'active',
  delayed: 'scheduled',
  'waiting-children': 'blocked',
  completed: 'finished',
  failed: 'finished',
};

/** A record of the store in tq's words. */
export function toJobBrief(
  record: MarkRecord,
  { id, queue }: { readonly id: string; readonly queue: string },
): JobBrief {
  const phase = PHASES[record.state] ?? 'waiting';
  return {
    id,
    task: record.name,
    queue,
    phase,
    attempts: record.attemptsMade,
    worker: record.processedBy,
    revoked: phase === 'finished' ? undefined : parseMark(record.deferredFailure),
  };
}

/** Whether it waits with a mark, so that no worker will run it. */
export function isMarked(record: MarkRecord): boolean {
  const phase = PHASES[record.state];
  return phase !== 'active' && phase !== 'finished' && parseMark(record.deferredFailure) !== undefined;
}

/**
 * Whether it waits for its time with a mark. The next job of a schedule entry stays where it is: it holds the place by which
 * BullMQ finds the one after it.
 */
export function isEarly(record: MarkRecord | null): boolean {
  return record !== null && record.state === 'delayed' && record.schedulerId === null && isMarked(record);
}
